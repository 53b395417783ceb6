#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr why: each figure's queries work as they are printed, and their rows are
# what the figure shows; zsr_run_point has what a run holds.
set -u

zsr=${ZSR:-zsr}
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
n=0
failed=0
check() { # status, description
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		head -20 "$t/out" "$t/err" | sed 's/^/# /'
	fi
}
fails() { # exit status wanted, text wanted on stderr, command...
	want=$1 text=$2
	shift 2
	"$@" >"$t/out" 2>"$t/err"
	got=$?
	shift
	[ $got = "$want" ] && grep -q -e "$text" "$t/err"
	check $? "exit $want, says '$text': $*"
}
# one number of a query's answer
ask() { $zsr sql --csv "$1" | tail -1; }

export ZSR_DB="$t/zsr.db"
: >"$t/out"
: >"$t/err"
$zsr synth munmap --size 4M --procs 2 --seed 1 --name m >"$t/out" &&
	$zsr replay m --policy sync,deferred >"$t/out"
check $? "two runs"
for g in 1 2 3 4 5 6 7 8 9 10 11 12; do
	$zsr why g$g >"$t/out" 2>"$t/err" && grep -q "^-- g$g .*, m$" "$t/out" &&
		grep -q '^SELECT .*(1,2).*;$' "$t/out" &&
		$zsr why g$g --queries | grep '^SELECT' | sed 's/;$//' >"$t/queries"
	check $? "g$g has queries"
	# Printed alone they give the same rows.
	while read -r q; do
		$zsr sql "$q" || echo "fails"
	done <"$t/queries" >"$t/rows" 2>&1
	grep -v '^-- \|^SELECT\|^$' "$t/out" | cmp -s - "$t/rows"
	check $? "and they give its rows"
done

[ "$(ask "select sum(value) from zsr_run_point where run = 1 and
	key = 'hist.release'")" = "$(ask "select value from run_values
	where run = 1 and key = 'frees'")" ]
check $? "the histogram holds every free"
[ "$(ask "select sum(value) from zsr_run_point where run = 2 and
	key = 'grid.latency'")" = "$(ask "select value from run_values
	where run = 2 and key = 'frees'")" ]
check $? "the map holds every free"
[ "$(ask "select max(value) from zsr_run_point where run = 2 and
	key = 'series.queue_depth'")" = "$(ask "select value from run_values
	where run = 2 and key = 'queue_peak'")" ]
check $? "the series has its peak"
[ "$(ask "select count(*) from zsr_run_point where run = 77")" = 0 ]
check $? "a run there is not has no points"
fails 2 'no query solution' "$zsr" sql 'select * from zsr_run_point'
fails 2 'which figure' "$zsr" why
fails 2 'one figure' "$zsr" why g1,g2
fails 2 'no figure' "$zsr" why g13
fails 3 4711 "$zsr" why g2 4711
echo "1..$n"
exit $failed
