# SPDX-License-Identifier: GPL-2.0-only
PKGS += libtracefs babeltrace2
SRCS += $(wildcard capture/*.c capture/decode/*.c capture/write/*.c \
	capture/record/*.c capture/record/*.S)
TEST_SRCS += $(wildcard capture/t/*.c)
TEST_SCRIPTS += $(wildcard capture/t/*.t)
BENCH_SRCS += $(wildcard capture/bench/*.c)

# What runs on the target, in one file without libraries: CROSS_COMPILE=
# aarch64-linux-gnu- or arm-linux-gnueabihf- for another machine, SYSROOT= where
# its libtracefs, libtraceevent and libpopt are when not on this system.
SYSROOT ?=
STATIC_SRCS := zsr-capture.c cmd/main.c cmd/options.c cmd/cmd_capture.c \
	cmd/cmd_workload.c $(filter-out base/sha.c base/hist.c,$(wildcard \
	base/*.c capture/write/*.c capture/record/*.c))
static_cc = $(CROSS_COMPILE)gcc
static_pkg = PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(shell $(static_cc) -print-multiarch)/pkgconfig:/usr/share/pkgconfig \
	$(PKG_CONFIG)
static_libs := libtracefs libtraceevent popt

capture-static:
	$(Q)$(MAKE) --no-print-directory O=build-static/$(shell $(static_cc) -dumpmachine) \
		CC='$(static_cc)' PKGS='$(static_libs)' PKG_CONFIG='$(static_pkg)' zsr-capture-static

zsr-capture-static: $(O)/zsr-capture

$(O)/capture/record/script.o: capture/record/script.sh

$(O)/zsr-capture: $(STATIC_SRCS:%.c=$(O)/%.o) $(O)/capture/record/script.o
	$(call say,LD,$@)$(CC) $(cflags) -static -o $@ $^ \
		$(shell $(PKG_CONFIG) --static --libs $(PKGS)) -pthread

.PHONY: capture-static zsr-capture-static

# Real kernels in QEMU: KERNELS='6.12 6.1', see tests/kernel/kernels.
check-kernel: $(O)/zsr
	$(Q)tests/deps.sh kernel || \
		echo 'check-kernel: not all packages could be installed' >&2
	$(Q)PATH="$(abspath $(O)):$$PATH" prove --exec tests/exec.sh -v \
		tests/kernel/kernel.t tests/kernel/cost.t

# One with zsmalloc's statistics; oracle-4k and oracle-16k of that list.
kernel-oracle:
	$(Q)tests/deps.sh kernel
	$(Q)tests/kernel/oracle.sh 4k

.PHONY: check-kernel kernel-oracle
