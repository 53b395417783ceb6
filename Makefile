# SPDX-License-Identifier: GPL-2.0-only
#
# One non-recursive Makefile; each folder's module.mk adds its sources.
#
#	make		build ./zsr
#	make demo	install what is needed, build, and show the whole way
#			from a captured trace to report.pdf
#	make check-html	the HTML report in Chromium, installed if missing
#	make check	install what is needed, build everything, run all tests,
#			boot a kernel
#	make bench	measure what the documentation claims
#	make fuzz	libFuzzer on captures, FUZZ_SECONDS=60 each
#	make explore	policies under more schedules, MORE=1 preemption
#	make capture-static	build zsr-capture for a target, CROSS_COMPILE=
#	make check-kernel	boot kernels, capture, judge; KERNELS='6.12 7.3'
#	make kernel-oracle	build one with zsmalloc's statistics for it
#	make check-engine	every sequence of the oracle data
#	make install	PREFIX=/usr/local, DESTDIR=
#	make V=1	show whole command lines

all:
.DELETE_ON_ERROR:
.SUFFIXES:

O	?= build
JOBS	?= $(shell nproc)
PREFIX	?= /usr/local
CC	?= cc
AR	?= ar
PKG_CONFIG ?= pkg-config
SCDOC	?= scdoc

ifeq ($(V),1)
Q :=
say :=
else
Q := @
say = @printf '  %-7s %s\n' $(1) $(2);
endif

# What the program is built from, as pkg-config knows it.
PKGS := libtraceevent sqlite3 libzstd libxxhash \
	cairo cairo-pdf cairo-svg cairo-png pangocairo popt jansson nettle zlib \
	libarchive
# What the tests and benchmarks need beyond that.
TEST_PKGS := check libtracecmd

OPT	?= -O2
strict	:= -Werror -Wshadow -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 \
	-Wimplicit-fallthrough -Wlogical-op -Wduplicated-cond \
	-Wold-style-definition -Wredundant-decls -Wnested-externs
STRICT	?=
WARN	:= -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS	?= -g
cflags	= -std=gnu11 -D_GNU_SOURCE -I. -I$(O) -Wno-unused-parameter $(OPT) $(WARN) $(STRICT) \
	-ffp-contract=off -fno-strict-aliasing -pthread $(CFLAGS) $(pkg_cflags) $(extra_cflags)
pkg_cflags = $(eval pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(PKGS)))$(pkg_cflags)
test_cflags = $(eval test_cflags := $(shell $(PKG_CONFIG) --cflags $(TEST_PKGS)))$(test_cflags)
test_libs = $(eval test_libs := $(shell $(PKG_CONFIG) --libs $(TEST_PKGS)))$(test_libs)
pkg_libs = $(eval pkg_libs := $(shell $(PKG_CONFIG) --libs $(PKGS)))$(pkg_libs)
libs	= $(LDFLAGS) $(pkg_libs) -lm -pthread

MODULES := base event capture db synth replay ust judge pack interop plugin analyze \
	report cmd
SRCS :=
TEST_SRCS :=
BENCH_SRCS :=
TEST_SCRIPTS :=
include $(MODULES:%=%/module.mk) samples/module.mk tests/module.mk \
	man/module.mk

OBJS	:= $(patsubst %,$(O)/%.o,$(basename $(SRCS)))
TESTS	:= $(TEST_SRCS:%.c=$(O)/%)
BENCHES	:= $(BENCH_SRCS:%.c=$(O)/%)
LIB	:= $(O)/libzsr.a

all: zsr zsr_sqlite.so man

zsr zsr_sqlite.so: %: $(O)/%
	$(Q)cp -f $< $@

# Plug-ins see no more of the program than this list.
exported := replay/policy/plugin.syms

$(O)/zsr: $(O)/zsr.o $(LIB) $(exported)
	$(call say,LD,$@)$(CC) $(cflags) -Wl,--dynamic-list=$(exported) -o $@ \
		$(O)/zsr.o $(LIB) $(libs)

$(LIB): $(OBJS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.o: %.c $(O)/.flags
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(cflags) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S $(O)/.flags
	$(call say,AS,$@)mkdir -p $(@D) && $(CC) $(cflags) -MMD -MP -c -o $@ $<

$(TESTS:=.o) $(BENCHES:=.o): extra_cflags = $(test_cflags)

$(TESTS) $(BENCHES): $(O)/%: $(O)/%.o $(LIB)
	$(call say,LD,$@)$(CC) $(cflags) -o $@ $^ $(test_libs) $(libs)

# Rebuild when the flags change.
$(O)/.flags: extra_cflags =
$(O)/.flags: FORCE
	@mkdir -p $(O); echo '$(CC) $(cflags)' | cmp -s - $@ || \
		echo '$(CC) $(cflags)' > $@

-include $(OBJS:.o=.d) $(O)/zsr.d $(TESTS:=.d) $(BENCHES:=.d)

deps:
	$(Q)tests/deps.sh

demo: deps
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory all
	$(Q)samples/demo.sh

check: deps
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory check-strict
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory check-sanitized
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory check-built
	$(Q)$(MAKE) --no-print-directory check-kernel KERNELS=6.12

# Every test on the plain build.
check-built: all $(TESTS)
	$(Q)ZSR_BUILD=$(abspath $(O)) tests/run.sh $(TESTS) $(TEST_SCRIPTS)

# The longer list of warnings, as errors.
check-strict:
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory O=build-strict STRICT='$(strict)' \
		build-strict/libzsr.a build-strict/zsr.o

# The unit tests and the command line under address and undefined-behaviour
# sanitizers.
check-sanitized:
	$(Q)$(MAKE) -j$(JOBS) --no-print-directory O=build-san OPT=-O1 \
		CFLAGS='-g -fsanitize=address,undefined -fno-sanitize-recover=all' \
		check-san-built

check-san-built: $(O)/zsr $(TESTS)
	$(Q)ZSR_BUILD=$(abspath $(O)) tests/run.sh $(TESTS)

bench: all $(BENCHES)
	$(Q)ZSR_BUILD=$(abspath $(O)) tests/bench.sh $(BENCHES) $(BENCH_SCRIPTS)

# libFuzzer on what strangers send: FUZZ_SECONDS each, needs clang.
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_DIR=$(O)/fuzz tests/fuzz.sh

MORE ?= 1
explore: $(O)/replay/t/schedules
	$(Q)ZSR_EXPLORE_MORE=$(MORE) CK_DEFAULT_TIMEOUT=0 CK_FORK=no $<

check-engine: all
	$(Q)ZSR=$(abspath $(O))/zsr tests/check-engine.sh

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/sqlite3 \
		$(DESTDIR)$(PREFIX)/share/zsr/profiles
	install -m 755 $(O)/zsr $(DESTDIR)$(PREFIX)/bin/zsr
	install -m 755 $(EXT) $(DESTDIR)$(PREFIX)/lib/sqlite3
	install -m 644 profiles/*.profile $(DESTDIR)$(PREFIX)/share/zsr/profiles
	$(MAN_INSTALL)

clean:
	rm -rf $(O) build-* zsr zsr_sqlite.so zsr-lttng.so \
		babeltrace-plugin-zsr.so

FORCE:
.PHONY: all deps demo check check-built check-strict check-sanitized \
	check-san-built check-engine explore fuzz bench format install clean man FORCE
