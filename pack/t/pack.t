#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Packs on the command line: what was planted in a capture is in no pack unless
# asked for, and found by zsr verify --private; packs are taken wherever a trace
# is, from files, mails and standard input; a pack gives the digests it
# promises; the same trace makes the same bytes.
set -u
. tests/tap.sh

samples=$PWD/samples
cd "$tmp" || exit 1
export ZSR_DB="$tmp/t.db"

check() { # description, command...
	what=$1
	shift
	"$@" >out 2>err
	result $? "$what"
}

gives() { # status, description, command...
	want=$1 what=$2
	shift 2
	"$@" >out 2>err
	[ $? = "$want" ]
	result $? "$what"
}

# A capture with things in it that should not leave a house.
cat >planted.txt <<'END'
# tracer: nop
#
    secretapp-4711  [000] .....     1.000001: zs_malloc: (zs_malloc+0x0/0x10) pool=0xffff888012345000 size=600 gfp=0x10
    secretapp-4711  [000] .....     1.000002: zs_malloc_ret: (f+0x0/0x10 <- zs_malloc) handle=0xffff888011111000
    secretapp-4711  [000] .....     1.000003: tracing_mark_write: started on joeslaptop at 2026-11-23 17:03:59
    secretapp-4711  [000] .....     1.000004: tracing_mark_write: handle ffff888011111000 by joe@example.org
    secretapp-4711  [000] .....     1.000005: tracing_mark_write: zsr:fact host=joeslaptop
    secretapp-4711  [000] .....     1.000006: zs_malloc: (zs_malloc+0x0/0x10) pool=0xffff888012345000 size=1600 gfp=0x10
    secretapp-4711  [000] .....     1.000007: zs_malloc_ret: (f+0x0/0x10 <- zs_malloc) handle=0xffff888011111008
    secretapp-4711  [000] .....     1.000008: zs_free: (zs_free+0x0/0x10) pool=0xffff888012345000 handle=0xffff888011111000
    secretapp-4711  [000] .....     1.000009: zs_free: (zs_free+0x0/0x10) pool=0xffff888012345000 handle=0xffff888011111008
END
planted='secretapp|4711|joeslaptop|joe@|2026-11-23|17:03:59|ffff8880'

check "a capture with leaks is imported" \
	"$zsr" import planted.txt --kernel 6.12.1-joeslaptop --name planted
check "it is packed" "$zsr" pack planted -o clean.zsrpack
check "nothing is found in the pack" "$zsr" verify --private clean.zsrpack
"$zsr" import clean.zsrpack -d clean.db >/dev/null 2>&1
for t in trace task mark pool meta; do
	"$zsr" sql -d clean.db "select * from $t"
done >out 2>err
cp out tables
[ -s tables ] && ! grep -Eq "$planted" tables
result $? "nor in any table of its database"
! grep -aEq "$planted" clean.db
result $? "nor in the database's bytes"

check "as it is it is packed, too" \
	"$zsr" pack planted --raw --about pool=ffff888012345000 -o raw.zsrpack
gives 1 "which --private does not like" "$zsr" verify --private raw.zsrpack
for leak in 'a PID: 4711' 'not on the list: secretapp' 'a day: 2026-11-23' \
	'a time of day: 17:03:59' 'a kernel address: ffff8880' \
	'a person or host: @example.org' "own name: 6.12.1-joeslaptop" \
	'not on the list: host'; do
	grep -q "$leak" out
	result $? "found: $leak"
done
check "without --private it is fine" "$zsr" verify raw.zsrpack
gives 3 "a README with a leak is refused" \
	"$zsr" pack planted --about board='pi of joe@example.org' -o no.zsrpack
[ ! -e no.zsrpack ]
result $? "and nothing is written"

# The same bytes; the promised digests.
"$zsr" synth munmap --size 4M --procs 2 --seed 3 --name m >/dev/null
"$zsr" replay m --policy sync,deferred,zram-gc >/dev/null 2>&1
"$zsr" replay m --policy class-idx --load cpu=2 --memory 64M >/dev/null
check "a trace with runs is packed" "$zsr" pack m '#1' '#2' '#3' '#4' -o a.zsrpack
"$zsr" pack m '#1' '#2' '#3' '#4' -o b.zsrpack >/dev/null
cmp a.zsrpack b.zsrpack >out 2>err
result $? "twice, and it is the same bytes"
check "the pack gives the promised digests" "$zsr" verify --replay a.zsrpack
grep -q '4 of 4 runs give the same' out
result $? "of all four runs"
gives 2 "a run of another trace is refused" "$zsr" pack planted '#1' -o c.zsrpack
gives 3 "a run that is not there is refused" "$zsr" pack m '#99' -o c.zsrpack
gives 3 "a trace that is not there is refused" "$zsr" pack none -o c.zsrpack

check "it is coarser when asked to" \
	"$zsr" pack m --size-class --quantise 250 -o c.zsrpack
grep -q 'deferred .*' out && grep -q 'sync ' out
result $? "and what that does to replays is said"
gives 2 "no time step is none" "$zsr" pack m --quantise 0 -o d.zsrpack

# Where a trace is taken.
export ZSR_DB="$tmp/u.db"
check "unpack" "$zsr" unpack a.zsrpack
gives 3 "twice is once too often" "$zsr" unpack a.zsrpack
check "unless forced" "$zsr" unpack -f a.zsrpack --name again
check "import" "$zsr" import c.zsrpack --name imported
gives 2 "import has nothing to add" \
	"$zsr" import clean.zsrpack --kernel 6.1
for command in "info" "replay --policy sync" "export --format csv -o x.csv"; do
	rm -f u.db
	# shellcheck disable=SC2086 # a command and options
	check "zsr $command of a pack" "$zsr" $command a.zsrpack
	rm -f u.db
	# shellcheck disable=SC2086
	"$zsr" $command - <a.zsrpack >out 2>err
	result $? "of a file on standard input"
	# shellcheck disable=SC2002,SC2086 # a pipe is what is tested
	cat a.zsrpack | "$zsr" $command - >out 2>err
	result $? "of a pipe"
done

# Runs of packs are made again where a trace stands for its runs.
runs() { # of the database
	"$zsr" sql --csv 'select count(*) from run' 2>/dev/null | tail -n 1
}
"$zsr" compare m -d t.db | sed 1,3d >want
for command in "compare" "report -o x.pdf" "why g1"; do
	rm -f u.db
	# shellcheck disable=SC2086
	check "zsr $command of a pack" "$zsr" $command a.zsrpack
	[ "$(runs)" = 4 ]
	result $? "its four runs are there"
	# shellcheck disable=SC2002,SC2086
	cat a.zsrpack | "$zsr" $command - >out 2>err
	result $? "of a pipe"
	[ "$(runs)" = 4 ]
	result $? "no run is there twice"
done
"$zsr" compare a.zsrpack 2>err | sed 1,3d >out
cmp out want >err
result $? "zsr compare says of a pack what it says of what was packed"
"$zsr" mail m -d t.db -b 40K -o a.mail >/dev/null 2>&1
{ printf 'From a@b\n\n'; sed 's/^/> /' a.mail; } >a.mbox
rm -f u.db
check "zsr compare of a mailbox" "$zsr" compare a.mbox
grep -q 'sync  *class-idx  *deferred' out
result $? "has the mail's runs"
"$zsr" pack m -d t.db -o none.zsrpack >/dev/null
rm -f u.db
gives 3 "a pack without runs has none to compare" "$zsr" compare none.zsrpack
grep -q 'none.zsrpack: the pack holds no runs; `zsr replay none.zsrpack ' err
result $? "and what makes some is said"
"$zsr" replay none.zsrpack --policy sync >/dev/null 2>&1
check "which then are its runs" "$zsr" compare none.zsrpack
gives 3 "a capture that was not replayed has none" "$zsr" compare planted.txt
grep -q 'zsr replay planted.txt --policy' err
result $? "which is said, too"

forge() { # PACK EXPRESSION: results.txt changed by it, all checksums right
	rm -rf forge
	mkdir forge
	(
		cd forge || exit 1
		zstd -qdc ../a.zsrpack | tar x
		old=$(sha256sum <results.txt)
		sed -i "$2" results.txt manifest.txt
		new=$(sha256sum <results.txt)
		sed -i "s/${old%% *}/${new%% *}/
			s/^\(size.results.txt: \).*/\1$(wc -c <results.txt)/" \
			manifest.txt
		tar c --format=ustar manifest.txt README facts.txt results.txt \
			events | zstd -q
	) >"$1"
}
digest=$("$zsr" sql -d t.db --csv \
	"select digest from run where policy = 'deferred'" | tail -n 1)
forge forged.zsrpack "s/$digest/$(echo "$digest" | tr 0-9a-f 1-9a-f0)/"
gives 1 "a digest that does not come out" "$zsr" verify --replay forged.zsrpack
grep -q '^forged.zsrpack: deferred: .* was promised, .* came out$' out &&
	grep -q '3 of 4 runs' out
result $? "is said by zsr verify"
rm -f u.db
gives 3 "and refused by zsr compare" "$zsr" compare forged.zsrpack
[ "$(grep -c 'forged.zsrpack: deferred: .* promised' err)" = 1 ] && [ ! -s out ]
result $? "which says it once"
forge older.zsrpack 's/^\(params:.*\) [a-z-]*=[^ ]*$/\1/'
rm -f u.db
"$zsr" compare older.zsrpack >/dev/null 2>&1
check "runs of packs that know fewer parameters" "$zsr" compare older.zsrpack
[ "$(runs)" = 4 ]
result $? "are not made twice"
forge other.zsrpack 's/^profile: .*/profile: mine/'
rm -f u.db
gives 3 "runs on a machine that is not here" "$zsr" compare other.zsrpack
[ "$(grep -c 'this run cannot be made again here' err)" = 4 ]
result $? "cannot be made again, which is said of each"

check "the kernel's own tables are in a sample's pack, and equal" "$zsr" judge \
	"$samples/refault-6.12-arm64-1cpu/refault-6.12-arm64-1cpu.zsrpack"
! grep -q 'nothing could' out && [ -s out ]
result $? "as there is something to compare"
rm -f u.db
# shellcheck disable=SC2002
cat planted.txt | "$zsr" import - --kernel 6.12 >out 2>err
result $? "a pipe may still be a capture"
gives 3 "what is no pack is none" "$zsr" verify planted.txt
gives 3 "what is not there is none" "$zsr" verify nosuch.zsrpack
grep -q 'No such file' err
result $? "which is said"
head -c 1000 a.zsrpack >cut.zsrpack
gives 1 "a pack that is cut is no good" "$zsr" verify cut.zsrpack
gives 3 "nor is it imported" "$zsr" import cut.zsrpack
plan
