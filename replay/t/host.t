#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr replay --clock host from the command line: every policy, rounds in turn,
# runs that can be compared and say which clock they are of; what does not fit
# that clock is said in one line, with exit 2.
set -u
. tests/tap.sh

ZSR_DB=$tmp/zsr.db
export ZSR_DB

# refused WORD OPTION...: exit 2, one line that has WORD
refused() {
	word=$1
	shift
	"$zsr" replay small -p sync "$@" >"$tmp/out" 2>"$tmp/err"
	[ $? = 2 ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q -e "$word" "$tmp/err"
	ok "refused: $*"
}

"$zsr" synth munmap --size 4M --procs 2 --name small >"$tmp/out" \
	2>"$tmp/err"
ok "synth makes a trace"

all=$("$zsr" policies | sed -n 's/^\([a-z][-a-z0-9.]*\)  .*/\1/p' |
	grep -v '^policy$' | paste -sd,)
"$zsr" replay small --clock host -p "$all" >"$tmp/out" 2>"$tmp/err" &&
	[ "$(grep -c '^#' "$tmp/out")" = "$(echo "$all" | tr , '\n' | wc -l)" ] &&
	[ "$(wc -l <"$tmp/out")" -ge 13 ]
ok "every policy has a run"

"$zsr" replay small --clock host -p class-idx,sync --repeat 2 --interleave \
	--warmup 1 --pin spread --worker-nice 1 >"$tmp/out" 2>"$tmp/err" &&
	[ "$(awk '{ print $2 }' "$tmp/out" | paste - - |
		tr '\t' '\n' | sed 'N;s/sync\nclass-idx/class-idx\nsync/' |
		paste -sd' ')" = "class-idx sync class-idx sync" ]
ok "each policy once a round, without those to warm up"
"$zsr" replay small --clock host -p class-idx,sync --repeat 2 \
	>"$tmp/out" 2>"$tmp/err" &&
	[ "$(awk '{ print $2 }' "$tmp/out" | paste -sd' ')" = \
		"class-idx class-idx sync sync" ]
ok "policies in turn"

"$zsr" replay small --clock host -p sync,class-idx --repeat 8 --interleave \
	>"$tmp/out" 2>"$tmp/err"
[ "$(awk 'NR % 2 { print $2 }' "$tmp/out" | sort -u | wc -l)" = 2 ] ||
	"$zsr" replay small --clock host -p sync,class-idx --repeat 60 \
		--interleave >"$tmp/out" 2>"$tmp/err"
[ "$(awk 'NR % 2 { print $2 }' "$tmp/out" | sort -u | wc -l)" = 2 ]
ok "in an order that changes"
"$zsr" compare small >"$tmp/out" 2>"$tmp/err" &&
	tr '\n' ' ' <"$tmp/out" | grep -q 'in [0-9]* *rounds: caller time' &&
	grep -q 'signed-rank' "$tmp/out"
ok "which compare tests"

"$zsr" replay small --clock host -p sync,deferred --json >"$tmp/out" \
	2>"$tmp/err" && grep -q '"clock": "host"' "$tmp/out" &&
	grep -q '"frees": 2048' "$tmp/out"
ok "JSON says the clock"
"$zsr" compare small >"$tmp/out" 2>"$tmp/err" &&
	grep -q 'host clock, profile host' "$tmp/out" &&
	grep -q 'measured on this machine' "$tmp/out" &&
	grep -q 'gaps none' "$tmp/out"
ok "runs are compared"
"$zsr" report small -o "$tmp/report.pdf" >"$tmp/out" 2>"$tmp/err" &&
	[ -s "$tmp/report.pdf" ]
ok "and drawn"
"$zsr" fsck >"$tmp/out" 2>"$tmp/err"
ok "the database is sound"

refused 'arrival closed' --clock host --arrival closed
refused 'virtual clock' --clock host --load cpu=1
refused 'virtual clock' --clock host --machine rpi4b
refused 'virtual clock' --clock host --seed 2
refused 'clock host' --pin spread
refused 'clock host' --repeat 2
refused 'expected one of' --clock sun
refused 'expected one of' --clock host --pin up
plan
