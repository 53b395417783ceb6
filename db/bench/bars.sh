#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the store promises, measured beside its peers and held against the bar:
# one line each, "holds" or "FAILS" at its end, numbers alone where there is no
# bar. The file imported is a synthetic trace of $ZSR_BENCH_RECORDS (10 million)
# records as trace.dat; it goes in, and libtracecmd iterates over it, in turn,
# five times each, the best counts. Bars in absolute numbers want an idle machine;
# ratios do with less.
set -eu

zsr=$ZSR_BUILD/zsr
bench=$ZSR_BUILD/db/bench
peer=$ZSR_BUILD/capture/bench/peer
records=${ZSR_BENCH_RECORDS:-10000000}
events=${ZSR_BENCH_EVENTS:-50000000}
shared=${ZSR_SHARED:-../shared}
top=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset ZSR_DB

# bar WHAT VALUE UNIT [OP LIMIT]
bar() {
	awk -v what="$1" -v v="$2" -v unit="$3" -v op="${4-}" -v lim="${5-}" '
	BEGIN {
		line = sprintf("%-34s %9.2f %s", what, v, unit)
		if (op == "") {
			print line
			exit
		}
		good = op == ">=" ? v + 0 >= lim + 0 : v + 0 <= lim + 0
		printf "%-60s %-7s %s\n", line, op " " lim,
			good ? "holds" : "FAILS"
	}'
}

# took COMMAND...: its milliseconds
took() {
	start=$(date +%s%N)
	"$@" >/dev/null 2>&1
	echo $((($(date +%s%N) - start) / 1000000))
}
least() { [ -n "$1" ] && [ "$1" -le "$2" ] && echo "$1" || echo "$2"; }
over() { awk "BEGIN { print $1 / $2 }"; }
value() { awk -v k="$1" '$1 == k { print $2 }' "$2"; }
fresh() { rm -f "$tmp"/i.db*; }
bytes() { cat "$1" "$1-wal" 2>/dev/null | wc -c; }

# ---- time: in a synthetic trace a malloc is two records, a free is one

$zsr synth munmap --size $((records / 12 * 4))K --procs 4 --seed 1 --name t \
	-d "$tmp/t.db" >/dev/null
$zsr export t -o "$tmp/t.dat" -d "$tmp/t.db"
n=$((records / 12 * 12))
ours='' theirs=''
for _ in 1 2 3 4 5; do
	fresh
	ours=$(least "$ours" "$(took "$zsr" import "$tmp/t.dat" -d "$tmp/i.db")")
	[ ! -x "$peer" ] ||
		theirs=$(least "$theirs" "$(took "$peer" "$tmp/t.dat")")
done
bar "import" "$(over $((n / 1000)) "$ours")" "M records/s" ">=" 4
if [ -x "$peer" ]; then
	bar "libtracecmd, nothing done" "$(over $((n / 1000)) "$theirs")" \
		"M records/s"
	bar "import / libtracecmd" "$(over "$theirs" "$ours")" "times" ">=" 0.5
else
	echo "(no libtracecmd)"
fi
if command -v trace-cmd >/dev/null; then
	report=$(took trace-cmd report "$tmp/t.dat")
	bar "trace-cmd report" "$(over $((n / 1000)) "$report")" "M records/s"
	bar "import / trace-cmd report" "$(over "$report" "$ours")" "times" \
		">=" 10
else
	echo "(no trace-cmd)"
fi
bar "export to trace.dat" "$(over $((n / 1000)) \
	"$(took "$zsr" export t -o "$tmp/t.dat" -d "$tmp/t.db")")" "M records/s"

# ---- reading

(cd "$tmp" && "$bench/read") >"$tmp/read"
bar "chunk decode" "$(value decode "$tmp/read")" "M calls/s" ">=" 60
bar "cursor" "$(value cursor "$tmp/read")" "M calls/s"
bar "the same events in memory" "$(value memory "$tmp/read")" "M calls/s"
bar "zsr_event, frees by SQL" "$(value sql_free "$tmp/read")" "M rows/s" ">=" 8
bar "SQLite on rows that cost nothing" "$(value sql_free_nothing "$tmp/read")" \
	"M rows/s"

# ---- memory

(cd "$tmp" && "$bench/memory" "$events") >"$tmp/memory"
bar "import, 1,048,576 objects live" \
	"$(value memory_1048576_live "$tmp/memory")" "MiB" "<=" 64
bar "import, 4,194,304 objects live" \
	"$(value memory_4194304_live "$tmp/memory")" "MiB" "<=" 64
if [ -x /usr/bin/time ]; then
	fresh
	/usr/bin/time -f %M -o "$tmp/rss" "$zsr" import "$tmp/t.dat" \
		-d "$tmp/i.db" >/dev/null
	bar "import of the file above" "$(over "$(cat "$tmp/rss")" 1024)" "MiB"
fi

# ---- size: ten copies less one, over nine times the calls

$zsr synth munmap --size 1M --procs 1 --name x -d "$tmp/x.db" >/dev/null
$zsr rm x -d "$tmp/x.db" >/dev/null
bar "empty database" "$(over "$(bytes "$tmp/x.db")" 1000)" "KB" "<=" 100

# store FILE [OPTION]: as trace t of i.db
store() {
	case $1 in
	*.zsrpack) how=unpack ;;
	*) how=import ;;
	esac
	file=$1
	shift
	"$zsr" $how "$file" "$@" --name t -d "$tmp/i.db" >/dev/null 2>&1
}

# size FILE NAME: bytes a call; small captures have no bar, as what they are about
# (facts, marks, the kernel's files) weighs more than their calls.
size() {
	fresh
	store "$1" || return 0
	one=$(bytes "$tmp/i.db")
	for _ in 2 3 4 5 6 7 8 9 10; do
		store "$1" --force
	done
	ten=$(bytes "$tmp/i.db")
	$zsr sql "select nr_mallocs + nr_frees, has_dur from trace limit 1" \
		--csv -d "$tmp/i.db" | tail -n 1 | tr , ' ' >"$tmp/calls"
	read -r calls has_dur <"$tmp/calls"
	limit="<= 4.5" without=
	[ "$has_dur" = 1 ] || limit="<= 3" without=", no dur."
	[ "$calls" -ge 2000 ] || limit=
	# shellcheck disable=SC2086 # an operator and a number, or nothing
	bar "$2$without" "$(over $((ten - one)) $((9 * calls)))" "bytes a call" \
		$limit
	"$bench/columns" "$tmp/i.db" >"$tmp/columns"
	echo "    $(grep 'all columns' "$tmp/columns" | tr -s ' ')"
}

# The trace of i.db, the same with its durations dropped, to nodur.csv.
drop_durations() {
	rm -f "$tmp/nodur.csv"
	"$zsr" export t -d "$tmp/i.db" -o "$tmp/dur.csv" >/dev/null 2>&1 ||
		return 0
	awk -F, -v OFS=, '!d { for (i = 1; i <= NF; i++) if ($i == "dur_ns") d = i
		print; next } $d { $d = 0 } { print }' "$tmp/dur.csv" >"$tmp/nodur.csv"
}

for dir in "$shared"/captures/s* "$shared"/captures/s10*/*/ "$top"/samples/*/; do
	file=$dir
	for inside in "$dir"/trace.dat "$dir"/*.zsrpack; do
		[ ! -f "$inside" ] || file=$inside
	done
	size "$file" "$(basename "$dir")"
	case $dir in
	"$shared"/*)
		drop_durations
		size "$tmp/nodur.csv" "$(basename "$dir")"
		;;
	esac
done
echo "least of a column: entropy of each number by itself; columns: db/bench/columns"
