#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr import: names, facts, what is refused and with which exit code, several
# files, duplicates; that what fails leaves the database as it was.
set -u
. tests/tap.sh

lines() { [ "$(wc -l <"$tmp/$1")" = "$2" ]; }

# capture SIZE: the trace of one task that stores two objects, releases one
capture() {
	cat <<EOF
# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
              sh-119     [000] .....     3.190938: tracing_mark_write: capture:begin 6.1.0-56-arm64
              sh-119     [000] .....     3.201478: zs_create_pool: (disksize_store+0x84/0x1ac [zram] <- zs_create_pool) pool=0xffff179f0854a000
              wl-130     [001] d....     3.225470: zs_malloc: (zs_malloc+0x0/0x57c [zsmalloc]) pool=0xffff179f0854a000 size=$1 gfp=0x280a
              wl-130     [001] .....     3.226146: zs_malloc_ret: (zram_bvec_rw.constprop.0+0x5e8/0x6b0 [zram] <- zs_malloc) handle=0xffff179f0425b870
              wl-130     [001] d....     3.325470: zs_malloc: (zs_malloc+0x0/0x57c [zsmalloc]) pool=0xffff179f0854a000 size=1200 gfp=0x280a
              wl-130     [001] .....     3.326146: zs_malloc_ret: (zram_bvec_rw.constprop.0+0x5e8/0x6b0 [zram] <- zs_malloc) handle=0xffff179f0425b878
              wl-130     [000] d....     3.425470: zs_free: (zs_free+0x0/0x57c [zsmalloc]) pool=0xffff179f0854a000 handle=0xffff179f0425b878
              wl-130     [000] .....     3.426146: zs_free_ret: (zram_free_page+0x5e8/0x6b0 [zram] <- zs_free)
EOF
}

cd "$tmp" || exit 1
capture 100 >one.txt
capture 101 >two.txt
mkdir -p box/.hidden
capture 102 >box/trace.txt
capture 103 >box/.hidden/trace.txt

# ---- a capture goes in

ok "a capture is imported into ./zsr.db" exits 0 $zsr import one.txt
ok "named after its file" says "imported as 'one'"
ok "facts are told, inferred ones flagged" \
	says 'zspages *4 KiB pages (inferred), chains of up to 4 (the default)'
ok "the kernel too" says 'kernel *6.1.0-56-arm64$'
ok "and the pool" says 'pools *1, seen from empty'
ok "calls are told" says '2 mallocs, 1 frees in .*2 cpus'
ok "no line is too long for a terminal" sh -c '! grep -q ".\{81\}" out'
ok "records and their rate are told" says 'records  *8 in'
ok "what is not 0 is told" says '1 objects never freed'
ok "what is 0 is not" test "$(grep -c lost out)" = 0
ok "nothing on stderr" lines err 0
ok "no log beside the database" test "$(ls zsr.db*)" = zsr.db
ok "no kernel address in the database" \
	sh -c '! LC_ALL=C grep -qai "ffff179f" zsr.db'

ok "a file called trace has its folder's name" exits 0 $zsr import box/trace.txt
ok "which is box" says "imported as 'box'"
ok "also from inside" sh -c "cd box && $zsr import -d ../zsr.db --force trace.txt >../out"
ok "and -2 when it is taken" says "imported as 'box-2'"
ok "hidden folders keep their dot" exits 0 $zsr import box/.hidden/trace.txt
ok "as in .hidden" says "imported as '.hidden'"
ok "standard input" sh -c "cat two.txt | $zsr import - >out"
ok "is called stdin" says "imported as 'stdin'"
ok "--name" exits 0 $zsr import --name mine --times emulated two.txt
ok "is the name" says "imported as 'mine'"
ok "--times is told" says 'emulated times'
ok "-d DB" exits 0 $zsr import -d other.db one.txt
ok "makes DB" test -f other.db
ok "ZSR_DB" env ZSR_DB=third.db $zsr import one.txt
ok "names a database too" test -f third.db

ok "given facts are taken" exits 0 $zsr import -d given.db --kernel 6.12.9 \
	--page-size 16K --chain-size 6 one.txt
ok "as given" says 'zspages *16 KiB pages, chains of up to 6$'

ok "--json" exits 0 $zsr import --json -d json.db one.txt two.txt
json() { # path in the array, value wanted
	got=$(sqlite3 :memory: "select json_extract(readfile('out'), '\$$1')")
	[ "$got" = "$2" ] || { echo "$1 is $got"; return 1; }
}
ok "is an array with an object a file" json '[0].name' one
ok "in their order" json '[1].name' two
ok "with facts" json '[0].kernel' 6.1.0-56-arm64
ok "flagged when inferred" json '[0].page_size_inferred' 1
ok "and when not" json '[0].kernel_inferred' 0
ok "with counts" json '[0].found.records' 8
ok "of what is left" json '[0].found.live_at_end' 1

# ---- the same again

cp zsr.db before.db
ok "the same trace twice is refused" exits 3 $zsr import --name again one.txt
ok "naming the one that is there" complains "one.txt: .* already, as 'one'"
ok "--force takes it" exits 0 $zsr import --force --name again one.txt
ok "under its name" says "imported as 'again'"

# ---- what is refused

: >empty
echo 'hello, world' >words
head -c 100000 /dev/urandom >noise
head -c 300 one.txt >short
printf 'tracing' | cat - noise >hostile
for f in empty words noise short hostile missing box/none /dev/null; do
	cp zsr.db before.db
	ok "$f is no capture" exits 3 $zsr import $f
	ok "one line says so" lines err 1
	ok "naming it" complains "^zsr import: $f: "
	ok "the database is untouched" cmp zsr.db before.db
	ok "a new one is not left behind" sh -c \
		"! $zsr import -d new.db $f 2>/dev/null; ls | grep -c new.db | grep -qx 0"
done

for o in "--kernel banana" "--kernel 6" "--page-size 5000" "--page-size 0" \
	"--page-size x" "--chain-size 3" "--chain-size 17" "--times real" \
	"--name #1" "--name 12" "--name -" "--bogus" "--name x two.txt"; do
	# shellcheck disable=SC2086 # several words
	ok "$o is a usage error" exits 2 $zsr import -d new.db $o one.txt
	ok "without a new database" test ! -e new.db
done
long=$(printf '%0101d' 0 | tr 0 x)
for name in "$(printf 'a\nb')" "$(printf 'a\033[31mb')" "$(printf 'a\377')" "$long" ""; do
	ok "a name no table can show is refused" \
		exits 2 $zsr import -d new.db --name "$name" one.txt
	ok "in one line" lines err 1
	ok "without a new database" test ! -e new.db
done
ok "a name may have blanks, quotes and UTF-8" \
	exits 0 $zsr import -d named.db --name "a 'b' \"ä\"" one.txt
cp two.txt 2026.txt
ok "a file called like a run" exits 0 $zsr import -d named.db 2026.txt
ok "is not named like one" says "imported as '_2026'"
ok "no file is a usage error" exits 2 $zsr import
ok "--help is none" exits 0 $zsr import --help

ok "a text file is no database" exits 3 $zsr import -d words one.txt
ok "and stays as it was" grep -qx 'hello, world' words
sqlite3 foreign.db 'create table x (y)'
cp foreign.db before.db
ok "another program's database is refused" exits 3 $zsr import -d foreign.db one.txt
ok "and stays as it was" cmp foreign.db before.db
ok "a folder that is not there is the system's fault" \
	exits 4 $zsr import -d nowhere/x.db one.txt

# ---- several files

ok "the second of three fails" exits 3 $zsr import -d many.db one.txt words two.txt
ok "the first is kept, and told" complains '1 of 3 files was imported'
ok "the third is not tried" test \
	"$($zsr sql -d many.db 'select group_concat(name) from trace' | tail -1)" = one
for o in --help --version "import --help"; do
	ok "$o to a full disk" exits 4 sh -c "$zsr $o >/dev/full"
done
ok "full disk" exits 4 sh -c "$zsr import -d full.db one.txt >/dev/full"

# ---- two at once

ok "several processes write one after the other" sh -c '
	for i in 1 2 3 4 5 6; do
		'"$zsr"' import -d shared.db --force --name t one.txt & done
	wait'
ok "all of them did" test \
	"$($zsr sql -d shared.db 'select count(*) from trace' | tail -1)" = 6
plan
