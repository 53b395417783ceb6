#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The shared captures of real kernels: each is imported with the calls that its
# probes counted and nothing odd but what is known of it. (What the kernel held at
# each mark: judge/t/judge.t.)
set -u
. tests/tap.sh

dir=${ZSR_SHARED:-../shared}/captures
if [ ! -d "$dir" ]; then
	echo "1..0 # SKIP no shared captures in $dir (ZSR_SHARED)"
	exit 77
fi
export ZSR_DB="$tmp/t.db"

sql() {
	$zsr sql --csv "$1" | tail -n +2
}

# What an import found, but for records: "live_at_end=60 lost=3".
odd() {
	sql "select group_concat(key || '=' || value, ' ') as v from
		(select key, value from odd join trace on id = trace
		 where name = '$1' and key <> 'records' order by key)"
}

# name, file, records, mallocs, frees, seen from empty, odd counts
while IFS='|' read -r name file records mallocs frees empty odd; do
	[ -n "$name" ] || continue
	$zsr import --times emulated --name "$name" "$dir/$file" \
		>"$tmp/out" 2>"$tmp/err"
	result $? "$file is imported"
	got=$(sql "select o.value || '|' || nr_mallocs || '|' || nr_frees ||
		'|' || from_empty as v from trace join odd o on trace = id and
		key = 'records' where name = '$name'")
	[ "$got" = "$records|$mallocs|$frees|$empty" ] || echo "$got" >>"$tmp/out"
	[ "$got" = "$records|$mallocs|$frees|$empty" ]
	result $? "$name: records, mallocs, frees, seen from empty"
	[ "$(odd "$name")" = "$odd" ] || odd "$name" >>"$tmp/out"
	[ "$(odd "$name")" = "$odd" ]
	result $? "$name: ${odd:-nothing} odd"
done <<EOF
s01|s01-deb61-4k/trace.dat|14995|3777|3717|1|live_at_end=60
s01t|s01-deb61-4k/trace.txt|14995|3777|3717|1|live_at_end=60
s02|s02-deb612-4k-raw|15419|3868|3837|1|live_at_end=31
s03|s03-deb612-16k/trace.dat|11162|2809|2768|1|live_at_end=41
s04|s04-deb73-4k/trace.dat|15182|3794|3793|1|live_at_end=1
s05|s05-oracle-4k/trace.dat|30750|5985|5962|1|live_at_end=23
s06|s06-oracle-16k/trace.dat|20272|3963|3915|1|live_at_end=48
s07|s07-deb618-fprobe/trace.dat|11387|3794|3793|1|live_at_end=1
s08|s08-oracle-4k-smp4-compact/trace.dat|37986|7499|7372|1|live_at_end=127
s09|s09-oracle-4k-compact/trace.dat|21464|4091|4072|1|live_at_end=19
s10o|s10-lost-events/overwrite|2082|0|1041|0|lost=12914 orphan_frees=1041
s10n|s10-lost-events/nooverwrite|1921|960|0|0|live_at_end=960 lost=13075 malloc_no_return=1
s10s|s10-lost-events/overwrite_stream|14996|3749|3749|0|
s10d|s10-lost-events/tracecmd-extract/trace.dat|2089|0|1042|0|free_no_entry=1 lost=12914 orphan_frees=1042
s14|s14-tracecmd-record/trace.dat|22588|5647|5647|0|
s15|s15-oracle-x86_64|20278|3971|3908|1|live_at_end=63
s16|s16-raspi3b|22590|5647|5647|0|
EOF

# A look at another clock of the same buffer: text is rounded, not reordered.
got=$(sql "select count(*) as v from (select a.kind k, a.obj o, a.size s,
	abs(a.t_ns - b.t_ns) d from
	(select row_number() over () r, * from zsr_event where trace =
		(select id from trace where name = 's01')) a join
	(select row_number() over () r, * from zsr_event where trace =
		(select id from trace where name = 's01t')) b using (r)
	where a.kind = b.kind and a.obj is b.obj and a.size is b.size and d <= 1000)")
[ "$got" = 7500 ] || echo "$got of 7500 events agree" >"$tmp/err"
[ "$got" = 7500 ]
result $? "s01: trace.dat and text give the same events"

# Small: bytes a call with everything that is stored of a capture.
bytes=$(sql "select cast(sum(length(data)) as real) / sum(mallocs + frees)
	as v from chunk join trace on trace.id = chunk.trace and has_dur")
[ "${bytes%%.*}" -le 4 ] || echo "$bytes bytes a call" >"$tmp/err"
[ "${bytes%%.*}" -le 4 ]
result $? "chunks take $bytes bytes a call"
plan
