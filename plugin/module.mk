# SPDX-License-Identifier: GPL-2.0-only
# babeltrace-plugin-zsr.so. What it takes of the library is compiled so that it
# can be part of it.
BT_PLUGIN := $(O)/babeltrace-plugin-zsr.so
BT_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard plugin/*.c))
SRCS += $(wildcard plugin/*.c)
TEST_SCRIPTS += $(wildcard plugin/t/*.t)
BENCH_SRCS += $(wildcard plugin/bench/*.c)

$(patsubst %.c,$(O)/%.o,$(wildcard base/*.c event/*.c db/*.c capture/decode/*.c \
	interop/bt-*.c interop/names.c)): private extra_cflags = -fPIC -fvisibility=hidden
$(BT_OBJS): private extra_cflags = -fPIC

$(BT_PLUGIN): $(BT_OBJS) $(O)/libzsr.a
	$(call say,LD,$@)$(CC) $(cflags) -shared -Wl,-z,defs -Wl,--as-needed \
		-Wl,--exclude-libs,ALL -o $@ $^ $(libs)

all: babeltrace-plugin-zsr.so

babeltrace-plugin-zsr.so: $(BT_PLUGIN)
	$(Q)cp -f $< $@

install: install-plugin

install-plugin: $(BT_PLUGIN)
	install -D -m 755 $(BT_PLUGIN) \
		$(DESTDIR)$(PREFIX)/lib/babeltrace2/plugins/babeltrace-plugin-zsr.so
