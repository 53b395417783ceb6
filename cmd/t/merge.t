#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr merge: traces and runs of others are added with everything that belongs to
# them, what is there already is not, all or nothing.
set -u
. tests/tap.sh

says() { grep -q -x -e "$1" "$tmp/out"; }
answer() { $zsr sql "$1" --csv -d "$2" | tail -n +2; }
# same QUERY DB QUERY DB
same() {
	answer "$1" "$2" >one
	answer "$3" "$4" >two
	[ -s one ] && diff one two
}

cd "$tmp" || exit 1
synth() { $zsr synth munmap --size "$3" --procs 2 --seed 1 --name "$2" -d "$1" >out; }
$zsr import "$sample" --name exit -d a.db >out
synth a.db small 2M
$zsr replay exit --policy sync,deferred -d a.db >out
synth b.db exit 4M
synth b.db little 2M
$zsr replay exit --policy class-idx -d b.db >out
$zsr replay little --policy sync -d b.db >out
cp a.db a.keep
cp b.db b.keep

ok "into a new database" exits 0 $zsr merge a.db b.db -d c.db
ok "an added trace is told" says "a.db: 'exit' added"
ok "a name that is taken" says "b.db: 'exit' added as 'exit-2'"
ok "a trace that is there already" says \
	"b.db: 'little' is there already, as 'small'"
ok "and the sum" says 'added: 3 traces, 4 runs; there already: 1 trace, 0 runs'
ok "the result is sound" exits 0 $zsr fsck c.db
ok "runs are renamed with their traces" same \
	"select id, trace_name, policy from run order by id" c.db \
	"select 1, 'exit', 'sync' union all select 2, 'exit', 'deferred'
	union all select 3, 'exit-2', 'class-idx' union all
	select 4, 'small', 'sync'" c.db
for t in exit small; do
	for table in task pool mark trace_meta; do
		ok "$t: $table is whole" same \
			"select x.* from $table x join trace t on t.id = x.trace
			where t.name = '$t' order by 2" a.db \
			"select x.* from $table x join trace t on t.id = x.trace
			where t.name = '$t' order by 2" c.db
	done
done 2>/dev/null
ok "exit: odd is whole" same "select key, value from odd" a.db \
	"select key, value from odd" c.db
ok "its row is too" same "select * from trace where name = 'exit'" a.db \
	"select * from trace where name = 'exit'" c.db
ok "events too" same \
	"select * from zsr_event e join trace t on t.id = e.trace
	where t.name = 'exit' limit 2000" a.db \
	"select * from zsr_event e join trace t on t.id = e.trace
	where t.name = 'exit' limit 2000" c.db
ok "runs too" same "select policy, params, profile, seed, digest, stored_s,
	zsr_version from run where id = 2" a.db "select policy, params, profile,
	seed, digest, stored_s, zsr_version from run where id = 2" c.db
ok "the others are untouched" sh -c 'cmp a.db a.keep && cmp b.db b.keep'
ok "once more adds nothing" exits 0 $zsr merge a.db b.db -d c.db
ok "and says so" says \
	'added: 0 traces, 0 runs; there already: 4 traces, 4 runs'
ok "into itself too" exits 0 $zsr merge c.db -d c.db
ok "still sound" exits 0 $zsr fsck c.db

# ---- runs whose trace is gone

cp a.db gone.db
$zsr rm exit --keep-runs -d gone.db >out
ok "a run without its trace" exits 0 $zsr merge gone.db -d d.db
ok "stays without" same "select count(*) from run where trace is null" d.db \
	"select 2" d.db
ok "and finds it where it is" exits 0 sh -c "$zsr import '$sample' --name e \
	-d e.db && $zsr merge gone.db -d e.db"
ok "under its name there" same \
	"select trace, trace_name from run" e.db \
	"select id, name from trace where name = 'e' union all
	select id, name from trace where name = 'e'" e.db

# ---- all or nothing

cp c.db keep.db
cp b.db bad.db
sqlite3 bad.db "UPDATE chunk SET xxh3 = xxh3 + 1 WHERE trace = 2"
synth new.db new 1M
cp new.db new.keep
ok "a damaged one is refused" exits 3 $zsr merge new.db bad.db -d c.db
ok "the fault is named" complains "zsr merge: bad.db: trace 'little': chunk 0: its \
checksum is wrong (\`zsr fsck\` tells all)"
ok "nothing of the others was added" same "select name from trace" c.db \
	"select name from trace" keep.db
ok "one that is not there" exits 3 $zsr merge new.db none.db -d c.db
ok "one that is no database" exits 3 $zsr merge "$sample" -d c.db
ok "a new one is not made by a failure" sh -c \
	"! $zsr merge none.db -d f.db && ! [ -e f.db ]"
ok "nothing named" exits 2 $zsr merge -d c.db
plan
