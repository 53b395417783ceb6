# SPDX-License-Identifier: GPL-2.0-only
TEST_SCRIPTS += $(wildcard tests/*.t)
BENCH_SCRIPTS := $(wildcard */bench/*.sh)
