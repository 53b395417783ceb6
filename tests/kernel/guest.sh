# SPDX-License-Identifier: GPL-2.0-only
# Runs in the guest: captures, and captures that go wrong. Each leaves NAME.dat
# when it should, NAME.err with what was said, and in results a line with its
# exit status and what it left on the system.

left() {
	ls /sys/kernel/tracing/instances /run
	cat /sys/kernel/tracing/dynamic_events
	cat /proc/swaps | tail -n +2
	ls /sys/block | grep zram
}

capture() { # name, arguments
	name=$1
	shift
	zsr-capture capture -o "/out/$name.dat" "$@" 2>"/out/$name.err"
	echo "$name $? $(left | wc -l)" >>/out/results
}

zsr-capture capture --check >/out/check.txt
echo "check $? $(left | wc -l)" >>/out/results
left >/out/left.before

capture munmap --fresh-zram 256M -- \
	zsr-capture workload munmap --size 24M --refault 10 --holes 40
capture exit --fresh-zram 256M --lossless -- \
	zsr-capture workload exit --size 6M --procs 4 --rounds 2
capture switch --fresh-zram 256M -- \
	zsr-capture workload app-switch --size 3M
capture both --fresh-zram 256M --both -- \
	zsr-capture workload munmap --size 4M
capture compact --fresh-zram 256M --placement -- \
	zsr-capture workload frag --size 16M --seed 5 --compact
capture place --fresh-zram 256M --placement --caller -- \
	zsr-capture workload frag --size 16M --seed 3
capture latency --fresh-zram 256M --pass latency -- \
	zsr-capture workload munmap --size 8M --pages uniform
capture kprobe --fresh-zram 256M --pass latency --method kprobe -- \
	zsr-capture workload exit --size 4M --procs 2
capture graph --fresh-zram 256M --pass latency --method function_graph -- \
	zsr-capture workload munmap --size 8M --pages uniform
capture fprobe --fresh-zram 16M --pass latency --method fprobe -- true
capture events --fresh-zram 256M --sched --locks --pages --munmap \
	-e kmem:mm_page_alloc -- zsr-capture workload munmap --size 8M --procs 2
capture noevent --fresh-zram 16M -e sched:sched_nap -- true
capture lossy --fresh-zram 256M --buffer 64K --lossless -- \
	zsr-capture workload munmap --size 40M

capture stream --fresh-zram 256M --stream --buffer 256K -- \
	zsr-capture workload munmap --size 16M --rounds 2
capture streamlossy --fresh-zram 256M --stream --buffer 16K --lossless -- \
	zsr-capture workload munmap --size 16M
capture samples --fresh-zram 256M --vmstat --compact -- \
	zsr-capture workload mixed --size 6M --procs 2
# A process that is there already, and a device that is.
n=$(cat /sys/class/zram-control/hot_add)
echo 128M >/sys/block/zram$n/disksize
mkswap /dev/zram$n >/dev/null
swapon /dev/zram$n
sh -c 'sleep 4; zsr-capture workload munmap --size 4M' >/dev/null &
other=$!
sleep 1
zsr-capture capture -o /out/pid.dat --pid $other 2>/out/pid.err
status=$?
swapoff /dev/zram$n
echo 1 >/sys/block/zram$n/reset
echo $n >/sys/class/zram-control/hot_remove
echo "pid $status $(left | wc -l)" >>/out/results
capture nopid --pid 99999

# Zswap before the device; its pool is made when it is switched on.
zswap=/sys/module/zswap/parameters
[ -e $zswap/enabled ] && {
	capture zswap --fresh-zram 256M -- sh -c "
		echo zsmalloc >$zswap/zpool; echo Y >$zswap/enabled
		exec zsr-capture workload munmap --size 4M"
	echo N >$zswap/enabled
}

# With a shell and its usual tools.
zsr-capture capture --print-script >/script.sh
grep -q "^zram " /proc/modules || touch /out/builtin
ZRAM_SIZE=256M sh /script.sh /out/script zsr-capture workload munmap \
	--size 16M --holes 30 2>/out/script.err
echo "script $? $(left | wc -l)" >>/out/results

# ---- what goes wrong ---------------------------------------------------------

capture false --fresh-zram 16M -- false
capture crash --fresh-zram 16M -- sh -c 'kill -SEGV $$'
capture nocommand --fresh-zram 16M -- no-such-command

# A signal ends the command, and there is a file.
zsr-capture capture -o /out/term.dat --fresh-zram 16M -- sleep 100 \
	2>/out/term.err &
pid=$!
sleep 3
kill -TERM $pid
wait $pid
echo "term $? $(left | wc -l)" >>/out/results

# Nobody can catch this one; somebody else cleans up.
zsr-capture capture -o /out/kill.dat --fresh-zram 16M -- sleep 100 \
	2>/out/kill.err &
pid=$!
sleep 3
left >/out/left.during
kill -KILL $pid
wait $pid
status=$?
sleep 3
left >/out/left.after
echo "kill $status $(left | wc -l)" >>/out/results

# What a process left that is gone, guardian and all.
mkdir /sys/kernel/tracing/instances/zsr.99999
echo 'p:zsr_99999/zs_free zs_free' >>/sys/kernel/tracing/kprobe_events
zsr-capture capture --cleanup >/out/cleanup.txt 2>&1
echo "cleanup $? $(left | wc -l)" >>/out/results

mkdir /small
mount -t tmpfs -o size=64k none /small
zsr-capture capture -o /small/full.dat --fresh-zram 64M -- \
	zsr-capture workload munmap --size 8M >/dev/null 2>/out/full.err
echo "full $? $(left | wc -l) $(ls -A /small | wc -l)" >>/out/results
mount -o remount,ro /small
zsr-capture capture -o /small/ro.dat --fresh-zram 16M -- true 2>/out/ro.err
echo "ro $? $(left | wc -l)" >>/out/results
mkdir -m 777 /any
su nobody -c 'zsr-capture capture -o /any/user.dat -- true' 2>/out/user.err
echo "user $? $(left | wc -l)" >>/out/results

# Somebody else's probes stay, and are no hindrance.
echo 'p:mine/zs_free zs_free' >>/sys/kernel/tracing/kprobe_events
echo 1 >/sys/kernel/tracing/events/mine/zs_free/enable
zsr-capture capture -o /out/taken.dat --fresh-zram 64M -- \
	zsr-capture workload munmap --size 4M 2>/out/taken.err
status=$?
echo 0 >/sys/kernel/tracing/events/mine/zs_free/enable
grep -c ' zs_free: ' /sys/kernel/tracing/trace >/out/taken.theirs
echo '-:mine/zs_free' >>/sys/kernel/tracing/kprobe_events
echo "taken $status $(left | wc -l)" >>/out/results

# Nothing is mounted, and nowhere to mount it.
mkdir -p /empty/bin /empty/proc
cp /bin/zsr-capture /empty/bin
mount -t proc proc /empty/proc
chroot /empty /bin/zsr-capture capture -o /x.dat -- true 2>/out/notracefs.err
echo "notracefs $? $(left | wc -l) $(ls -A /empty | wc -l)" >>/out/results
umount /empty/proc

# The module goes away under the probes' feet, or is not there.
capture rmmod -- sh -c 'rmmod zram; rmmod zsmalloc; true'
capture nozram --fresh-zram 16M -- true

# A kernel that is locked down lets nobody see its calls, ever after.
mount -t securityfs none /sys/kernel/security
echo confidentiality >/sys/kernel/security/lockdown
grep -F '[confidentiality]' /sys/kernel/security/lockdown && {
	echo yes >/out/locked
	capture lockdown -- true
}
