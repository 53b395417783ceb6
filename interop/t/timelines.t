#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr export to timelines: of a trace and of a run, Chrome JSON and Perfetto's
# protobuf have as many slices, instants and values as the database says.
set -u
. tests/tap.sh

answer() { $zsr sql "$1" --csv | tail -n 1; }
quiet() { ! [ -s "$tmp/err" ]; }
counted() { answer "select count(*) from zsr_event e join trace t
	on t.id = e.trace where t.name = '$1' and $2"; }

cd "$tmp" || exit 1
$zsr import "$sample" --name exit >out

# of FILE PHASE: how many events of the phase; and NUMBER of Perfetto's type,
# from bytes that protoc knows no names for
of() { sqlite3 :memory: "select count(*) from
	json_each(readfile('$1'), '\$.traceEvents') where value->>'ph' = '$2'"; }
typed() { protoc --decode_raw <"$1" | grep -c "^    9: $2\$"; }
in_json() { sqlite3 :memory: "select json_extract(readfile('$1'), '\$.$2')"; }

$zsr replay exit --policy sync,deferred >out 2>&1
released=$(answer "select count(*) from run_release where run = 2")
busy=$(answer "select count(*) from zsr_run_point where run in (2)
	and key = 'grid.busy' and value > 0")
points=$(answer "select sum(count) from run_data where run = 2
	and key like 'series.%'")

for one in exit '#2'; do
	f=t${one#\#}
	ok "$one: to Chrome JSON" exits 0 $zsr export "$one" -o $f.json
	ok "$one: nothing is missing" quiet
	ok "$one: to Perfetto" exits 0 $zsr export "$one" -o $f.pftrace
	ok "$one: nothing is missing" quiet
	ok "$one: on a pipe, by name" sh -c "
		$zsr export '$one' --format chrome | cmp - $f.json &&
		$zsr export '$one' --format perfetto | cmp - $f.pftrace"
done
ok "the other ending" exits 0 $zsr export exit -o t.perfetto-trace
ok "is the same format" cmp t.perfetto-trace texit.pftrace
ok "a slice a call with a duration" is "$(of texit.json X)" \
	"$(counted exit 'dur_ns > 0')"
ok "an instant for anything else" is "$(of texit.json i)" \
	"$(counted exit 'dur_ns = 0')"
ok "live bytes at every malloc and free" is "$(of texit.json C)" \
	"$(counted exit "kind in ('malloc', 'free') and obj is not null")"
ok "of this digest" is "$(in_json texit.json otherData.digest)" \
	"$(answer "select digest from trace where name = 'exit'")"
ok "a slice a release, and a kind of work in a column" is "$(of t2.json X)" \
	"$((released + busy))"
ok "every point of the series" is "$(of t2.json C)" "$points"
ok "of this digest" is "$(in_json t2.json otherData.digest)" \
	"$(answer "select digest from run where id = 2")"
for f in texit t2; do
	ok "$f: Perfetto has as many begins" is "$(typed $f.pftrace 1)" \
		"$(of $f.json X)"
	ok "$f: and ends" is "$(typed $f.pftrace 2)" "$(of $f.json X)"
	ok "$f: and instants, and one with the facts" is \
		"$(typed $f.pftrace 3)" "$(($(of $f.json i) + 1))"
	ok "$f: and values" is "$(typed $f.pftrace 4)" "$(of $f.json C)"
done
cat >across.txt <<'END'
# tracer: nop
#
 a-1 [000] ..... 1.000000: zs_malloc: (zs_malloc+0x0/0x1) pool=0x1 size=9 gfp=0x0
 a-1 [000] ..... 1.000009: zs_malloc_ret: (x+0x0/0x1 <- zs_malloc) handle=0x10
 a-1 [000] ..... 2.000000: zs_free: (zs_free+0x0/0x1) pool=0x1 handle=0x10
 a-1 [000] ..... 2.000005: zs_malloc: (zs_malloc+0x0/0x1) pool=0x1 size=9 gfp=0x0
 a-1 [000] ..... 2.000008: zs_malloc_ret: (x+0x0/0x1 <- zs_malloc) handle=0x20
 a-1 [000] ..... 2.000010: zs_free_ret: (x+0x0/0x1 <- zs_free)
END
$zsr import across.txt >out
ok "a call within another" exits 0 $zsr export across -o across.json
ok "is named" complains '1 calls are no slices but instants'
ok "and no slice" is "$(of across.json X) $(of across.json i)" "2 1"

# ---- mistakes

ok "no such run" exits 3 $zsr export '#99' -o x.json
ok "no file then" test ! -e x.json
ok "a run has no calls" exits 2 $zsr export '#2' -o x.csv
ok "nor records" exits 2 $zsr export 2 --format trace.dat
if [ -w /dev/full ]; then
	ok "a full disk" exits 4 $zsr export exit --format chrome -o /dev/full
	ok "a full disk" exits 4 $zsr export 2 --format perfetto -o /dev/full
fi
plan
