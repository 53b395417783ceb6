# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard db/*.c)
TEST_SRCS += $(wildcard db/t/*.c)
TEST_SCRIPTS += $(wildcard db/t/*.t)
BENCH_SRCS += $(wildcard db/bench/*.c)

# create.c takes the schema in with .incbin.
$(O)/db/create.o: db/schema.sql

# Its loops over columns want vectors.
$(O)/db/chunk_rows.o $(O)/db/chunk_encode.o: private OPT = -O3
