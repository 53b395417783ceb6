# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard pack/*.c)
TEST_SRCS += $(wildcard pack/t/*.c)
TEST_SCRIPTS += $(wildcard pack/t/*.t)
BENCH_SRCS += $(wildcard pack/bench/*.c)
