#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr why: each figure's queries work as they are printed, and their rows are
# what the figure shows; zsr_run_point has what a run holds.
set -u
. tests/tap.sh

# one number of a query's answer
ask() { $zsr sql --csv "$1" | tail -1; }

export ZSR_DB="$tmp/zsr.db"
: >"$tmp/out"
: >"$tmp/err"
$zsr synth munmap --size 4M --procs 2 --seed 1 --name m >"$tmp/out" &&
	$zsr replay m --policy sync,deferred >"$tmp/out"
result $? "two runs"
for g in 1 2 3 4 5 6 7 8 9 10 11 12; do
	$zsr why g$g >"$tmp/out" 2>"$tmp/err" && grep -q "^-- g$g .*, m$" "$tmp/out" &&
		grep -q '^SELECT .*(1,2).*;$' "$tmp/out" &&
		$zsr why g$g --queries | grep '^SELECT' | sed 's/;$//' >"$tmp/queries"
	result $? "g$g has queries"
	# Printed alone they give the same rows.
	while read -r q; do
		$zsr sql "$q" || echo "fails"
	done <"$tmp/queries" >"$tmp/rows" 2>&1
	grep -v '^-- \|^SELECT\|^$' "$tmp/out" | cmp -s - "$tmp/rows"
	result $? "and they give its rows"
done

[ "$(ask "select sum(value) from zsr_run_point where run = 1 and
	key = 'hist.release'")" = "$(ask "select value from run_values
	where run = 1 and key = 'frees'")" ]
result $? "the histogram holds every free"
[ "$(ask "select sum(value) from zsr_run_point where run = 2 and
	key = 'grid.latency'")" = "$(ask "select value from run_values
	where run = 2 and key = 'frees'")" ]
result $? "the map holds every free"
[ "$(ask "select max(value) from zsr_run_point where run = 2 and
	key = 'series.queue_depth'")" = "$(ask "select value from run_values
	where run = 2 and key = 'queue_peak'")" ]
result $? "the series has its peak"
[ "$(ask "select count(*) from zsr_run_point where run = 77")" = 0 ]
result $? "a run there is not has no points"
fails 2 'no query solution' "$zsr" sql 'select * from zsr_run_point'
fails 2 'which figure' "$zsr" why
fails 2 'one figure' "$zsr" why g1,g2
fails 2 'no figure' "$zsr" why g13
fails 3 4711 "$zsr" why g2 4711
plan
