#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Records a command's use of zsmalloc where nothing can be installed, by writing to
# tracefs; `zsr import DIR` and `zsr judge DIR` read what it leaves. As root:
#
#	sh SCRIPT DIR COMMAND [ARG...]
#
# ZRAM_SIZE=512M swaps on a zram device made for the run, so that the pool is seen
# from empty (takes mkswap, swapon); ZRAM=zram1 says whose numbers are noted;
# BUFFER_KB is the ring buffer of a CPU (16384).
set -u

die() {
	echo "capture: $*" >&2
	exit 4
}

[ $# -ge 2 ] || {
	echo "usage: $0 DIR COMMAND [ARG...]" >&2
	exit 2
}
dir=$1
shift
[ "$(id -u)" = 0 ] || die "recording takes root"
tracing=/sys/kernel/tracing
[ -e $tracing/trace ] || mount -t tracefs none $tracing 2>/dev/null
[ -e $tracing/trace ] || tracing=/sys/kernel/debug/tracing
[ -e $tracing/kprobe_events ] || die "no tracefs, or no kprobe events in it"
grep -q ' zs_free$\| zs_free	' /proc/kallsyms ||
	die "no zsmalloc in this kernel, or its module is not loaded (modprobe zram)"
mkdir -p "$dir/raw" "$dir/formats" "$dir/snap" || exit 4
instance=$tracing/instances/zsr.$$
group=zsr_$$
zram=${ZRAM:-}
made=

finish() {
	if [ -n "$made" ]; then
		swapoff "/dev/$made" 2>/dev/null
		echo 1 >"/sys/block/$made/reset"
		echo "${made#zram}" >/sys/class/zram-control/hot_remove
	fi
	if [ -d "$instance" ]; then
		echo 0 >"$instance/events/enable"
		rmdir "$instance"
	fi
	sed -n "s|^[pr][0-9]*:\($group/[^ ]*\) .*|-:\1|p" \
		$tracing/kprobe_events | while read -r probe; do
		echo "$probe" >>$tracing/kprobe_events
	done
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

probe() {
	echo "$*" 2>/dev/null >>$tracing/kprobe_events
}

arm() {
	case $(uname -m) in
	armv*) first=%r0 second=%r1 third=%r2 ;;
	*) first=\$arg1 second=\$arg2 third=\$arg3 ;;
	esac
	args="pool=$first:x64 size=$second:u32 gfp=$third:x32"
	probe "r1024:$group/zs_malloc_done zs_malloc handle=\$retval:x64 $args" ||
		{ probe "p:$group/zs_malloc zs_malloc $args" &&
			probe "r1024:$group/zs_malloc_ret zs_malloc handle=\$retval:x64"; } ||
		die "no probe on zs_malloc"
	probe "p:$group/zs_free zs_free pool=$first:x64 handle=$second:x64" ||
		die "no probe on zs_free"
	probe "r:$group/zs_create_pool zs_create_pool pool=\$retval:x64"
	probe "p:$group/zs_destroy_pool zs_destroy_pool pool=$first:x64"
	probe "p:$group/zs_compact zs_compact pool=$first:x64"
	probe "r:$group/zs_compact_ret zs_compact freed=\$retval:u64"
}

snapshot() {
	[ -n "$zram" ] || return
	echo "snap:$1" >"$instance/trace_marker"
	for what in mm_stat io_stat; do
		cat "/sys/block/$zram/$what" >"$dir/snap/$1.$what"
	done
	cat "/sys/kernel/debug/zsmalloc/$zram/classes" \
		>"$dir/snap/$1.classes" 2>/dev/null || rm -f "$dir/snap/$1.classes"
	echo "snapped:$1" >"$instance/trace_marker"
}

# What is known besides travels as marks.
fact() { # key, file
	[ -r "$2" ] && echo "zsr:fact $1=$(tr '\n\0' '  ' <"$2" | sed 's/ *$//')" \
		>"$instance/trace_marker"
}

facts() {
	page=$(sed -n 's/^KernelPageSize: *\([0-9]*\) kB/\1/p' /proc/self/smaps |
		head -n 1)
	[ -z "$page" ] ||
		echo "zsr:fact page_size=$((page * 1024))" >"$instance/trace_marker"
	chain=$({ cat "/boot/config-$(uname -r)" || zcat /proc/config.gz; } \
		2>/dev/null | sed -n 's/^CONFIG_ZSMALLOC_CHAIN_SIZE=//p')
	[ -z "$chain" ] ||
		echo "zsr:fact chain_size=$chain" >"$instance/trace_marker"
	echo "zsr:fact pass=ops" >"$instance/trace_marker"
	fact machine.model /sys/firmware/devicetree/base/model
	cpu=/sys/devices/system/cpu/cpu0/cpufreq
	fact machine.governor $cpu/scaling_governor
	fact machine.max_khz $cpu/cpuinfo_max_freq
	fact swappiness /proc/sys/vm/swappiness
	for f in /sys/module/zswap/parameters/*; do
		fact "zswap.${f##*/}" "$f"
	done
	[ -n "$zram" ] || return 0
	echo "zsr:fact zram.name=$zram" >"$instance/trace_marker"
	for f in disksize comp_algorithm mem_limit; do
		fact "zram.$f" "/sys/block/$zram/$f"
	done
}

fresh() {
	made=zram$(cat /sys/class/zram-control/hot_add) ||
		die "no zram device can be added"
	zram=$made
	echo "$ZRAM_SIZE" >"/sys/block/$zram/disksize" || die "$zram: $ZRAM_SIZE"
	mkswap "/dev/$zram" >/dev/null || die "no mkswap"
	# Some have no priorities.
	swapon -p 32767 "/dev/$zram" 2>/dev/null || swapon "/dev/$zram" ||
		die "no swap on $zram"
}

# dd waits for more than there is; so it is stopped when all has been read.
dump() { # cpu
	cpu=$1
	cat "$instance/per_cpu/$cpu/stats" >"$dir/stats${cpu#cpu}"
	dd if="$instance/per_cpu/$cpu/trace_pipe_raw" of="$dir/raw/$cpu.raw" \
		bs="$page" 2>/dev/null &
	reader=$!
	tries=0
	until grep -q '^entries: 0$' "$instance/per_cpu/$cpu/stats" ||
		[ $tries = 600 ]; do
		sleep 1
		tries=$((tries + 1))
	done
	kill $reader
	wait $reader 2>/dev/null
}

mkdir "$instance" || die "no trace instance"
echo 0 >"$instance/tracing_on"
echo mono >"$instance/trace_clock"
echo "${BUFFER_KB:-16384}" >"$instance/buffer_size_kb"
arm
echo 1 >"$instance/events/$group/enable" || die "the probes cannot be enabled"
echo 1 >"$instance/tracing_on"
[ -z "${ZRAM_SIZE:-}" ] || fresh
export ZSR_MARKER="$instance/trace_marker" ZSR_SNAPSHOTS="$dir/snap" ZSR_ZRAM="$zram"
snapshot start
"$@"
status=$?
snapshot end
facts
echo 0 >"$instance/tracing_on"

# Header and formats first: they say how pages are read.
cat $tracing/events/header_page >"$dir/formats/header_page"
cat $tracing/events/header_event >"$dir/formats/header_event"
cat $tracing/events/ftrace/print/format >"$dir/formats/ftrace.print"
for f in "$instance/events/$group"/*/format; do
	event=${f%/format}
	cat "$f" >"$dir/formats/zsm.${event##*/}"
done
cat $tracing/saved_cmdlines >"$dir/formats/saved_cmdlines"
cat /proc/sys/kernel/osrelease >"$dir/osrelease"
cat "$instance/trace_clock" >"$dir/trace_clock"
grep "$group/" $tracing/kprobe_events >"$dir/kprobe_events"
page=$(sed -n 's/.*char data;.*offset:\([0-9]*\);.*size:\([0-9]*\);.*/\1 + \2/p' \
	"$dir/formats/header_page")
page=$(($page))
for p in "$instance/per_cpu"/cpu*; do
	dump "${p##*/}"
done
cat $tracing/kprobe_profile >"$dir/kprobe_profile"
echo "capture: $* ended with $status; $dir: $(cat "$dir"/raw/*.raw | wc -c) bytes" >&2
sed -n 's/^overrun: \([1-9].*\)/capture: \1 events lost (BUFFER_KB)/p' \
	"$dir"/stats* >&2
exit 0
