# SPDX-License-Identifier: GPL-2.0-only
TEST_SCRIPTS += $(wildcard samples/*.t)
