# SPDX-License-Identifier: GPL-2.0-only
SRCS += $(wildcard db/*.c)
TEST_SRCS += $(wildcard db/t/*.c)
TEST_SCRIPTS += $(wildcard db/t/*.t)
BENCH_SRCS += $(wildcard db/bench/*.c)

# create.c takes the schema in with .incbin.
$(O)/db/create.o: db/schema.sql

# Its loops over columns want vectors.
vectors := db/chunk_decode.o db/chunk_numbers.o db/chunk_rows.o
$(addprefix $(O)/,$(vectors) db/chunk_encode.o db/chunk_columns.o) \
	$(addprefix $(O)/ext/,$(vectors)): private OPT = -O3

# The tables and functions for any SQLite. Its API comes as a pointer, so all of
# it is compiled once more.
EXT := $(O)/zsr_sqlite.so
EXT_OBJS := $(patsubst %,$(O)/ext/%.o,base/err base/mem event/event \
	db/ahead db/chunk_decode db/chunk_numbers db/chunk_rows db/classes db/facts \
	db/live db/objects db/reader db/sql db/sums db/texts db/traces db/vfilter db/vplan db/vtab \
	db/vtab_event db/vtab_object db/vtab_sums db/ext/extension)
ext_flags := -fPIC -fvisibility=hidden -include db/ext/extension.h

$(EXT_OBJS): $(O)/ext/%.o: %.c $(O)/.flags
	$(call say,CC,$@)mkdir -p $(@D) && $(CC) $(cflags) $(ext_flags) -MMD -MP \
		-c -o $@ $<

$(EXT): $(EXT_OBJS)
	$(call say,LD,$@)$(CC) $(cflags) -shared -Wl,-z,defs -o $@ $^ $(LDFLAGS) \
		$(shell $(PKG_CONFIG) --libs libzstd libxxhash) -lm

-include $(EXT_OBJS:.o=.d)
