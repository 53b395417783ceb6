#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr replay --clock host from the command line: every policy, rounds in turn,
# runs that can be compared and say which clock they are of; what does not fit
# that clock is said in one line, with exit 2.
set -u

zsr=${ZSR_BUILD:-$PWD/build}/zsr
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ZSR_DB=$work/zsr.db
export ZSR_DB

n=0
failed=0
ok() { # description; status of the last command
	status=$?
	n=$((n + 1))
	if [ $status = 0 ]; then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		sed 's/^/# /' "$work/err" "$work/out" 2>/dev/null | tail -20
	fi
}

# refused WORD OPTION...: exit 2, one line that has WORD
refused() {
	word=$1
	shift
	"$zsr" replay small -p sync "$@" >"$work/out" 2>"$work/err"
	[ $? = 2 ] && [ "$(wc -l <"$work/err")" = 1 ] &&
		grep -q -e "$word" "$work/err"
	ok "refused: $*"
}

"$zsr" synth munmap --size 4M --procs 2 --name small >"$work/out" \
	2>"$work/err"
ok "synth makes a trace"

all=$("$zsr" policies | sed -n 's/^\([a-z][-a-z0-9.]*\)  .*/\1/p' |
	grep -v '^policy$' | paste -sd,)
"$zsr" replay small --clock host -p "$all" >"$work/out" 2>"$work/err" &&
	[ "$(grep -c '^#' "$work/out")" = "$(echo "$all" | tr , '\n' | wc -l)" ] &&
	[ "$(wc -l <"$work/out")" -ge 13 ]
ok "every policy has a run"

"$zsr" replay small --clock host -p class-idx,sync --repeat 2 --interleave \
	--warmup 1 --pin spread --worker-nice 1 >"$work/out" 2>"$work/err" &&
	[ "$(awk '{ print $2 }' "$work/out" | paste -sd' ')" = \
		"class-idx sync class-idx sync" ]
ok "rounds in turn, without those to warm up"
"$zsr" replay small --clock host -p class-idx,sync --repeat 2 \
	>"$work/out" 2>"$work/err" &&
	[ "$(awk '{ print $2 }' "$work/out" | paste -sd' ')" = \
		"class-idx class-idx sync sync" ]
ok "policies in turn"

"$zsr" replay small --clock host -p sync,deferred --json >"$work/out" \
	2>"$work/err" && grep -q '"clock": "host"' "$work/out" &&
	grep -q '"frees": 2048' "$work/out"
ok "JSON says the clock"
"$zsr" compare small >"$work/out" 2>"$work/err" &&
	grep -q 'host clock, profile host' "$work/out" &&
	grep -q 'measured on this machine' "$work/out" &&
	grep -q 'gaps none' "$work/out"
ok "runs are compared"
"$zsr" report small -o "$work/report.pdf" >"$work/out" 2>"$work/err" &&
	[ -s "$work/report.pdf" ]
ok "and drawn"
"$zsr" fsck >"$work/out" 2>"$work/err"
ok "the database is sound"

refused 'arrival closed' --clock host --arrival closed
refused 'virtual clock' --clock host --load cpu=1
refused 'virtual clock' --clock host --machine rpi4b
refused 'virtual clock' --clock host --seed 2
refused 'clock host' --pin spread
refused 'clock host' --repeat 2
refused 'expected one of' --clock sun
refused 'expected one of' --clock host --pin up

echo "1..$n"
exit $failed
