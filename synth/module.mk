# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard synth/*.c)
TEST_SRCS += $(wildcard synth/t/*.c)
TEST_SCRIPTS += $(wildcard synth/t/*.t)
