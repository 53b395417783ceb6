# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard db/*.c)
TEST_SRCS += $(wildcard db/t/*.c)
TEST_SCRIPTS += $(wildcard db/t/*.t)

$(O)/db/create.o: db/schema.sql
