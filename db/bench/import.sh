#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How fast a trace.dat goes into the database, beside what trace-cmd and
# libtracecmd take to read it, and how many bytes a call takes there. The file
# is a synthetic trace of $ZSR_BENCH_RECORDS (10 million) records. Prints
# "name value unit" lines; ratios are of times taken in this run, each the best
# of three.
set -eu

zsr=$ZSR_BUILD/zsr
peer=$ZSR_BUILD/capture/bench/peer
records=${ZSR_BENCH_RECORDS:-10000000}
shared=${ZSR_SHARED:-../shared}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset ZSR_DB

# best of three: milliseconds of COMMAND after PREPARE
best() {
	prepare=$1
	shift
	least=
	for _ in 1 2 3; do
		$prepare
		start=$(date +%s%N)
		"$@" >/dev/null 2>&1
		took=$((($(date +%s%N) - start) / 1000000))
		[ -n "$least" ] && [ "$least" -le "$took" ] || least=$took
	done
	echo "$least"
}

# name, records, milliseconds
rate() { awk "BEGIN { printf \"%s %.2f Mrecords/s\n\", \"$1\", $2 / $3 / 1e3 }"; }
ratio() { awk "BEGIN { printf \"%s %.2f times\n\", \"$1\", $2 / $3 }"; }
fresh() { rm -f "$tmp"/i.db*; }
bytes() { cat "$1" "$1-wal" 2>/dev/null | wc -c; }

# ---- time: a malloc is two records, a free is one

$zsr synth munmap --size $((records / 12 * 4))K --procs 4 --seed 1 --name t \
	-d "$tmp/t.db" >/dev/null
$zsr export t -o "$tmp/t.dat" -d "$tmp/t.db"
n=$((records / 12 * 12))
echo "file $(($(wc -c <"$tmp/t.dat") / 1000000)) MB"
ours=$(best fresh "$zsr" import "$tmp/t.dat" -d "$tmp/i.db")
rate import "$n" "$ours"
if [ -x "$peer" ]; then
	theirs=$(best : "$peer" "$tmp/t.dat")
	rate libtracecmd "$n" "$theirs"
	ratio import_to_libtracecmd "$theirs" "$ours"
fi
if command -v trace-cmd >/dev/null; then
	start=$(date +%s%N)
	trace-cmd report "$tmp/t.dat" >/dev/null 2>&1
	report=$((($(date +%s%N) - start) / 1000000))
	rate trace-cmd_report "$n" "$report"
	ratio import_to_report "$report" "$ours"
fi
export_ms=$(best : "$zsr" export t -o "$tmp/t2.dat" -d "$tmp/t.db")
rate export "$n" "$export_ms"
if [ -x /usr/bin/time ]; then
	fresh
	/usr/bin/time -f 'import_rss %M KB' "$zsr" import "$tmp/t.dat" \
		-d "$tmp/i.db" 2>&1 >/dev/null
fi

# ---- size: ten copies less one, over nine times the calls

$zsr synth munmap --size 1M --procs 1 --name x -d "$tmp/x.db" >/dev/null
$zsr rm x -d "$tmp/x.db" >/dev/null
echo "empty_database $(bytes "$tmp/x.db") bytes"
for dir in "$shared"/captures/s* samples/*/; do
	file=$dir
	[ -f "$dir/trace.dat" ] && file=$dir/trace.dat
	fresh
	$zsr import "$file" --name t -d "$tmp/i.db" >/dev/null 2>&1 || continue
	one=$(bytes "$tmp/i.db")
	for _ in 2 3 4 5 6 7 8 9 10; do
		$zsr import "$file" --force --name t -d "$tmp/i.db" >/dev/null
	done
	ten=$(bytes "$tmp/i.db")
	$zsr sql "select nr_mallocs + nr_frees, has_dur from trace limit 1" \
		--csv -d "$tmp/i.db" | tail -n 1 | tr , ' ' | {
		read -r calls has_dur
		awk "BEGIN { printf \"bytes_per_call %.2f bytes (%s, %s)\n\",
			($ten - $one) / 9 / $calls,
			$has_dur ? \"durations\" : \"no durations\",
			\"$(basename "$dir")\" }"
	}
done
