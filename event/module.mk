# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard event/*.c)
TEST_SRCS += $(wildcard event/t/*.c)
TEST_SCRIPTS += $(wildcard event/t/*.t)
