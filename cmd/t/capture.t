#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# `zsr capture` and `zsr workload` where nothing is recorded: command lines that
# are wrong, and a workload without swap. (Recording: tests/kernel/kernel.t.)
set -u

zsr=${ZSR:-zsr}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0

gives() { # description, status, text, command...
	what=$1 status=$2 text=$3
	shift 3
	"$zsr" "$@" >"$tmp/said" 2>&1
	got=$?
	n=$((n + 1))
	if [ $got = "$status" ] && grep -q -e "$text" "$tmp/said"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what: $got"
		sed 's/^/# /' "$tmp/said"
	fi
}

gives "no command" 2 'which command is to be captured' capture -o "$tmp/x"
gives "no such pass" 2 "'fast' is no pass" capture --pass fast -- true
gives "no size" 2 "'big'" capture --fresh-zram big -- true
gives "a script" 0 "^instance=" capture --print-script
gives "no workload" 2 'which workload' workload
gives "another workload" 2 'which workload' workload paint
gives "no pages like that" 2 "'odd' is none of" workload munmap --pages odd
gives "more than all" 2 'refault' workload munmap --refault 101
gives "less than a page" 2 'less than a page' workload munmap --size 100
for kind in mix uniform small large; do
	gives "munmap of $kind pages" 0 '^ *1 *3 ' workload munmap --size 1M \
		--procs 3 --rounds 2 --pages $kind --refault 20 --holes 50
done
gives "exit" 0 '^ *0 *2 ' workload exit --size 1M --procs 2
gives "app-switch" 0 '^ *0 *3 ' workload app-switch --size 1M --procs 3 --turns 5
gives "mixed" 0 '^ *0 *4 ' workload mixed --size 1M --same 20 --out 50 --pin
gives "a table" 0 '^ *2 *3 ' workload munmap --size 1M,2M --procs 1,3
gives "no list" 2 'nothing in it' workload munmap --procs ,
gives "no processes" 2 'procs' workload munmap --procs 1,0
gives "two things to record" 2 'a command, or --pid' capture --pid 1 -- true
gives "no process number" 2 'pid' capture --pid self
gives "samples too often" 2 '100us to 3600s' capture --vmstat-every 1us -- true
"$zsr" capture --print-script | sh -n
[ $? = 0 ] || echo "not ok - the script is no shell script"
[ ! -e "$tmp/x" ] || echo "not ok - a file without a capture"
echo "1..$n"
