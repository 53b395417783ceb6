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

# the policies of the runs that were made, a line each
runs() {
	awk '/^#/ { print $2 }' "$tmp/out"
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
	[ "$(runs | paste - - |
		tr '\t' '\n' | sed 'N;s/sync\nclass-idx/class-idx\nsync/' |
		paste -sd' ')" = "class-idx sync class-idx sync" ]
ok "each policy once a round, without those to warm up"
"$zsr" replay small --clock host -p class-idx,sync --repeat 2 \
	>"$tmp/out" 2>"$tmp/err" &&
	[ "$(runs | paste -sd' ')" = \
		"class-idx class-idx sync sync" ]
ok "policies in turn"

"$zsr" replay small --clock host -p sync,class-idx --repeat 8 --interleave \
	>"$tmp/out" 2>"$tmp/err"
[ "$(runs | awk 'NR % 2' | sort -u | wc -l)" = 2 ] ||
	"$zsr" replay small --clock host -p sync,class-idx --repeat 60 \
		--interleave >"$tmp/out" 2>"$tmp/err"
[ "$(runs | awk 'NR % 2' | sort -u | wc -l)" = 2 ]
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

# ---- what the machine is like ------------------------------------------------

# value KEY: of the run that was made last
value() {
	"$zsr" sql --csv "SELECT value FROM run_value WHERE key = '$1' AND
		run = (SELECT max(id) FROM run)" 2>"$tmp/err" | tail -1
}

"$zsr" replay small --clock host -p deferred --spinlock queued \
	--worker-cpus 0 --numa 0 >"$tmp/out" 2>"$tmp/err" &&
	[ "$("$zsr" sql --csv 'SELECT conditions FROM run
		ORDER BY id DESC LIMIT 1' | tail -1)" = \
		"--spinlock queued --worker-cpus 0 --numa 0" ]
ok "queued spinlocks, workers' CPUs, a node's memory; the run says so"
"$zsr" replay small --clock host -p sync --cpus 64 --oversubscribe \
	>"$tmp/out" 2>"$tmp/err"
ok "more CPUs than there are, who wants it"

"$zsr" synth munmap --size 64M --procs 1 --name large >"$tmp/out" 2>"$tmp/err"
"$zsr" replay large --clock host -p sync --release madvise --sample 200us \
	>"$tmp/out" 2>"$tmp/err" && grep -q 'resident' "$tmp/out" &&
	[ "$(value host.resident_end_kib)" -lt \
		"$(($(value host.resident_peak_kib) - 8192))" ]
ok "pages that were freed leave the process"
"$zsr" replay large --clock host -p sync --sample 200us >"$tmp/out" \
	2>"$tmp/err" &&
	[ "$(value host.resident_end_kib)" -gt \
		"$(($(value host.resident_peak_kib) - 8192))" ]
ok "or stay"
[ "$("$zsr" sql --csv "SELECT count FROM run_data WHERE key = 'grid.memory'
	AND run = (SELECT max(id) FROM run)" | tail -1)" = 2 ]
ok "over time, beside the pools' pages"

"$zsr" replay large --clock host -p deferred --load cpu=2 --load rt=1:300 \
	--load mem=4G:16M --load worker=const:2ms >"$tmp/out" 2>"$tmp/err" &&
	[ "$(value load_cpu_ns)" -gt 0 ] && [ "$(value load_rt_ns)" -gt 0 ] &&
	[ "$(value load_cpu_lost_ns)" -gt 0 ] &&
	[ "$(value load_mem_pages)" -gt 0 ]
ok "load: computing, real-time, memory"
[ "$(value queue_oldest_ns)" -ge 2000000 ]
ok "workers that come late"
[ -n "$(value host.task.0.switches)" ] && [ -n "$(value host.yields)" ] &&
	[ -n "$(value host.displaced_frees)" ] &&
	[ -n "$(value host.worker.0.switches)" ]
ok "what the system did is counted"

refused 'arrival closed' --clock host --arrival closed
refused 'virtual clock' --clock host --memory 64M
refused 'may use' --clock host --cpus 64
refused 'ticket or queued' --clock host --spinlock fair
refused 'keep or madvise' --clock host --release now
refused 'there are CPUs' --clock host --worker-cpus 64
refused 'expected CPUs' --clock host --worker-cpus 0,
refused '100us' --clock host --sample 1us
refused 'no such node' --clock host --numa 1000
refused 'clock host' --spinlock queued
refused 'virtual clock' --clock host --machine rpi4b
refused 'virtual clock' --clock host --seed 2
refused 'clock host' --pin spread
refused 'clock host' --repeat 2
refused 'expected one of' --clock sun
refused 'expected one of' --clock host --pin up
plan
