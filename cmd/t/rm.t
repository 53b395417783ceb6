#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr rm: traces and runs go, all or nothing; a trace with runs is refused; the
# file becomes smaller; what is left is sound.
set -u
. tests/tap.sh

sql() { # QUERY ANSWER
	got=$($zsr sql "$1" --csv | tail -n 1)
	[ "$got" = "$2" ] || { echo "$got, not $2"; return 1; }
}
smaller() { # than BYTES
	size=$(wc -c <zsr.db)
	[ "$size" -lt "$1" ] || { echo "$size bytes"; return 1; }
}

cd "$tmp" || exit 1
$zsr synth munmap --size 2M --procs 1 --seed 1 --name empty -d e.db >out
$zsr rm empty -d e.db >out
empty=$(wc -c <e.db)
for i in 1 2 3; do
	$zsr import "$sample" --force --name t$i >out
done
$zsr replay t1 --policy sync,deferred >out
$zsr replay t2 --policy sync >out
full=$(wc -c <zsr.db)

ok "a trace without runs goes" exits 0 $zsr rm t3
ok "it is told" says '^removed: 1 trace, 0 runs; [0-9.]* [KM]iB given back$'
ok "it is gone" sql "select count(*) from trace where name = 't3'" 0
ok "the file is smaller" smaller $((full - 60000))
ok "nothing lies about" test "$(ls zsr.db*)" = zsr.db

ok "a trace with runs is refused" exits 3 $zsr rm t1
ok "they are named" complains "trace 't1' has runs: #1, #2 (--force, --keep-runs)"
ok "all or nothing: refused beside a run" exits 3 $zsr rm 3 t1
ok "the run is there" sql "select count(*) from run where id = 3" 1
ok "all or nothing: no such trace" exits 3 $zsr rm 3 nobody
ok "it is named" complains "no trace 'nobody'"
ok "the run is still there" sql "select count(*) from run where id = 3" 1
ok "no such run" exits 3 $zsr rm '#9'
ok "it is named too" complains "there is no run #9"
ok "nothing named" exits 2 $zsr rm
ok "two ways at once" exits 2 $zsr rm t1 --force --keep-runs
ok "no database" exits 3 $zsr rm t1 -d none.db
ok "and none made" test ! -e none.db

ok "a run goes" exits 0 $zsr rm '#2'
ok "with all its rows" sql "select count(*) from run_value where run = 2" 0
ok "a trace goes with its runs" exits 0 $zsr rm t1 --force
ok "both told" says '^removed: 1 trace, 1 run;'
ok "no row of it is left" sql "select (select count(*) from chunk) =
	(select count(*) from chunk where trace = 2) and not exists
	(select 1 from task where trace = 1) and not exists
	(select 1 from run_data where run = 1)" 1
ok "what is left is sound" exits 0 $zsr fsck
ok "a trace goes without its run" exits 0 $zsr rm t2 --keep-runs
ok "the run can be compared" exits 0 $zsr compare 3
ok "and is sound" exits 0 $zsr fsck
ok "the last run goes" exits 0 $zsr rm 3
ok "and its profile" sql "select count(*) from profile" 0
ok "the file is as when it was new" smaller $((empty + 8192))
ok "a new run gets a new number" exits 0 sh -c \
	"$zsr synth munmap --size 2M --procs 1 --name n && $zsr replay n --policy sync"
ok "not one of those that are gone" sql "select id from run" 4

$zsr import "$sample" --name t -d old.db >out
sqlite3 old.db 'PRAGMA auto_vacuum = 0; VACUUM' >out
ok "without incremental vacuum" exits 0 $zsr rm t -d old.db
ok "the space that stays is told" says ', [0-9.]* [KM]iB in the file are free'
ok "and it is sound" exits 0 $zsr fsck old.db
plan
