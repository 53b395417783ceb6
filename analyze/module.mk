# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard analyze/*.c)
TEST_SRCS += $(wildcard analyze/t/*.c)
TEST_SCRIPTS += $(wildcard analyze/t/*.t)
