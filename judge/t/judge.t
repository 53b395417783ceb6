#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# `zsr judge`: every capture of a real kernel that was seen from empty agrees
# with its snapshots, number by number: mm_stat, class tables, the place of every
# object; the others say why not. One object, one page, one place changed in what
# the kernel said is found, and so is a call that is missing.
set -u
. tests/tap.sh

captures=${ZSR_SHARED:-../shared}/captures
if [ ! -d "$captures" ]; then
	echo "1..0 # SKIP no shared captures in $captures (ZSR_SHARED)"
	exit 77
fi
mkdir "$tmp/scratch"
export TMPDIR="$tmp/scratch"

judge() {
	"$zsr" judge "$@" >"$tmp/out" 2>"$tmp/err"
}

# name, values compared of each kind
while read -r name want; do
	judge --csv --strict "$captures/$name"
	status=$?
	got=$(awk -F, 'NR > 1 { n[$2] += $5; d += $6 } END {
		printf "%d %d %d %d", n["mm_stat"], n["classes"], n["places"], d }' \
		"$tmp/out")
	[ "$status $got" = "0 $want 0" ] || echo "$status $got" >>"$tmp/err"
	[ "$status $got" = "0 $want 0" ]
	result $? "$name agrees ($want values)"
done <<EOT
s01-deb61-4k 28 0 0
s02-deb612-4k-raw 42 0 0
s03-deb612-16k 35 0 0
s04-deb73-4k 35 0 0
s05-oracle-4k 42 12954 5985
s06-oracle-16k 42 13170 3963
s07-deb618-fprobe 31 0 0
s08-oracle-4k-smp4-compact 25 8636 5207
s09-oracle-4k-compact 42 12954 4091
s15-oracle-x86_64 42 12954 3971
EOT

for name in s14-tracecmd-record s16-raspi3b; do
	judge "$captures/$name"
	[ $? = 0 ] && grep -q 'not empty when the capture began' "$tmp/out" &&
		grep -q '^nothing could be compared' "$tmp/out"
	result $? "$name says why it is not compared"
	judge --strict "$captures/$name"
	[ $? = 1 ]
	result $? "$name: --strict makes it exit 1"
done
# Snapshots of a capture that lost records.
mkdir "$tmp/lost" && cp -r "$captures/s10-lost-events/overwrite/." "$tmp/lost"
mkdir -p "$tmp/lost/snap"
cp "$captures/s01-deb61-4k/snap/end.mm_stat" "$tmp/lost/snap"
judge "$tmp/lost"
[ $? = 0 ] && grep -q '12,914 records were lost' "$tmp/out"
result $? "lost records are said"

# A copy that can be changed; text, so that records can be, too.
copy() {
	rm -rf "$tmp/c"
	mkdir "$tmp/c"
	cp "$captures/s05-oracle-4k/trace.txt" "$tmp/c"
	cp -r "$captures/s05-oracle-4k/snap" "$tmp/c"
	chmod -R u+w "$tmp/c"
}

copy
judge --kernel 6.12.117 "$tmp/c"
result $? "text agrees like trace.dat"

found() { # description, a line of the output
	judge --kernel 6.12.117 "$tmp/c"
	[ $? = 1 ] && grep -q "$2" "$tmp/out"
	result $? "$1 is found"
}

awk '{ $3 += 4096; print }' "$tmp/c/snap/end.mm_stat" >"$tmp/x"
cp "$tmp/x" "$tmp/c/snap/end.mm_stat"
found "a page more in mm_stat" \
	'^end mm_stat: bytes of pages: kernel 372736, engine 368640'

copy
awk '{ $1 -= 4096; print }' "$tmp/c/snap/refaulted-r0.mm_stat" >"$tmp/x"
cp "$tmp/x" "$tmp/c/snap/refaulted-r0.mm_stat"
found "an object less in mm_stat" '^refaulted-r0 mm_stat: bytes stored: '

copy
awk '$1 == 62 { sub(/ +1 +0$/, " 1 1") } { print }' \
	"$tmp/c/snap/end.classes" >"$tmp/x"
cp "$tmp/x" "$tmp/c/snap/end.classes"
found "a page more in a class" '^end classes: class 62: freeable: '

copy
awk '$1 == "Total" { $9 = $9 + 1 } { print }' "$tmp/c/snap/start.classes" >"$tmp/x"
cp "$tmp/x" "$tmp/c/snap/start.classes"
found "a number of the last line" '^start classes: class Total: '

copy
sed -i '$d' "$tmp/c/snap/start.classes"
found "a line that is missing" '^start classes: class Total: '

# The last digits of an object word are its slot, those in front its page.
copy
sed -i '0,/\(zs_malloc_obj:.*obj=0x[0-9a-f]*\)000004/s//\1000005/' \
	"$tmp/c/trace.txt"
found "an object in another slot" '^places: object [0-9]*: slot 5, engine: 4 '

copy
sed -i '0,/\(zs_malloc_obj:.*obj=0x\)[0-9a-f]*\(00000[1-9]\)/s//\1fffff\2/' \
	"$tmp/c/trace.txt"
found "an object in another page" \
	'^places: object [0-9]*: not in the pages of zspage'

copy
line=$(grep -n ' zs_free: ' "$tmp/c/trace.txt" | sed -n '100s/:.*//p')
sed -i "${line}d;s|30750/30750|30749/30749|" "$tmp/c/trace.txt"
found "a free that is missing" '^fragmented-r0 classes: class [0-9]*: obj_used: '

# Four CPUs: where calls overlapped the number of pages is not decided by their
# order, but the kernel's two tables must agree, and objects are counted.
copy_of() { # capture
	rm -rf "$tmp/c"
	mkdir "$tmp/c"
	cp -r "$captures/$1/." "$tmp/c"
	chmod -R u+w "$tmp/c"
}
copy_of s08-oracle-4k-smp4-compact
awk '{ $3 += 4096; print }' "$tmp/c/snap/after-compact.mm_stat" >"$tmp/x"
cp "$tmp/x" "$tmp/c/snap/after-compact.mm_stat"
found "a page more on four CPUs" \
	'^after-compact classes: pages of classes and mm_stat: kernel 295, engine 296'
copy_of s08-oracle-4k-smp4-compact
awk '$1 == 62 { $15++ } { print }' "$tmp/c/snap/end.classes" >"$tmp/x"
cp "$tmp/x" "$tmp/c/snap/end.classes"
found "an object more on four CPUs" '^end classes: class 62: obj_used: '

# Calls between the mark and the end of the reading.
copy
line=$(grep -n 'snap:refaulted-r0' "$tmp/c/trace.txt" | sed 's/:.*//')
sed -n "${line}s/snap:/snapped:/p" "$tmp/c/trace.txt" >"$tmp/x"
sed -i "${line}r $tmp/x" "$tmp/c/trace.txt"
judge --csv --kernel 6.12.117 "$tmp/c" && ! grep -q 'came while' "$tmp/out"
result $? "a snapshot with nothing in between is compared"
copy
line=$(grep -n 'snap:fragmented-r0' "$tmp/c/trace.txt" | sed 's/:.*//')
sed -n "${line}s/fragmented-r0/early/p" "$tmp/c/trace.txt" >"$tmp/x"
sed -i "${line}s/snap:/snapped:/;${line}s/fragmented-r0/early/" "$tmp/c/trace.txt"
line=$(grep -n 'snap:refaulted-r0' "$tmp/c/trace.txt" | sed 's/:.*//')
sed -i "${line}r $tmp/x" "$tmp/c/trace.txt"
cp "$tmp/c/snap/refaulted-r0.mm_stat" "$tmp/c/snap/early.mm_stat"
judge --csv --kernel 6.12.117 "$tmp/c" &&
	grep -q '^early,mm_stat,,,0,0,[0-9]* calls came while it was read' "$tmp/out"
result $? "one with calls in between is not"

# A trace of a database.
"$zsr" import -d "$tmp/db" --name s08 "$captures/s08-oracle-4k-smp4-compact" \
	>"$tmp/out" 2>"$tmp/err"
judge -d "$tmp/db" s08 && grep -q '^equal: 8661 values' "$tmp/out"
result $? "a trace of the database agrees"
judge -d "$tmp/db" s09
[ $? = 3 ]
result $? "a trace that is not there gives 3"

[ -z "$(ls -A "$TMPDIR")" ]
result $? "nothing stays behind"
plan
