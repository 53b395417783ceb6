#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr ls, info and sql: what they print as text, CSV and JSON, and what they
# refuse.
set -u
. tests/tap.sh

export ZSR_DB="$tmp/t.db"

json() { # path in out, value wanted
	got=$(sqlite3 :memory: "select json_extract(readfile('$tmp/out'), '\$$1')")
	[ "$got" = "$2" ] || { echo "$1 is $got"; return 1; }
}

cat >"$tmp/cap.txt" <<'EOF'
# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
              sh-119     [000] .....     3.000000: tracing_mark_write: capture:begin 6.12.1
              wl-130     [001] d....     3.100000: zs_malloc: (zs_malloc+0x0/0x57c) pool=0xffff179f0854a000 size=100 gfp=0x280a
              wl-130     [001] .....     3.100010: zs_malloc_ret: (zram_submit_bio+0x5e8/0x6b0 <- zs_malloc) handle=0xffff179f0425b870
              wl-130     [001] d....     3.200000: zs_malloc: (zs_malloc+0x0/0x57c) pool=0xffff179f0854a000 size=1200 gfp=0x280a
              wl-130     [001] .....     3.200010: zs_malloc_ret: (zram_submit_bio+0x5e8/0x6b0 <- zs_malloc) handle=0xffff179f0425b878
              wl-130     [000] d....     3.300010: zs_free: (zs_free+0x0/0x57c) pool=0xffff179f0854a000 handle=0xffff179f0425b878
              wl-130     [000] .....     3.300020: zs_free_ret: (zram_free_page+0x5e8/0x6b0 <- zs_free)
              wl-131     [000] d....     3.400000: zs_free: (zs_free+0x0/0x57c) pool=0xffff179f0854a000 handle=0xffff179f0425b8f8
              wl-131     [000] .....     3.400020: zs_free_ret: (zram_free_page+0x5e8/0x6b0 <- zs_free)
              sh-119     [000] .....     3.500000: tracing_mark_write: "quoted", mark
EOF

ok "nothing to list is bad input" exits 3 $zsr ls
ok "it says so" complains "no database $tmp/t.db"
ok "and makes none" test ! -e "$tmp/t.db"
ok "a capture" exits 0 $zsr import "$tmp/cap.txt"

# ---- ls

ok "ls" exits 0 $zsr ls
ok "has the trace's columns" says '^cap  *6.12.1 *4K *2 *2 *3 *2 *hardware *0$'
ok "and says that there are no runs" says '^no runs; `zsr replay'
ok "ls --csv" exits 0 $zsr ls --csv
ok "has a header" says '^name,digest,kernel,lock_gen,'
ok "ls --json" exits 0 $zsr ls --json
ok "has traces" json '.traces[0].name' cap
ok "with numbers" json '.traces[0].nr_mallocs' 2
ok "and no runs" json '.runs' '[]'
ok "ls takes no argument" exits 2 $zsr ls cap

# ---- info

ok "info" exits 0 $zsr info cap
ok "kernel" says 'kernel *6.12.1, locks as in 6.12$'
ok "page size, inferred" says 'pages *4 KiB (inferred)'
ok "an orphan: not from empty" says 'not seen from empty'
ok "what is odd" says ' 1 frees of objects allocated before the trace'
ok "a bar a size" says '^  1-256  *1 █\{40\}$'
ok "no bar for none" says '^  257-512  *0$'
ok "size classes" says '^size classes used: 2 of '
ok "lifetimes" says '^  < 268 ms  *1 █'
ok "calls a cpu" says '^    1  *2  *0$'
ok "calls a task" says '^     131 wl  *0  *1$'
ok "marks with times" says '^ *500 ms  "quoted", mark$'
ok "at most 80 columns" sh -c "! grep -q '.\{81\}' $tmp/out"
ok "info --json" exits 0 $zsr info --json cap
ok "facts" json '.kernel' 6.12.1
ok "counts" json '.found.orphan_frees' 1
ok "sizes" json '.sizes[0].mallocs' 1
ok "classes" json '.classes_used[1].mallocs' 1
ok "lifetimes" json '.lifetimes[0].objects' 1
ok "cpus" json '.by_cpu[1].mallocs' 2
ok "tasks, busiest first" json '.by_task[0].pid' 130
ok "marks" json '.marks[1].text' '"quoted", mark'
ok "no such trace" exits 3 $zsr info nope
ok "names those there are" complains "no trace 'nope' in .*; there are: cap"
ok "no trace given" exits 2 $zsr info
sed 's/size=100/size=111/' "$tmp/cap.txt" >"$tmp/more.txt"
ok "a capture's path is imported on the way" exits 0 $zsr info "$tmp/more.txt"
ok "which is told" complains "more.txt imported as 'more'; its times are taken for hardware's"
ok "once" exits 0 $zsr info "$tmp/more.txt"
ok "then it is known" complains "more.txt is known as 'more'"
ok "two traces" test "$($zsr sql 'select count(*) from trace' | tail -1)" = 2
printf 'no capture' >"$tmp/bad"
ok "what is no capture is bad input" exits 3 $zsr info "$tmp/bad"

# ---- sql

ok "sql" exits 0 $zsr sql "select kind, size, life_ns from zsr_event where
	trace = 1 and kind in ('malloc', 'free')"
printf '%s\n' kind,size,life_ns malloc,100, malloc,1200, free,1200,100000000 \
	free,, >"$tmp/want"
ok "is CSV with a header into a pipe" cmp "$tmp/out" "$tmp/want"
ok "sql --csv quotes" exits 0 $zsr sql --csv \
	"select text || char(10), null, '' from mark where nr = 1 limit 1"
ok "as RFC 4180 does" says '^"""quoted"", mark$'
ok "sql --json" exits 0 $zsr sql --json \
	"select 1 a, 1.5 b, null c, text d, x'00ff' e, 1e999 f from mark where nr = 1"
ok "numbers" json '[0].a' 1
ok "reals" json '[0].b' 1.5
ok "null" json '[0].c' ''
ok "strings" json '[0].d' '"quoted", mark'
ok "blobs" json '[0].e' "x'00FF'"
ok "no rows in JSON" exits 0 $zsr sql --json 'select 1 where 0'
ok "is an empty array" says '^\[\]$'
ok "the header of no rows" exits 0 $zsr sql 'select 1 a where 0'
ok "is there" says '^a$'
# A container may have no pseudo-terminals.
if script -qc true /dev/null >/dev/null 2>&1; then
	ok "on a terminal: aligned" exits 0 script -qc \
		"$zsr sql 'select 1 as number, \"ab\" as text union
			select 100, \"c\"'" /dev/null
	ok "numbers to the right" says '^     1  ab'
fi
ok "a query that writes" exits 2 $zsr sql 'delete from trace'
ok "is refused" complains '^zsr sql: a query may only read$'
ok "a wrong query" exits 2 $zsr sql 'select x from'
ok "two queries" exits 2 $zsr sql 'select 1; select 2'
ok "no query" exits 2 $zsr sql
ok "no database" exits 3 $zsr sql -d "$tmp/none.db" 'select 1'
ok "a full disk" exits 4 sh -c "$zsr sql 'select 1' >/dev/full"
ok "a reader that left is no crash" sh -c \
	"$zsr sql 'select * from zsr_event, zsr_event' | head -1 >/dev/null"

# A damaged chunk is named.
sqlite3 "$tmp/t.db" "update chunk set data = zeroblob(length(data))"
ok "a damaged chunk" exits 3 $zsr info cap
ok "is named" complains "trace 'cap': chunk 0: its checksum is wrong"
ok "in sql too" exits 3 $zsr sql 'select count(*) from zsr_event where size > 1'
ok "by name" complains "trace 'cap': chunk 0: its checksum is wrong"

# SQLite quotes what it cannot read, line breaks included.
cp "$tmp/t.db" "$tmp/schema.db"
perl -0pi -e 's/TEXT NOT NULL UNIQUE/TEXT NOT NULL UNIQ`E/' "$tmp/schema.db"
ok "a damaged schema" exits 3 $zsr ls -d "$tmp/schema.db"
ok "is told in one line" test "$(wc -l <"$tmp/err")" = 1
ok "that says so" complains 'malformed database schema (trace)'

# Where nothing can be written a database can still be read.
chmod a-w "$tmp/t.db"
ok "a read-only file" exits 0 $zsr ls
plan
