#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr replay --lttng: runs record themselves under a session daemon of their own
# and come back as traces whose frees are as many, and took as long, as the run
# says; nothing is left running or in /dev/shm, also after Ctrl-C and SIGKILL.
# --tracepoints: in a session of the test's own, whose small buffers lose events,
# which the import counts.
set -u
. tests/tap.sh

skip() {
	echo "1..0 # SKIP $1"
	exit 77
}

[ -f "$(dirname "$zsr")/zsr-lttng.so" ] ||
	skip "zsr was built without LTTng-UST"
for program in lttng-sessiond lttng babeltrace2; do
	command -v $program >/dev/null || skip "no $program"
done
daemons() { # those of LTTng
	grep -slx -e lttng-sessiond -e lttng-consumerd /proc/[0-9]*/comm
}
# Root's session daemon is the system's: the test needs one of its own.
[ "$(id -u)" != 0 ] || [ -z "$(daemons)" ] ||
	skip "a session daemon runs already"

ZSR_DB=$tmp/zsr.db
export ZSR_DB

# What a recording must not leave.
left() {
	daemons
	ls /dev/shm/lttng* /dev/shm/*ust-* 2>/dev/null
	ls -d /tmp/zsr-lttng.* 2>/dev/null
	ls -d /run/lttng 2>/dev/null
}
left >"$tmp/before"
nothing_left() {
	tries=100
	while left >"$tmp/after"; ! cmp -s "$tmp/before" "$tmp/after"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { cat "$tmp/after"; return 1; }
		sleep 0.1
	done
}

# Quantiles P50 P90 P99 of numbers, by nearest rank.
quantiles() {
	sort -n | awk '{ v[NR] = $1 }
		function rank(p) { r = NR * p; return r == int(r) ? r : int(r) + 1 }
		END { print v[rank(.5)], v[rank(.9)], v[rank(.99)] }'
}
# The line of that output which has WORDS: P50 P90 P99
said() {
	sed -n "s/.*$1, p50 \([0-9]*\) p90 \([0-9]*\) p99 \([0-9]*\) ns/\1 \2 \3/p" \
		"$tmp/out"
}
events() { # DIR NAME: its events as text
	babeltrace2 "$1" 2>/dev/null | grep " zsr:$2: "
}

"$zsr" synth munmap --size 4M --procs 2 --name small >"$tmp/out" 2>"$tmp/err"
ok "synth makes a trace"

"$zsr" replay small --clock host -p sync --lttng "$tmp/rec" >"$tmp/out" \
	2>"$tmp/err" && grep -q "imported  'small-sync-lttng'" "$tmp/out" &&
	! grep -q discarded "$tmp/out"
ok "a run records itself"
grep -q "2048 by the run" "$tmp/out" && grep -q "2048 by the trace" "$tmp/out"
ok "the trace has as many frees as the run"

# Values of a histogram are upper bounds of buckets that are 1/32 wide.
# shellcheck disable=SC2046 # numbers
exact() {
	set -- $(events "$tmp/rec/sync" free_end |
		sed 's/.*took_ns = \([0-9]*\).*/\1/' | quantiles) $(said "by the run")
	echo "took_ns $1 $2 $3, histogram $4 $5 $6"
	[ $# = 6 ] && for i in 1 2 3; do
		[ "$4" -ge "$1" ] && [ $(($4 * 32)) -le $(($1 * 33 + 32)) ] ||
			return 1
		shift
	done
}
ok "took_ns of the events is the run's histogram" exact

# By its times, a free of the trace is one event longer; in a run that takes up
# to three times what the warm ones at its begin take, and time passes in 10 ns.
# shellcheck disable=SC2046 # numbers
agree() {
	event=$(sed -n 's/.*less \([0-9]*\) ns of an event.*/\1/p' "$tmp/out")
	set -- $(said "by the run") $(said "by the trace")
	echo "run $1 $2, trace $4 $5, an event $event"
	[ $# = 6 ] && [ "$event" -gt 0 ] && for i in 1 2; do
		[ $(($4 + 20)) -ge $(($1 * 31 / 32)) ] &&
			[ "$4" -le $(($1 * 33 / 32 + 3 * event + 20)) ] ||
			return 1
		shift
	done
}
ok "times of the trace are those of the run, and an event" agree
"$zsr" info small-sync-lttng >"$tmp/out" 2>"$tmp/err" &&
	grep -q 'probes (LTTng-UST)' "$tmp/out" &&
	grep -q 'seen from empty' "$tmp/out" &&
	grep -q '^  kernel  *7.2, locks' "$tmp/out" &&
	! grep -q 'records lost' "$tmp/out"
ok "the trace has the replayed one's facts, and what the probes cost"
"$zsr" replay small-sync-lttng -p sync,deferred --json >"$tmp/out" \
	2>"$tmp/err" && [ "$(grep -c '"frees": 2048' "$tmp/out")" = 2 ]
ok "and can be replayed"
ok "nothing is left" nothing_left

# ---- what there is of events ---------------------------------------------------

# On one CPU the worker has to wait until the queue is long full.
"$zsr" replay small --clock host -p deferred --param pool-pages=1 --cpus 1 \
	--lttng "$tmp/rec" --json >"$tmp/out" 2>"$tmp/err"
ok "falling back"
rec=$tmp/rec/deferred
fallbacks=$(sed -n 's/.*"fallbacks": \([0-9]*\).*/\1/p' "$tmp/out" | head -n 1)
[ "${fallbacks:-0}" -gt 0 ] &&
	[ "$(events "$rec" fallback | wc -l)" = "$fallbacks" ]
ok "an event for each of the run's fallbacks"
count() { events "$rec" "$1" | wc -l; }
is "$(count malloc) $(count free_begin) $(count free_end)" "2048 2048 2048" \
	>"$tmp/log"
ok "events of every store and release"
[ "$(count drain_begin)" -gt 0 ] &&
	[ "$(count drain_begin)" = "$(count drain_end)" ] &&
	[ "$(count task)" = 2 ]
ok "events of work and tasks"
pages=$(events "$rec" zspage_free | sed 's/.*nr_pages = //' |
	awk '{ n += $1 } END { print n }')
total=$(sed -n 's/.*"pages_total": \([0-9]*\).*/\1/p' "$tmp/out" | head -n 1)
is "$pages" "$total" >"$tmp/log"
ok "all pages go back by events"
levels() { # EVENT LEVEL: as LTTng numbers them
	babeltrace2 -o ctf-metadata "$rec/ust/uid/$(id -u)/"*-bit |
		grep -A 4 "name = \"zsr:$1\"" | grep -q "loglevel = $2;"
}
levels fallback 4 && levels lock_wait 5 && levels drain_begin 6 &&
	levels zspage_free 7 && levels free_begin 12
ok "levels"

fails 4 'File exists' "$zsr" replay small --clock host -p deferred \
	--lttng "$tmp/rec"
fails 2 'want --clock host' "$zsr" replay small -p sync --lttng "$tmp/x"
fails 2 'want --clock host' "$zsr" replay small -p sync --tracepoints
mkdir "$tmp/bin"
cp "$zsr" "$tmp/bin/zsr"
fails 4 'built without liblttng-ust-dev' "$tmp/bin/zsr" replay small \
	--clock host -p sync --lttng "$tmp/x"
ok "nothing is left by failures" nothing_left

# ---- ended by signals --------------------------------------------------------------

"$zsr" synth munmap --size 64M --procs 4 --name large >"$tmp/out" 2>"$tmp/err"
for sig in INT KILL; do
	timeout -s $sig 3 "$zsr" replay large --clock host -p sync \
		--repeat 1000 --lttng "$tmp/$sig" >"$tmp/out" 2>"$tmp/err"
	[ -d "$tmp/$sig/sync" ]
	ok "SIG$sig while it records"
	ok "leaves nothing" nothing_left
done

# ---- somebody's own session ----------------------------------------------------------

LTTNG_HOME=$tmp/home
HOME=$tmp/home
export LTTNG_HOME HOME
mkdir "$HOME"
trap '[ ! -f "$tmp/pid" ] || kill "$(cat "$tmp/pid")"; rm -rf "$tmp"' EXIT
{
	lttng-sessiond --no-kernel --daemonize --pidfile="$tmp/pid" &&
		lttng create own --output="$tmp/own" &&
		lttng enable-channel -u --subbuf-size=4096 --num-subbuf=2 c &&
		lttng enable-event -u 'zsr:*' -c c &&
		lttng add-context -u -t vtid -c c &&
		lttng start
} >"$tmp/log" 2>&1
ok "a session of the test's own"
"$zsr" replay small --clock host -p sync --tracepoints >"$tmp/out" \
	2>"$tmp/err"
ok "--tracepoints for it"
"$zsr" sql "SELECT conditions FROM run ORDER BY id DESC LIMIT 1" |
	grep -q -e --tracepoints
ok "the run says so"
"$zsr" import --tracepoints --name again "$sample" >"$tmp/out" 2>"$tmp/err"
ok "zsr import --tracepoints"
"$zsr" replay small --clock host -p sync --lttng "$tmp/beside" >"$tmp/out" \
	2>"$tmp/err" && grep -q '2048 by the trace' "$tmp/out" &&
	kill -0 "$(cat "$tmp/pid")"
ok "--lttng beside it, which is left alone"
{ lttng stop && lttng destroy; } >"$tmp/log" 2>&1
[ "$(events "$tmp/own" import_chunk | wc -l)" -gt 0 ]
ok "chunks are events"
"$zsr" import --name own --kernel 7.2 "$tmp/own" >"$tmp/out" 2>"$tmp/err" &&
	grep -q 'records lost (counted' "$tmp/out"
ok "what small buffers lose is counted"
kill "$(cat "$tmp/pid")"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ -n "$(daemons)" ] || break
	sleep 1
done
[ -z "$(daemons)" ]
ok "the test's daemon has ended"
# It and our waiting processes have their own, as any session daemon does.
while read -r file; do
	rm -rf "$file"
done <<-END
$(left | grep -e '^/dev/shm/lttng-ust-wait' -e '^/run/lttng' |
	grep -vxF -f "$tmp/before")
END
ok "nothing is left at the end" nothing_left

plan
