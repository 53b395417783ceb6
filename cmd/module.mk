# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard cmd/*.c)
TEST_SRCS += $(wildcard cmd/t/*.c)
TEST_SCRIPTS += $(wildcard cmd/t/*.t)
