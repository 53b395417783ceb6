#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr export: what is imported again has the same digest, from trace.dat and
# from text, for synthetic and for captured traces; trace-cmd reads the file
# record for record; CSV has every event, and comes in again; what is not in the file is named.
set -u
. tests/tap.sh

shared=$(realpath "${ZSR_SHARED:-../shared}" 2>/dev/null)

answer() { $zsr sql "$1" --csv -d "$2" | tail -n 1; }
quiet() { ! [ -s "$tmp/err" ]; }

# same TRACE FILE: FILE imported is TRACE
same() {
	rm -f again.db
	$zsr import "$2" -d again.db --name a >/dev/null || return 1
	is "$(answer "select digest from trace" again.db)" \
		"$(answer "select digest from trace where name = '$1'" zsr.db)" &&
		$zsr fsck -q again.db
}

# Likewise after an export that has not said what it left out.
same_or_told() { complains '^zsr export: not in the file: ' || same "$@"; }

# reported FILE EVENT: how often trace-cmd shows it
reported() {
	trace-cmd report "$1" 2>/dev/null | grep -c " $2: "
}
counted() { answer "select count(*) from zsr_event e join trace t
	on t.id = e.trace where t.name = '$1' and $2" zsr.db; }

# Time, event and fields of lines; returns have their caller in another place.
short() {
	sed -e 's/^.*\] [.d]* *\([0-9.]*\): \([a-z_]*\):.*) *\(.*\)$/\1 \2 \3/' \
		-e '/_ret /s/ caller=.*//'
}

cd "$tmp" || exit 1
$zsr import "$top"/samples/exit-6.12-arm64-4cpu/trace.dat --name exit >out
$zsr synth munmap --size 8M --procs 3 --seed 1 --name syn >out

for t in exit syn; do
	ok "$t: to trace.dat" exits 0 $zsr export $t -o $t.dat
	ok "$t: nothing is missing" quiet
	ok "$t: imported again it is the same" same $t $t.dat
	ok "$t: to text" exits 0 $zsr export $t -o $t.txt
	ok "$t: imported again it is the same" same $t $t.txt
	ok "$t: trace.dat on a pipe" sh -c \
		"$zsr export $t --format trace.dat | cmp - $t.dat"
	ok "$t: text on a pipe" sh -c \
		"$zsr export $t --format ftrace | cmp - $t.txt"
	ok "$t: to CTF" exits 0 $zsr export $t -o $t.ctf
	ok "$t: nothing is missing" quiet
	ok "$t: imported again it is the same" same $t $t.ctf
	ok "$t: to CSV" exits 0 $zsr export $t -o $t.csv
	ok "$t: a line an event, and a header" is "$(grep -vc ,fact, $t.csv)" \
		"$(($(counted $t 1) + 1))"
	ok "$t: as many fields in each" is \
		"$(awk -F, '$7 != "fact" { print NF }' $t.csv | sort -u)" 17
	ok "$t: imported again it is the same" same $t $t.csv
	$zsr sql "select t_ns || ',' || dur_ns || ',' || cpu || ',' || task ||
		',' || pool || ',' || ifnull(obj, '') || ',' ||
		ifnull(size, '') || ',' || caller || ',,,' || ifnull(gfp, 0) ||
		',' || flags || ',' || ifnull(aux, 0) as x from zsr_event e
		join trace t on t.id = e.trace where t.name = '$t'" --csv |
		tail -n +2 | tr -d '"' >rows
	tail -n +2 $t.csv | grep -v ,fact, | cut -d, -f1-4,8-16 >fields
	ok "$t: the events are those of zsr_event" cmp rows fields
done

# kind given, what the file says: what --times gives wins
for kind in hardware emulated; do
	rm -f times.db
	$zsr import syn.dat -d times.db --name a --times $kind >/dev/null
	ok "--times $kind of a file that says synthetic" is \
		"$(answer "select times from trace" times.db)" $kind
done

if command -v trace-cmd >/dev/null; then
	for t in exit syn; do
		ok "$t: trace-cmd sees every malloc" is \
			"$(reported $t.dat zs_malloc)" \
			"$(counted $t "kind = 'malloc'")"
		ok "$t: and its return" is "$(reported $t.dat zs_malloc_ret)" \
			"$(counted $t "kind = 'malloc'")"
		ok "$t: and every free" is "$(reported $t.dat zs_free)" \
			"$(counted $t "kind = 'free'")"
		trace-cmd report -t $t.dat 2>/dev/null |
			grep ' zs_' | short >theirs
		grep ' zs_' $t.txt | grep -v tracing_mark_write | short >ours
		ok "$t: at the same times, with the same fields" cmp ours theirs
	done
	trace-cmd report -t exit.dat >report.txt 2>/dev/null
	ok "what trace-cmd prints is read too" same exit report.txt
else
	ok "no trace-cmd # SKIP" true
fi

if command -v babeltrace2 >/dev/null; then
	for t in exit syn; do
		babeltrace2 $t.ctf >bt.txt 2>err
		ok "$t: babeltrace2 reads CTF" quiet
		for kind in malloc free mark; do
			ok "$t: and sees every $kind" is \
				"$(grep -c " zsr_$kind: " bt.txt)" \
				"$(counted $t "kind = '$kind'")"
		done
		ok "$t: and nothing but facts beside" is \
			"$(grep -vc " zsr_fact: " bt.txt)" "$(counted $t 1)"
	done
	babeltrace2 exit.ctf --component sink.text.details >details 2>err
	ok "the environment has the kernel" grep -q \
		"kernel_release: 6.12.117-zsmoracle" details
	ok "and zsr's version" grep -q "tracer_version: [0-9]" details
	ok "and the page size" grep -q "page_size: 4096" details
else
	ok "no babeltrace2 # SKIP" true
fi

for dir in "$shared"/captures/s* \
	"$shared"/captures/s10-lost-events/tracecmd-extract; do
	t=${dir##*/}
	f=$dir
	[ -f "$dir/trace.dat" ] && f=$dir/trace.dat
	$zsr import "$f" --name "$t" >out 2>&1 || continue
	ok "$t: to trace.dat" exits 0 $zsr export "$t" -o c.dat
	ok "$t: imported again it is the same" same_or_told "$t" c.dat
	ok "$t: to text" exits 0 $zsr export "$t" -o c.txt
	ok "$t: imported again it is the same" same_or_told "$t" c.txt
	rm -rf c.ctf
	ok "$t: to CTF" exits 0 $zsr export "$t" -o c.ctf
	ok "$t: imported again it is the same" same "$t" c.ctf
done

# ---- what cannot be told

$zsr export syn --format csv -o syn.csv 2>err
ok "CSV has all of it" test ! -s err
cat >order.txt <<'END'
# tracer: nop
#
 a-1 [000] ..... 1.000000: zs_malloc_done: (0 <- zs_malloc) handle=0x10 size=9 pool=0x1
 b-2 [001] ..... 1.000002: zs_malloc_done: (0 <- zs_malloc) handle=0x20 size=9 pool=0x1
 a-1 [000] ..... 1.000001: zs_malloc_done: (0 <- zs_malloc) handle=0x30 size=9 pool=0x1
END
$zsr import order.txt >out
ok "clocks that went back" exits 0 $zsr export order -o order.dat
ok "are named" complains 'not in the file: 1 events that change places'
ok "CTF keeps their order" exits 0 $zsr export order -o order.ctf
ok "imported again it is the same" same order order.ctf

# ---- mistakes

ok "no such trace" exits 3 $zsr export nobody -o x.dat
ok "no file then" test ! -e x.dat
ok "no such format" exits 2 $zsr export syn --format pdf
ok "no format at all" exits 2 $zsr export syn -o x
ok "no trace named" exits 2 $zsr export -o x.dat
ok "no such folder" exits 4 $zsr export syn -o no/x.dat
ok "no such folder for CTF" exits 4 $zsr export syn -o no/x.ctf
ok "CTF to standard output" exits 2 $zsr export syn --format ctf
ok "CTF over one that is there" exits 4 $zsr export syn -o exit.ctf
ok "which stays as it was" same exit exit.ctf
mkdir empty.ctf && touch file.ctf
ok "CTF into an empty directory" exits 0 $zsr export syn -o empty.ctf
ok "CTF over a file" exits 4 $zsr export syn -o file.ctf
if [ -w /dev/full ]; then
	ok "a full disk" exits 4 $zsr export syn --format csv -o /dev/full
	ok "a full disk" exits 4 $zsr export syn --format trace.dat -o /dev/full
fi
ok "nothing lies about" sh -c '! ls | grep -q "\.[A-Za-z0-9]\{6\}$"'
plan
