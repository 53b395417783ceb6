# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard ust/*.c)
TEST_SCRIPTS += $(wildcard ust/t/*.t)

# The tracepoints: not built where LTTng's libraries are not.
ifeq ($(shell $(PKG_CONFIG) --exists lttng-ust lttng-ctl && echo yes),yes)
LTTNG := $(O)/zsr-lttng.so
LTTNG_OBJS := $(patsubst %,$(O)/pic/%.o,ust/so/object ust/so/session base/err)

$(LTTNG_OBJS): $(O)/pic/%.o: %.c $(O)/.flags
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(cflags) -fPIC \
		-fvisibility=hidden -MMD -MP -c -o $@ $<

$(LTTNG): $(LTTNG_OBJS)
	$(call say,LD,$@)$(CC) $(cflags) -shared -Wl,-z,defs -o $@ $^ $(LDFLAGS) \
		$(shell $(PKG_CONFIG) --libs lttng-ust lttng-ctl) -ldl

-include $(LTTNG_OBJS:.o=.d)

all: zsr-lttng.so

zsr-lttng.so: $(LTTNG)
	$(Q)cp -f $< $@

install: install-lttng

install-lttng: $(LTTNG)
	install -D -m 755 $(LTTNG) $(DESTDIR)$(PREFIX)/lib/zsr/zsr-lttng.so
endif
