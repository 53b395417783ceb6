#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Real kernels, booted: captures of workloads in them are complete, agree with the
# kernel's own numbers at every mark, and count what trace-cmd counts; captures
# that go wrong say why in one line and leave the system as it was. KERNELS names
# those of tests/kernel/kernels that are booted, CPUS how many they have.
set -u

here=$(cd "$(dirname "$0")" && pwd)
zsr=${ZSR:-zsr}
kernels=${KERNELS:-$(awk '/^[^#]/ { print $1 }' "$here/kernels")}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0

result() { # status, description
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/said" | head -20
	fi
}

# A line of the guest's results: status, and what lay around afterwards.
ended() { # name, status, description
	grep "^$1 " "$out/results" >"$tmp/said"
	cat "$out/$1.err" >>"$tmp/said" 2>/dev/null
	grep -q "^$1 $2 $around" "$out/results"
	result $? "$kernel: $3; nothing is left"
}

said() { # name, text
	cp "$out/$1.err" "$tmp/said"
	[ "$(grep -c "$2" "$out/$1.err")" = 1 ] &&
		[ "$(wc -l <"$out/$1.err")" = "${3:-1}" ]
	result $? "$kernel: $1 is said in one line: $2"
}

agrees() { # name, values of pages compared at least, further options
	"$zsr" judge --csv "$out/$1.dat" >"$tmp/said" 2>&1
	status=$?
	compared=$(awk -F, '$2 == "mm_stat" { n += $5 } END { print n + 0 }' \
		"$tmp/said")
	[ $status = 0 ] && [ "$compared" -ge "$2" ]
	result $? "$kernel: $1 agrees with the kernel in $compared values"
}

complete() { # name
	! grep -q ' some lost$' "$out/$1.err"
	result $? "$kernel: $1 lost nothing"
	events=$(sed -n "s|^/out/$1.dat: \([0-9,]*\) events.*|\1|p" \
		"$out/$1.err" | tr -d ,)
	trace-cmd report "$out/$1.dat" >"$tmp/report" 2>"$tmp/said"
	[ -s "$tmp/said" ] && cat "$tmp/said"
	counted=$(grep -vc '^cpus=' "$tmp/report")
	echo "$events, trace-cmd: $counted" >>"$tmp/said"
	cp "$tmp/report" "$out/$1.txt"
	[ "$events" = "$counted" ]
	result $? "$kernel: trace-cmd counts $1's events, too ($events)"
}

# What zsr info --json says of a capture of durations.
value() { # path
	sqlite3 :memory: "select json_extract(readfile('$tmp/info'), '\$$1')"
}

measured() { # name, method, release, the least frees
	"$zsr" info --json -d "$tmp/$kernel-durations.db" "$out/$1.dat" \
		>"$tmp/info" 2>"$tmp/said"
	value .durations >>"$tmp/said"
	[ "$(value .durations.cost.method)" = "$2" ] &&
		[ "$(value .durations.cost.calls)" -ge 512 ] &&
		[ "$(value .durations.of.zs_free.calls)" -ge "$4" ]
	result $? "$kernel: $1 has durations, and what $2 costs"
	# A call takes no less than the probes do, but for noise.
	[ "$(value .durations.of.zs_free.net_ns.p99)" -gt 0 ] &&
		[ "$(value .durations.of.zs_free.net_ns.p50)" -lt \
			"$(value .durations.of.zs_free.raw_ns.p50)" ] &&
		[ "$(value .durations.of.$3.calls)" -ge 1 ]
	result $? "$kernel: $1's can be corrected; $3 is measured"
}

durations() {
	method=$(sed -n 's/^latency pass *\([a-z_]*\),.*/\1/p' "$out/check.txt")
	case $kernel in
	6.1) want=kprobe ;;
	*arm64 | *16k | oracle*) want=$method ;; # by their configuration
	*) want=fprobe ;;
	esac
	echo "$method" >"$tmp/said"
	[ "$method" = $want ]
	result $? "$kernel: --check says that latency is measured by $want"
	measured latency $want munmap 1800
	measured kprobe kprobe exit_mmap 1800
	case $want in
	fprobe) ended fprobe 0 "fprobes are there" ;;
	*)
		ended fprobe 4 "no fprobes are exit 4"
		said fprobe 'no fprobe events in this kernel'
		;;
	esac
	if [ "$kernel" = 6.1 ]; then
		ended graph 4 "no tracer for an instance is exit 4"
		said graph 'no function_graph tracer for an instance'
		return
	fi
	ended graph 0 "function_graph is recorded"
	measured graph function_graph munmap 1800
	"$zsr" replay -d "$tmp/$kernel-durations.db" graph --policy sync \
		2>"$tmp/said" >/dev/null
	[ $? = 3 ] && grep -q 'recorded without arguments' "$tmp/said"
	result $? "$kernel: graph says why it cannot be replayed"
}

judged() {
	release=$(cat "$out/release")
	around=$(sed -n 's/^check 0 //p' "$out/results")
	[ -n "$around" ]
	result $? "$kernel: $release can record"
	cp "$out/check.txt" "$tmp/said"
	grep -q '^page events  *yes: --pages' "$out/check.txt" &&
		grep -q '^new zram device  *yes: --fresh-zram' "$out/check.txt"
	result $? "$kernel: it says which options help"
	for name in munmap exit switch place latency events both compact stream \
		samples pid; do
		ended $name 0 "$name is recorded"
		complete $name
	done
	agrees stream 30
	agrees samples 40
	# Pages as the calls have them, and as the kernel counted them.
	awk '/ vmstat / { n++; sub(/.*pool_pages=/, ""); pages = $1 + 0
		if (pages > most) most = pages; last = pages }
		END { exit !(n > 20 && most > 1000 && last < most / 2) }' \
		"$out/samples.txt"
	result $? "$kernel: samples show how memory comes and goes"
	said nopid 'process 99999: No such process'
	! grep -q 'zs_malloc\(_done\)\?: .*kswapd' "$out/pid.txt" &&
		[ "$(grep -c ' zs_free: ' "$out/pid.txt")" -gt 900 ]
	result $? "$kernel: a process is followed, and its child"
	[ ! -e "$out/zswap.dat" ] || {
		ended zswap 0 "zswap is recorded"
		complete zswap
		[ "$(grep -c ' zs_create_pool: ' "$out/zswap.txt")" -ge 2 ] &&
			grep -aq 'snap.unmapped-r0.zswap=.*stored_pages' \
				"$out/zswap.dat" &&
			grep -aq 'zswap.enabled=' "$out/zswap.dat"
		result $? "$kernel: zswap's pool, numbers and settings are in it"
	}
	ended script 0 "the script records"
	mv "$out/script" "$out/script.dat"
	agrees script 28
	rm -f "$tmp/script.db"
	"$zsr" import -d "$tmp/script.db" "$out/script.dat" >"$tmp/said" 2>&1
	"$zsr" sql -d "$tmp/script.db" --csv "select count(*) from meta where
		key in ('pass', 'zram.name', 'zram.disksize', 'page_size',
			'swappiness')" >>"$tmp/said" 2>&1
	[ "$(tail -n 1 "$tmp/said")" = 5 ]
	result $? "$kernel: the script notes the settings"
	agrees munmap 35
	agrees exit 28
	agrees switch 75
	[ "$(grep -c '^switch-[0-9]*-r0,mm_stat' "$tmp/said")" = 12 ]
	result $? "$kernel: twelve turns are in it"
	agrees place 35
	agrees latency 27
	agrees events 20
	agrees both 19
	agrees both-latency 19
	agrees compact 40
	grep -q '^compacted-r0,mm_stat' "$tmp/said" &&
		[ "$(grep -c zs_compact "$out/compact.txt")" = 2 ]
	result $? "$kernel: the compaction is in it"
	trace-cmd report "$out/events.dat" >"$tmp/report" 2>"$tmp/said"
	for event in sched_switch mm_page_free sys_enter_munmap; do
		grep -c " $event: " "$tmp/report" >>"$tmp/said" ||
			echo "no $event" >>"$tmp/said"
	done
	! grep -q '^no ' "$tmp/said"
	result $? "$kernel: the kernel's own events are there when asked for"
	case $kernel in
	oracle*)
		"$zsr" judge --csv "$out/place.dat" >"$tmp/said"
		awk -F, '$2 == "classes" { n++; d += $6 } END { exit n < 5 || d }' \
			"$tmp/said"
		result $? "$kernel: class tables agree at every mark"
		;;
	esac
	# With one CPU those of all pages, and of the header.
	awk -F, -v least=$([ "$cpus" = 1 ] && echo 4000 || echo 1) \
		'$2 == "places" && $5 >= least && $6 == 0 { ok = 1 }
		END { exit !ok }' <<-EOT
		$("$zsr" judge --csv "$out/place.dat" 2>/dev/null)
	EOT
	result $? "$kernel: objects are where the kernel put them"
	"$zsr" import -d "$tmp/$kernel.db" --times emulated --name place \
		"$out/place.dat" >"$tmp/said" 2>&1
	"$zsr" sql -d "$tmp/$kernel.db" --csv "select kernel, from_empty
		from trace" >"$tmp/said" 2>&1
	grep -q "^$release,1$" "$tmp/said"
	result $? "$kernel: the import knows the kernel, and the pool from empty"
}

went_wrong() {
	ended lossy 1 "a buffer that is too small is exit 1 with --lossless"
	cp "$out/lossy.err" "$tmp/said"
	grep -q '^zsr capture: cpu [0-9]*: [0-9,]* events lost before [0-9.]* s' \
		"$out/lossy.err"
	result $? "$kernel: it says which CPU lost how many, and when"
	"$zsr" judge "$out/lossy.dat" >"$tmp/said" 2>&1 &&
		grep -q 'records were lost' "$tmp/said"
	result $? "$kernel: the capture knows it"
	ended streamlossy 1 "a reader that is too slow is exit 1 with --lossless"
	cp "$out/streamlossy.err" "$tmp/said"
	grep -q 'events lost between [0-9.]* s and [0-9.]* s' \
		"$out/streamlossy.err"
	result $? "$kernel: between which times is said"
	ended taken 0 "others have a probe there, too"
	complete taken
	agrees taken 19
	[ "$(cat "$out/taken.theirs")" -gt 900 ]
	result $? "$kernel: their events come to them"
	ended notracefs 4 "no tracefs is exit 4"
	said notracefs 'no tracefs'
	grep -q '^notracefs 4 [0-9]* 2$' "$out/results"
	result $? "$kernel: no file is left of it"
	ended false 0 "a command that fails is recorded"
	ended crash 0 "a command that crashes is recorded"
	grep -q 'sh died of signal 11' "$out/crash.err"
	result $? "$kernel: that it crashed is said"
	ended nocommand 2 "a command that is not there is exit 2"
	said nocommand 'no-such-command: command not found'
	ended term 0 "SIGTERM ends the capture"
	agrees term 14
	[ "$(wc -l <"$out/left.during")" -gt "$(wc -l <"$out/left.before")" ] &&
		cmp -s "$out/left.before" "$out/left.after"
	result $? "$kernel: after SIGKILL the system is as it was"
	ended cleanup 0 "--cleanup removes what is left"
	ended full 4 "a full disk is exit 4"
	said full 'No space left on device'
	grep -q '^full 4 [0-9]* 0$' "$out/results"
	result $? "$kernel: no part of a file is left on it"
	ended ro 4 "output that is read-only is exit 4"
	said ro 'Read-only file system'
	ended user 4 "no root is exit 4"
	said user 'recording takes root'
	ended rmmod 0 "modules unloaded meanwhile"
	[ -e "$out/builtin" ] || said rmmod 'zsmalloc was unloaded meanwhile' 2
	ended noevent 4 "no such event is exit 4"
	said noevent 'event sched:sched_nap'
	[ ! -e "$out/locked" ] || {
		grep -q '^lockdown 4' "$out/results"
		result $? "$kernel: a kernel that is locked down is exit 4"
		said lockdown 'locked down'
	}
	[ ! -e "$out/builtin" ] || return
	ended nozram 4 "no zram is exit 4"
	said nozram 'modprobe zram'
}

for kernel in $kernels; do
	out=$tmp/$kernel
	# One CPU has one order, so every place is compared.
	case $kernel in
	oracle*) cpus=${CPUS:-1} ;;
	*) cpus=${CPUS:-4} ;;
	esac
	"$here/boot.sh" "$kernel" "$here/guest.sh" "$out" "$cpus" \
		2>"$tmp/said"
	status=$?
	if [ $status = 77 ]; then
		n=$((n + 1))
		echo "ok $n - $kernel # SKIP $(tail -1 "$tmp/said")"
		continue
	fi
	result $status "$kernel boots, with $cpus CPUs"
	[ $status = 0 ] || continue
	judged
	durations
	went_wrong
	[ -z "${KEEP:-}" ] || cp -r "$out" "$KEEP"
done
echo "1..$n"
