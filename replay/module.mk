# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard replay/*.c replay/engine/*.c replay/engine/check/*.c \
	replay/engine/check/*.S replay/policy/*.c \
	replay/machine/*.c replay/machine/virtual/*.c \
	replay/machine/explore/*.c \
	replay/machine/virtual/*.S)
TEST_SRCS += $(wildcard replay/t/*.c replay/engine/t/*.c \
	replay/machine/virtual/t/*.c replay/machine/explore/t/*.c)
TEST_SCRIPTS += $(wildcard replay/t/*.t replay/engine/t/*.t)
BENCH_SRCS += $(wildcard replay/bench/*.c replay/engine/bench/*.c)

$(O)/replay/machine/virtual/shipped.o: $(wildcard profiles/*)

$(O)/replay/engine/check/embed.o: $(wildcard replay/engine/check/kernel/*)
