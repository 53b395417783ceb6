# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard report/*.c)
TEST_SRCS += $(wildcard report/t/*.c)
TEST_SCRIPTS += $(wildcard report/t/*.t)
