# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest, under ZSR_ICOUNT=1: what a munmap costs a page, and what
# swapping it out did, in instructions, without a probe, with the probes of three lines of shell, and
# under zsr capture. Three rounds each; the first warms up.

t=/sys/kernel/tracing
workload() {
	zsr-capture workload munmap --size 16M --rounds 3 --pages small |
		awk -v what="$1" '$1 ~ /^[1-9]/ && NF == 7 { print what, $6, $7 }' \
			>>/out/cost
}
zram() {
	n=$(cat /sys/class/zram-control/hot_add)
	echo 128M >/sys/block/zram$n/disksize
	mkswap /dev/zram$n >/dev/null
	swapon /dev/zram$n
}
away() {
	swapoff /dev/zram$n
	echo 1 >/sys/block/zram$n/reset
	echo $n >/sys/class/zram-control/hot_remove
}

mount -t tracefs none $t
zram
workload warm-up
workload bare
away
echo 16384 >$t/buffer_size_kb
echo mono >$t/trace_clock
zram
echo 'p:x/zs_free zs_free pool=$arg1:x64 handle=$arg2:x64' >>$t/kprobe_events
echo 'r1024:x/zs_malloc zs_malloc handle=$retval:x64 pool=$arg1:x64 size=$arg2:u32 gfp=$arg3:x32' >>$t/kprobe_events
echo 1 >$t/events/x/enable
workload shell
echo 0 >$t/events/x/enable
echo >$t/kprobe_events
away
zsr-capture capture -o /out/x.dat --fresh-zram 128M -- \
	zsr-capture workload munmap --size 16M --rounds 3 --pages small |
	awk '$1 ~ /^[1-9]/ && NF == 7 { print "capture", $6, $7 }' >>/out/cost
