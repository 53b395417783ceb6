# SPDX-License-Identifier: GPL-2.0-only
MAN_SRCS := $(wildcard man/*.scd)
MANS := $(MAN_SRCS:man/%.scd=$(O)/man/%)

man: $(MANS)

$(O)/man/%: man/%.scd
	$(call say,MAN,$@)mkdir -p $(@D) && $(SCDOC) < $< > $@

MAN_INSTALL = for m in $(MANS); do \
	d=$(DESTDIR)$(PREFIX)/share/man/man$${m\#\#*.}; \
	install -d $$d && install -m 644 $$m $$d; done
