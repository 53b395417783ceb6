#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# One database, several processes: while one writes others read what was there
# before; a second writer waits, says so, and gets its turn; also when the first
# is killed.
set -u
. tests/tap.sh

trap 'exec 3>&-; rm -rf "$tmp"' EXIT

count() { $zsr sql 'select count(*) from trace' --csv | tail -n 1; }
# within 10 s
soon() {
	i=0
	until "$@" 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 100 ] || return 1
		sleep 0.1
	done
}

cd "$tmp" || exit 1
$zsr synth munmap --size 8M --procs 2 --name a >log
$zsr replay a --policy sync >log
$zsr export a --format ftrace -o a.txt
mkfifo pipe

# An import that is in the middle of its file: it holds the write lock.
writer() {
	$zsr import - --force --name "$1" <pipe >"$1.log" 2>&1 &
	first=$!
	exec 3>pipe
	head -n 10000 a.txt >&3
	soon busy || return 1
}
busy() { ! sqlite3 zsr.db 'BEGIN IMMEDIATE' 2>/dev/null; }

ok "a writer at work" writer b
ok "ls reads beside it" $zsr ls
ok "events too" $zsr sql 'select count(*), sum(size) from zsr_event'
ok "compare too" $zsr compare
ok "fsck too" $zsr fsck
ok "its trace is not to be seen" is "$(count)" 1
for i in 1 2 3 4; do
	$zsr fsck -q 3>&- &
	eval "reader$i=$!"
done
ok "several at once" sh -c "for i in 1 2 3 4; do $zsr fsck -q & done; wait" 3>&-
# shellcheck disable=SC2154 # set by eval
wait "$reader1" "$reader2" "$reader3" "$reader4"

$zsr synth munmap --size 1M --procs 1 --name c >second.log 2>&1 3>&- &
second=$!
ok "a second writer says that it waits" soon grep -q \
	'^zsr synth: waiting for another process that writes to zsr.db$' second.log
$zsr rm 1 >third.log 2>&1 3>&- &
third=$!
ok "a third too" soon grep -q '^zsr rm: waiting' third.log
ok "they do wait" is "$(count)" 1
tail -n +10001 a.txt >&3
exec 3>&-
ok "the first ends well" wait $first
ok "then the second" wait $second
ok "and the third" wait $third
ok "all of it is there" is "$(count)" 3
ok "said once" is "$(grep -c waiting second.log)" 1

ok "a writer at work again" writer d
$zsr import "$sample" --name e >second.log 2>&1 3>&- &
second=$!
ok "another waits" soon grep -q '^zsr import: waiting' second.log
kill -9 $first
exec 3>&-
ok "the first is killed: the other goes on" wait $second
ok "nothing of the first is there" is \
	"$($zsr sql "select group_concat(name) from trace" --csv | tail -n 1)" \
	'"a,b,c,e"'
ok "the database is sound" $zsr fsck
plan
