# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard capture/*.c capture/decode/*.c capture/write/*.c)
TEST_SRCS += $(wildcard capture/t/*.c)
TEST_SCRIPTS += $(wildcard capture/t/*.t)
BENCH_SRCS += $(wildcard capture/bench/*.c)
