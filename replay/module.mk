# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard replay/*.c replay/engine/*.c replay/engine/check/*.c \
	replay/engine/check/*.S replay/policy/*.c \
	replay/machine/*.c replay/machine/virtual/*.c \
	replay/machine/explore/*.c replay/machine/host/*.c \
	replay/machine/virtual/*.S)
TEST_SRCS += $(wildcard replay/t/*.c replay/engine/t/*.c \
	replay/machine/virtual/t/*.c replay/machine/explore/t/*.c \
	replay/machine/host/t/*.c)
TEST_SCRIPTS += $(wildcard replay/t/*.t replay/engine/t/*.t)
BENCH_SRCS += $(wildcard replay/bench/*.c replay/engine/bench/*.c)

$(O)/replay/machine/virtual/shipped.o: $(wildcard profiles/*)

$(O)/replay/engine/check/embed.o: $(wildcard replay/engine/check/kernel/*)

# What plug-ins are built against: zsr-policy(7).
PLUGIN_HEADERS = $(filter %.h,$(shell $(CC) -I. -MM replay/policy/locking.h))
include_dir = $(DESTDIR)$(PREFIX)/include/zsr
pkgconfig_dir = $(DESTDIR)$(PREFIX)/share/pkgconfig
defined_in = $(shell sed -n 's/^\#define $(1) "*\([0-9.]*\)"*$$/\1/p' $(2))

install: install-headers

install-headers: FORCE
	for h in $(PLUGIN_HEADERS); do \
		install -D -m 644 $$h $(include_dir)/$$h || exit; done
	install -d $(pkgconfig_dir)
	sed -e 's|@PREFIX@|$(PREFIX)|' \
		-e 's|@VERSION@|$(call defined_in,ZSR_VERSION,base/base.h)|' \
		-e 's|@INTERFACE@|$(call defined_in,ZSR_MACHINE_VERSION,replay/machine/machine.h)|' \
		replay/policy/zsr-policy.pc.in > $(pkgconfig_dir)/zsr-policy.pc

# Variants that the exploring test is made of.
EXPLORED := $(patsubst %.c,$(O)/%.o,$(wildcard replay/t/explore/*.c))
$(O)/replay/t/schedules: $(EXPLORED)
-include $(EXPLORED:.o=.d)
