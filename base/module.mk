# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard base/*.c)
TEST_SRCS += $(wildcard base/t/*.c)
TEST_SCRIPTS += $(wildcard base/t/*.t)
