#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a report of ten policies over a trace of $ZSR_BENCH_EVENTS (1 million)
# events costs: seconds, the best of three, bytes, resident memory. Ratios are to
# a trace of a tenth: cost goes with pages, not with events.
set -eu

zsr=$ZSR_BUILD/zsr
events=${ZSR_BENCH_EVENTS:-1000000}
policies=sync,sync-6.1,unlock-first,class-idx,class-batch,defer-zspage,array,deferred,deferred-slot,zram-gc
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset ZSR_DB

# A page of the experiment is a malloc and a free.
make_runs() { # events, database
	$zsr synth munmap --size $(($1 / 2 * 4))K --procs 4 --seed 1 --name t -d "$2" >/dev/null
	$zsr replay t --policy $policies -d "$2" >/dev/null
}
best() { # database, file: milliseconds
	least=
	for _ in 1 2 3; do
		start=$(date +%s%N)
		$zsr report -d "$1" -o "$2" >/dev/null
		took=$((($(date +%s%N) - start) / 1000000))
		[ -n "$least" ] && [ "$least" -le "$took" ] || least=$took
	done
	echo "$least"
}

# What it is, and the bar: "html_size 812 KB, bar 1000 KB, holds".
against() { # what, value, unit, bar
	[ "$2" -lt "$4" ] && word=holds || word="DOES NOT HOLD"
	echo "$1 $2 $3, bar $4 $3, $word"
}

make_runs "$events" "$tmp/all.db"
make_runs $((events / 10)) "$tmp/tenth.db"
for format in pdf html txt svg png; do
	ms=$(best "$tmp/all.db" "$tmp/r.$format")
	tenth=$(best "$tmp/tenth.db" "$tmp/s.$format")
	against ${format}_time "$ms" ms 2000
	against ${format}_size $(($(wc -c <"$tmp/r.$format") / 1000)) KB 1000
	if [ -x /usr/bin/time ]; then
		/usr/bin/time -f %M "$zsr" report -d "$tmp/all.db" \
			-o "$tmp/r.$format" 2>"$tmp/rss" >/dev/null
		against ${format}_rss $(($(tail -n 1 "$tmp/rss") * 1024 / 1000000)) MB 100
	fi
	awk "BEGIN { printf \"%s_to_tenth %.2f times\n\", \"$format\", $ms / $tenth }"
done
