#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Samples of the pool (zsr capture --vmstat) tell when memory came back, where no
# zspages were recorded.
set -u

. tests/tap.sh

# 40 objects of a page each; then one is freed every 100 us, a sample after each.
trace() { # "vmstat" or another word
	awk -v word="$1" 'function at(event, text) {
			printf "  wl-7 [000] ..... %.6f: %s: %s\n", 1 + t / 1e6,
				event, text
			t += 10
		}
		BEGIN {
			print "# tracer: nop"
			for (i = 0; i < 40; i++) {
				at("zs_malloc", "(zs_malloc+0x0/0x1) pool=0x10" \
					" size=4096 gfp=0x0")
				at("zs_malloc_ret", "(a+0x0/0x1 <- zs_malloc)" \
					" handle=0x" 1000 + i)
			}
			at("tracing_mark_write", word " pool_pages=40")
			at("tracing_mark_write", "release-begin")
			for (i = 0; i < 40; i++) {
				t = 10000 + 100 * i
				at("zs_free", "(zs_free+0x0/0x1) pool=0x10" \
					" handle=0x" 1000 + i)
				at("zs_free_ret", "(a+0x0/0x1 <- zs_free)")
				at("tracing_mark_write", word " pool_pages=" \
					39 - i)
			}
			at("tracing_mark_write", "release-end")
		}'
}

said() { # word: what the report says of the capture
	rm -f "$tmp/db"
	trace "$1" >"$tmp/trace.txt"
	"$zsr" import -d "$tmp/db" --kernel 6.12 --page-size 4096 \
		--times hardware --name trace "$tmp/trace.txt" >"$tmp/log" 2>&1 &&
		"$zsr" replay -d "$tmp/db" --policy sync trace \
			>>"$tmp/log" 2>&1 &&
		"$zsr" report -d "$tmp/db" --format txt --only g2 -o "$tmp/out" \
			>>"$tmp/log" 2>&1
}

said vmstat && tr '\n' ' ' <"$tmp/out" >"$tmp/text"
ok "the samples are the curve" grep -q \
	'given back 50 % .* after 11.1 ms, 90 % after 12.7 ms, all after 13.1' \
	"$tmp/text"
said other
ok "without them there is none, and it is said" grep -q 'No captured curve' \
	"$tmp/out"
plan
