#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Compares `zsr engine` with all of the oracle data: every row of its manifest
# by the digests of the five files, every row of the class tables. Takes the
# oracle's directory, else finds it in $ZSR_SHARED or ../shared. With --once
# kernels whose results are known to be the same are not all run.
set -eu

once=
if [ "${1:-}" = --once ]; then
	once=1
	shift
fi
top=$(cd "$(dirname "$0")/.." && pwd)
data=${1:-${ZSR_SHARED:-$top/../shared}/fixtures/zsmalloc}
zsr=${ZSR:-zsr}
if ! [ -f "$data/manifest.csv" ]; then
	echo "check-engine: no oracle data in $data, skipped"
	exit 77
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0 runs=0 files=0 rows=0

digest() {
	sha256sum <"$1" | cut -d' ' -f1
}

# file name, expected digest
compare() {
	files=$((files + 1))
	rows=$((rows + $(wc -l <"$tmp/out/$1") - 1))
	[ "$(digest "$tmp/out/$1")" = "$2" ] && return
	echo "$seq, kernel $k, page size $page chain $chain: $1 differs"
	bad=$((bad + 1))
}

# also_in: kernels that gave the same files for this row
# shellcheck disable=SC2034 # all columns have names
while IFS=, read -r seq kernel page chain also_in dir every stored ops \
	mallocs frees compacts zspages peak final alloc used freeable moved \
	compacted events checkpoints compact placement moves; do
	[ "$seq" = sequence ] && continue
	[ "$once" ] && also_in=
	for k in $kernel $also_in; do
		"$zsr" engine run "$data/seq/$seq.csv.gz" --kernel "$k" \
			--page-size "$page" --chain-size "$chain" \
			--checkpoint-every "$every" -o "$tmp/out"
		compare events.csv "$events"
		compare checkpoints.csv "$checkpoints"
		compare compact.csv "$compact"
		compare placement.csv "$placement"
		compare moves.csv "$moves"
		runs=$((runs + 1))
	done
done <"$data/manifest.csv"
echo "$runs runs: $files files of $rows rows compared, $bad differ"

head -1 "$data/class_tables.csv" >"$tmp/tables"
for pool in $(tail -n +2 "$data/class_tables.csv" | cut -d, -f1-3 | uniq); do
	IFS=, read -r kernel page chain <<EOF
$pool
EOF
	"$zsr" engine tables --kernel "$kernel" --page-size "$page" \
		--chain-size "$chain" | tail -n +2 >>"$tmp/tables"
done
if cmp "$tmp/tables" "$data/class_tables.csv"; then
	echo "class tables: $(wc -l <"$tmp/tables") lines identical"
else
	bad=$((bad + 1))
fi
[ "$bad" = 0 ]
