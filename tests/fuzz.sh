#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Fuzzes ring-buffer pages, whole captures and parts of packs with libFuzzer for
# some time each; what it finds stays in $FUZZ_DIR as crash-*.
set -eu

cd "$(dirname "$0")/.."
command -v clang >/dev/null || {
	echo "fuzz: no clang (apt-get install clang)" >&2
	exit 77
}
mkdir -p "$FUZZ_DIR/corpus"
cp samples/*/trace.dat "$FUZZ_DIR/corpus/sample.dat"
cat >"$FUZZ_DIR/corpus/calls.csv" <<EOF
t_ns,kind,pool,handle,size,cpu,pid,dur_ns
1000,M,0xffff000000001000,0xffff000000002008,64,0,7,120
1500,F,0xffff000000001000,0xffff000000002008,,1,7,
EOF
cat >"$FUZZ_DIR/corpus/graph.txt" <<EOF
 1000.000001 |   2)  wl-7    |  d..1. |               |  zs_free() {
 1000.000002 |   2)  wl-7    |  d..1. |   2.000 us    |    __free_zspage();
 ------------------------------------------
 2)     wl-7     =>     wl-8
CPU:2 [LOST 3 EVENTS]
 1000.000009 |   2)  wl-7    |  d..1. | ! 108.250 us  |  }
 0)   0.864 us    |  zs_get_total_pages();
EOF
cat >"$FUZZ_DIR/corpus/perf.txt" <<EOF
# os release : 6.12.9
      wl 18/186 [001] 7.826158: 1 zsm:zs_malloc: (ffffb0b945ca8588) pool=0x1 size=43
	ffffb0b945ca8588 zs_malloc+0x0 ([zsmalloc])
	ffffb0b945cd66a4 zram_write_page+0x84 ([zram])

      wl    186 [001] 7.826159: zsm:zs_malloc_ret: (ffff8588 <- ffff66a4) handle=0x8
      wl    186 [001] 7.826160: PERF_RECORD_LOST lost 12
Lost 3 events
      wl    186 [001] 7.826161: zsm:zs_free: (ffffb0b945ca8588) pool=0x1 handle=0x8
EOF
cat >"$FUZZ_DIR/corpus/map.txt" <<EOF
event v:get malloc_done handle=h size=bytes
event note mark text=what
field h handle
row M malloc_done t_ns cpu pid handle size
row F free_done time handle dur_ns

Attaching 3 probes...
M 23566025264 0 194 ffff1af345086a10 434
F 23.5 ffff1af345086a10 313744
EOF
cat >"$FUZZ_DIR/corpus/events.txt" <<EOF
event v:get malloc_done handle=h size=bytes
event note mark text=what

 wl 186 [001] 7.826161: v:get: h=0x8 bytes=9
 wl 186 [001] 7.826161: v:note: what="x y"
EOF
flags="-std=gnu11 -D_GNU_SOURCE -I. -g -O1 -w
 -fsanitize=fuzzer,address,undefined"
# shellcheck disable=SC2046,SC2086 # lists of flags and files
clang $flags -o "$FUZZ_DIR/page" capture/fuzz/page.c capture/decode/page.c \
	base/err.c
# shellcheck disable=SC2046,SC2086
clang $flags -o "$FUZZ_DIR/file" capture/fuzz/file.c capture/decode/*.c \
	event/*.c base/*.c $(pkg-config --cflags --libs libtraceevent libzstd babeltrace2 \
	nettle)
# shellcheck disable=SC2046,SC2086
clang $flags -o "$FUZZ_DIR/parts" pack/fuzz/parts.c pack/*.c db/*.c event/*.c \
	base/*.c $(ls replay/engine/*.c | grep -v -e engine/seq -e engine/run) \
	$(pkg-config --cflags --libs libarchive sqlite3 libzstd libxxhash \
	nettle) -lm -pthread
cd "$FUZZ_DIR"
./page -max_total_time="$FUZZ_SECONDS" -print_final_stats=1
# libtraceevent leaks on formats that it refuses
./file -max_total_time="$FUZZ_SECONDS" -detect_leaks=0 -print_final_stats=1 \
	corpus
./parts -max_total_time="$FUZZ_SECONDS" -print_final_stats=1
