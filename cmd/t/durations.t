#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Captures that tell how long calls took, but not of what: they come in, zsr info
# has the durations with and without the probes' cost, SQL and exports have them,
# and zsr replay says why it cannot.
set -u
. tests/tap.sh

shared=${ZSR_SHARED:-$top/../shared}/captures
export ZSR_DB="$tmp/t.db"

info() { # name, path, value
	$zsr info --json "$1" >"$tmp/out" 2>"$tmp/err"
	got=$(sqlite3 :memory: "select json_extract(readfile('$tmp/out'), '\$$2')")
	[ "$got" = "$3" ] || { echo "$2 is $got, not $3"; return 1; }
}

# ---- by hand: a pair of each, a zspage in a free, a munmap around it all

cat >"$tmp/hand.txt" <<'EOF'
# tracer: function_graph
#     TIME        CPU  TASK/PID         DURATION                  FUNCTION CALLS
   10.000000 |   0)    sh-10     |   0.300 us    |  zs_get_total_pages();
   10.000001 |   0)    sh-10     |   0.300 us    |  zs_get_total_pages();
   10.000002 |   0)    sh-10     |   0.340 us    |  zs_get_total_pages();
   10.000010 |   0)    wl-11     |               |  __vm_munmap() {
   10.000011 |   0)    wl-11     |   1.000 us    |    zs_free();
   10.000020 |   0)    wl-11     |               |    zs_free() {
   10.000021 |   0)    wl-11     |   2.000 us    |      __free_zspage();
   10.000024 |   0)    wl-11     |   5.000 us    |    }
   10.000030 |   0)    wl-11     | + 20.000 us   |  }
EOF
ok "function_graph text comes in" exits 0 $zsr import "$tmp/hand.txt"
ok "that it cannot be replayed is said" says \
	'^  replay   none, durations only (zsr info): its calls were recorded'
ok "calls of frees" info hand .durations.of.zs_free.calls 2
ok "as measured" info hand .durations.of.zs_free.raw_ns.max 5000
ok "less the median cost" info hand .durations.of.zs_free.net_ns.max 4700
ok "less no more than there is" info hand .durations.of.zs_free.net_ns.min 700
ok "zspages" info hand .durations.of.zspage.net_ns.max 1700
ok "what a release takes" info hand .durations.of.munmap.raw_ns.max 20000
ok "which cannot be corrected here" info hand .durations.of.munmap.net_ns ''
ok "the cost is that of the empty function" info hand .durations.cost.median_ns 300
ok "with its spread" info hand .durations.cost.p95_ns 340
ok "info as text" exits 0 $zsr info hand
ok "says where the cost is from" says \
	'^  the probes (function_graph): 300 ns in each, the median of 3 calls$'
ok "SQL has raw and net durations" exits 0 $zsr sql --csv "select e.dur_ns,
	e.dur_ns - m.value from zsr_event e join trace_meta m on
	m.trace = e.trace and m.key = 'cost.median_ns' where e.kind = 'free'"
ok "of each call" says '^1000,700$'
ok "SQL has releases by name" exits 0 $zsr sql --csv "select t.text, e.dur_ns
	from zsr_event e join mark t on t.trace = e.trace and t.nr = e.aux
	where e.kind = 'mark'"
ok "one of them" says '^munmap,20000$'
fails 3 'cannot be replayed: its calls were recorded without arguments' \
	$zsr replay hand --policy sync
ok "fsck" exits 0 $zsr fsck

# What a whole call costs is taken out of what it is in.
sed 's/__vm_munmap/exit_mmap/' "$tmp/hand.txt" >"$tmp/two.txt"
$zsr import --name two "$tmp/two.txt" >/dev/null
sqlite3 "$ZSR_DB" "insert into meta select id, 'cost.whole_ns', '1000', null,
	null from trace where name = 'two'"
ok "an inner call's whole cost is taken out" \
	info two .durations.of.zs_free.net_ns.max 3700
ok "and those of all calls out of a release" \
	info two .durations.of.exit_mmap.net_ns.max 17000

# ---- captures of real kernels

if [ ! -d "$shared/s18-calibration" ]; then
	echo "# no shared captures (set ZSR_SHARED)"
	plan
fi
for c in s17-fgraph s13-lttng-ctf; do
	ok "$c comes in" exits 0 $zsr import --times emulated "$shared/$c"
	ok "$c: no replay, it says" says '^  replay   none, durations only'
done
for c in s18-calibration/kp s18-calibration/fp; do
	ok "$c comes in" exits 0 $zsr import --times emulated "$shared/$c"
done
while read -r name path value; do
	ok "$name: $path is $value" info "$name" ".durations.$path" "$value"
done <<EOF
kp cost.median_ns 1360
kp of.zs_free.raw_ns.p50 2048
kp of.zs_free.net_ns.min 528
kp of.zs_free.net_ns.p50 688
kp of.zs_free.net_ns.p99 5520
fp cost.median_ns 1104
fp of.zs_free.net_ns.min 512
fp of.zs_free.net_ns.p50 672
s17-fgraph cost.median_ns 864
s17-fgraph of.zs_free.net_ns.min 304
s17-fgraph of.zs_free.net_ns.p50 480
s17-fgraph of.zs_free.net_ns.p99 5200
s13-lttng-ctf of.zs_free.calls 890
s13-lttng-ctf of.munmap.calls 1
EOF
ok "frees of what was never stored are no calls to play" \
	exits 0 $zsr replay kp --policy sync
ok "and their comparison" exits 0 $zsr compare kp
ok "says so" says '^No release was played: there is nothing to compare'
for format in csv ftrace trace.dat; do
	$zsr export kp --format $format -o "$tmp/kp.$format" 2>/dev/null
	$zsr import -d "$tmp/2.db" -f --name $format "$tmp/kp.$format" >/dev/null
	ok "$format has the same digest, and the cost" is \
		"$($zsr sql -d "$tmp/2.db" --csv "select digest, value from trace
		join trace_meta on trace = id and key = 'cost.median_ns'
		where name = '$format'" | tail -1)" \
		"$($zsr sql --csv "select digest, 1360 from trace
		where name = 'kp'" | tail -1)"
done
plan
