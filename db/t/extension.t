#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The stock sqlite3 shell with the extension gives what zsr sql gives: virtual
# tables, functions, every view, and the example of zsr-db(5). What is damaged
# or too new is said.
set -u
. tests/tap.sh

ext=${ZSR_BUILD:-build}/zsr_sqlite
command -v sqlite3 >/dev/null || {
	echo "1..0 # SKIP no sqlite3"
	exit 77
}
db=$tmp/zsr.db
shell() { # database, query
	sqlite3 -batch -csv -header -cmd ".load $ext" "$1" "$2" 2>&1 |
		tr -d '\r'
}
same() { # description, query
	# They quote different texts.
	want=$($zsr sql -d "$db" "$2" 2>&1 | tr -d '"')
	got=$(shell "$db" "$2" | tr -d '"')
	[ "$want" = "$got" ] && [ "$(echo "$got" | wc -l)" -gt 1 ]
	result $? "$1" "zsr: $(echo "$want" | head -5)
sqlite3: $(echo "$got" | head -5)"
}

$zsr synth munmap --size 4M --procs 2 --seed 1 -d "$db" --name munmap \
	>/dev/null 2>&1 &&
	$zsr replay munmap -d "$db" --policy sync,deferred >/dev/null 2>&1
result $? "a database with a trace and two runs" ""

same "zsr_event" "select * from zsr_event limit 2000"
same "zsr_object" "select * from zsr_object"
same "a kind and a time" "select count(*), sum(size), max(t_ns) from zsr_event
	where kind = 'free' and t_ns > 1000"
for view in $(sqlite3 "$db" "select name from sqlite_schema
	where type = 'view' and name <> 'trace_meta'"); do
	same "view $view" "select * from $view"
done
same "trace_meta" "select count(*), sum(length(value)) from trace_meta"

got=$(shell "$db" "select zsr_version() = '$($zsr --version |
	grep -o '[0-9][0-9.]*[0-9]' | head -1)' as same")
[ "$got" = "same
1" ]
result $? "zsr_version()" "$got"

# The example as it stands in the page, with the extension where it was built.
sed -n '/^sqlite> /s///p' man/zsr-db.5.scd | sed "s|\./zsr_sqlite|$ext|" \
	>"$tmp/example"
got=$(cd "$tmp" && ext=$ext sqlite3 -batch zsr.db <example 2>&1)
[ "$(wc -l <"$tmp/example")" -ge 4 ] &&
	echo "$got" | grep -q '^free|[0-9]*|[0-9]*$' &&
	echo "$got" | grep -q '^deferred|[0-9]*|[0-9]*$' &&
	! echo "$got" | grep -qi error
result $? "the example of zsr-db(5)" "$got"

cp "$db" "$tmp/bad.db"
sqlite3 "$tmp/bad.db" "update chunk set xxh3 = ~xxh3"
for table in zsr_event zsr_object; do
	got=$(shell "$tmp/bad.db" "select * from $table")
	[ "$(echo "$got" | grep -c .)" = 1 ] &&
		echo "$got" | grep -q "trace 'munmap': chunk 0: its checksum is wrong"
	result $? "a damaged chunk under $table is one error" "$got"
done

got=$(shell :memory: "select * from zsr_event")
echo "$got" | grep -q "no such table: trace"
result $? "a database that is none of zsr's" "$got"

cp "$db" "$tmp/new.db"
sqlite3 "$tmp/new.db" "pragma user_version = 1000"
got=$(shell "$tmp/new.db" "select 1")
echo "$got" | grep -q "another version of zsr made this database"
result $? "another schema is refused" "$got"
plan
