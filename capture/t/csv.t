#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# CSV and the output of capture/zsr.bt: what zsr export writes comes in again as
# the same trace; columns in any order; damage is named by its line; losses are
# counted; lines of several CPUs are put in order.
set -u
. tests/tap.sh
cd "$tmp" || exit 1

answer() { $zsr sql "$1" --csv -d "$2" | tail -n 1; }
fresh() { rm -f a.db; $zsr import -d a.db --name a "$@" >out 2>err; }
gives() { [ "$(answer "$1" a.db)" = "$2" ]; }
same() {
	fresh "$2" && [ "$(answer "select digest from trace" a.db)" = \
		"$(answer "select digest from trace where name = '$1'" zsr.db)" ]
}

# ---- there and back

$zsr import "$top"/samples/exit-6.12-arm64-4cpu/trace.dat --name exit >out
$zsr synth munmap --size 4M --procs 3 --seed 1 --name syn >out
cat >lost.txt <<'END'
# tracer: nop
#
# entries-in-buffer/entries-written: 4/10   #P:2
 a, "b"-1 [000] ..... 1.000000: zs_malloc_done: (0 <- zs_malloc) handle=0x10 size=9 pool=0x1
 a, "b"-1 [000] ..... 1.000001: tracing_mark_write: one, "two"
 a, "b"-1 [000] ..... 1.000002: zs_free: (zs_free+0x0/0x1) handle=0x30 pool=0x1
 c-2 [001] ..... 1.000002: zs_malloc_done: (0 <- zs_malloc) handle=0x20 size=9 pool=0x2
END
$zsr import lost.txt --name lost >out
for t in exit syn lost; do
	ok "$t: to CSV" exits 0 $zsr export $t -o $t.csv
	ok "$t: imported again it is the same" same $t $t.csv
	ok "$t: as is what was odd" is \
		"$($zsr sql "select key, value from odd where key <> 'records'
			order by key" --csv -d a.db)" \
		"$($zsr sql "select key, value from odd where key <> 'records'
			and trace = (select id from trace where name = '$t')
			order by key" --csv)"
	ok "$t: fsck agrees" $zsr fsck -q a.db
	ok "$t: from a pipe" sh -c \
		"$zsr import -d p.db --force - <$t.csv >out"
	awk -F, 'NR == 1 || $7 != "fact"' $t.csv >bare.csv
	ok "$t: without facts it is a trace" fresh bare.csv
done

# ---- calls, columns in any order

cat >calls.csv <<'END'
kind;size;handle;cpu;comm;pid;t_ns;dur_ns
malloc;100;0xffff000011112222;0;sh;5;1000;40
malloc;4096;0xffff000011113333;1;"a ""b"";c";6;1500;
free;;0xffff000011112222;0;sh;5;2000;30
lost;;;1;;;2100;
free;;0xffff000011114444;1;x;6;2200;
END
ok "a CSV of another program" fresh calls.csv
ok "has its calls" gives "select nr_mallocs || ' ' || nr_frees from trace" "2 2"
ok "their durations" gives \
	"select group_concat(dur_ns, '-') from zsr_event" 40-0-30-0
ok "and names" gives "select comm from task where pid = 6" x
ok "an object nobody made is an orphan" gives \
	"select value from odd where key = 'orphan_frees'" 1
ok "and a loss without a number is one" gives \
	"select value from odd where key = 'lost_unknown'" 1
ok "no address is kept" sh -c '! LC_ALL=C grep -qai ffff0000 a.db'
printf 'time,kind,size,handle\n1.5,malloc,9,1\n1.500000001,free,,1\n' >t.csv
ok "times in seconds" fresh t.csv
ok "are ns" gives "select duration_ns from trace" 1

# ---- what capture/zsr.bt prints: CPUs in bursts, losses between

cat >bt.txt <<'END'
Attaching 6 probes...
t_ns,kind,cpu,pid,pool,handle,size,dur_ns,comm
100,M,0,7,0x1,0x10,64,10,"swap"
400,F,0,7,0x1,0x20,0,0,"swap"
Lost 12 events
300,M,1,8,0x1,0x20,128,10,"kworker/1:2"
410,f,0,7,0,0,0,0,"swap"
500,F,1,8,0x1,0x10,0,0,"kworker/1:2"

END
ok "the output of capture/zsr.bt" fresh bt.txt
ok "is in order, so nothing is odd but the loss" is "$(answer "select
	group_concat(key || value, '-') from odd where key not in ('records',
	'free_no_return')" a.db)" lost12
ok "a return gives its duration" gives \
	"select dur_ns from zsr_event where kind = 'free' limit 1" 10
header=$(sed -n 's/.*printf("\(t_ns,[a-z_,]*\)\\n.*/\1/p' "$top/capture/zsr.bt")
ok "its header is the script's" is "$(sed -n 2p bt.txt)" "$header"

# ---- damage: line and reason, and no trace

head=t_ns,kind,cpu,pid,handle,size
refused() { # what, message, lines
	title=$1 reason=$2
	shift 2
	printf '%s\n' "$@" >bad.csv
	ok "$title" exits 3 $zsr import -d bad.db bad.csv
	ok "$title: one line says why" complains "bad.csv: .*$reason"
	ok "$title: no database is left" test ! -e bad.db
}
refused "no size" "line 1: header: no column size" t_ns,kind,handle 1,malloc,1
refused "no kind" "no column kind" t_ns,size,handle 1,2,1
refused "no time" "no column t_ns" kind,size,handle malloc,2,1
refused "no handle" "no column handle" t_ns,kind,size 1,malloc,1
refused "an unknown column" "unknown column 'colour'" $head,colour 1
refused "a column twice" "two columns are pid ('tid' is the second)" $head,tid 1
refused "obj and handle" "both obj and handle" $head,obj,task 1
refused "slot without obj" "slot needs obj" $head,slot 1
refused "letters" "line 2: column size: '9x' is no number" $head 1,malloc,0,1,5,9x
refused "a negative size" "column size: '-9'" $head 1,malloc,0,1,5,-9
refused "a large size" "line 3: column size" $head 1,malloc,0,1,5,9 \
	1,malloc,0,1,6,4294967296
refused "a large cpu" "column cpu: '1024' is no number of at most 1023" \
	$head 1,malloc,1024,1,5,9
refused "a number of 65 bits" "column handle" $head \
	1,malloc,0,1,0x11112222333344445,9
refused "a kind nobody knows" "column kind: unknown 'mallok'" $head 1,mallok,0,1,5,9
refused "no time in a row" "column t_ns is empty" $head ,malloc,0,1,5,9
refused "a field too many" "line 2: 7 fields, its header has 6" $head 1,malloc,0,1,5,9,
refused "a field too few" "5 fields" $head 1,malloc,0,1,5
refused "an open quote" "misplaced quotes" $head '1,malloc,0,1,5,"9'
refused "a quote in the middle" "misplaced quotes" $head '1,malloc,0,1,5,"9"9'
refused "no row" "holds no event" $head
refused "no call" "no whole call" $head 1,mark,0,1,,
events=t_ns,kind,task,obj,size,pool,flags,text
refused "objects out of number" "mallocs number their objects from 0, this is 0" \
	$events 1,malloc,0,1,9,0,0,
refused "a free before its malloc" "no malloc of 0 came before" \
	$events 1,free,0,0,,0,0,
refused "a free twice" "not alive" $events 1,malloc,0,0,9,0,0, \
	2,free,0,0,,0,0, 3,free,0,0,,0,0,
refused "tasks out of number" "column: task: 1 before 0" $events 1,malloc,1,0,9,0,0,
refused "too large a pool" "column pool" $events 1,malloc,0,0,9,65535,0,
refused "a malloc no pool takes" "no pool takes" $events 1,malloc,0,0,65537,0,0,
refused "facts out of order" "fact zsr.task.3: out of order" $events \
	,fact,,,,,,zsr.task.3=5_x
refused "a fact of nothing" "no KEY=VALUE" $events ,fact,,,,,,x

# ---- cut anywhere: an error, or --partial

head -c 3000 syn.csv >cut.csv
ok "cut in a line" exits 3 $zsr import -d bad.db cut.csv
ok "is said" complains 'truncated: the last line has no end'
ok "--partial takes what is whole" fresh --partial cut.csv
ok "and says so" gives "select count(*) from meta where key = 'partial'" 1
for bytes in 1 40 88 100 200 900; do
	head -c $bytes syn.csv >cut.csv
	ok "the first $bytes bytes are refused" exits 3 $zsr import -d bad.db cut.csv
done
plan
