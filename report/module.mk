# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard report/*.c report/*.S)
TEST_SRCS += $(wildcard report/t/*.c)
TEST_SCRIPTS += $(wildcard report/t/*.t)
BENCH_SRCS += $(wildcard report/bench/*.c)

$(O)/report/embed.o: report/report.css report/report.js
