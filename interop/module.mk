# SPDX-License-Identifier: GPL-2.0-only
PKGS += libprotobuf-c
PROTOC_C ?= protoc-c
SRCS += $(wildcard interop/*.c) interop/perfetto.pb-c.c
TEST_SRCS += $(wildcard interop/t/*.c)
TEST_SCRIPTS += $(wildcard interop/t/*.t)

# Code and header of the messages, beside the objects.
perfetto := $(O)/interop/perfetto.pb-c
$(perfetto).c: interop/perfetto.proto
	$(call say,PROTOC,$@)mkdir -p $(@D) && $(PROTOC_C) -I interop \
		--c_out=$(@D) $<

$(perfetto).h: $(perfetto).c ;

$(perfetto).o: $(perfetto).c $(O)/.flags
	$(call say,CC,$@)$(CC) $(cflags) -MMD -MP -c -o $@ $<

$(O)/interop/perfetto.o $(patsubst %.c,$(O)/%.o,$(wildcard interop/t/*.c)): \
	| $(perfetto).h
