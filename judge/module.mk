# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard judge/*.c)
TEST_SRCS += $(wildcard judge/t/*.c)
TEST_SCRIPTS += $(wildcard judge/t/*.t)
