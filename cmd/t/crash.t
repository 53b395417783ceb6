#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 of an import, a removal and a merge at random moments: the database
# is as before or has the whole, is sound, nothing lies beside it, and the same
# then works. A full disk: what is there can be read, what fails says why.
set -u
. tests/tap.sh

trap 'umount "$tmp/full" 2>/dev/null; rm -rf "$tmp"' EXIT

cd "$tmp" || exit 1
# every trace and its digest; "empty"
answer() {
	$zsr sql "select ifnull(group_concat(name || digest), 'empty') from
		(select name, digest from trace order by name)" --csv -d k.db |
		tail -n 1
}

# some time up to 40 ms
nap() { sleep "0.0$(($(od -An -N1 -tu1 /dev/urandom) % 40 + 10))"; }

# kills WHAT PREPARE COMMAND...: 25 times; what is there afterwards is either of
# two states
kills() {
	what=$1
	prepare=$2
	shift 2
	wrong=
	$prepare
	before=none
	[ -e k.db ] && before=$(answer)
	"$@" >/dev/null 2>&1
	after=$(answer)
	[ "$before" != "$after" ] || wrong="does nothing"
	tries=0
	while [ $tries -lt 25 ] && [ -z "$wrong" ]; do
		tries=$((tries + 1))
		$prepare
		"$@" >/dev/null 2>&1 &
		pid=$!
		nap
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
		now=none
		if [ -e k.db ]; then
			now=$($zsr fsck k.db 2>&1) || wrong="fsck: $now"
			now=$(answer)
		fi
		# A new one that is still empty is as good as none.
		[ "$now" = empty ] && [ "$before" = none ] && now=none
		[ "$now" = "$before" ] || [ "$now" = "$after" ] ||
			wrong="$wrong now: $now"
		for f in *; do
			case $f in
			*.db | *.db-wal | *.db-shm | *.db-journal) ;;
			*) wrong="$wrong left: $f" ;;
			esac
		done
		if [ "$now" = "$before" ]; then
			"$@" >/dev/null 2>&1
			[ "$(answer)" = "$after" ] || wrong="then: $(answer)"
		fi
	done
	[ -z "$wrong" ]
	result $? "$what, killed" "$wrong"
}

nothing() { rm -f k.db*; }
something() { nothing; cp keep.db k.db; }
$zsr import "$sample" --name here -d keep.db >/dev/null
$zsr synth munmap --size 8M --procs 2 --name syn -d keep.db >/dev/null
$zsr synth munmap --size 4M --procs 3 --name other -d other.db >/dev/null
$zsr export syn -o - --format trace.dat -d keep.db >.dat

kills "an import into a new database" nothing \
	$zsr import "$sample" --name a -d k.db
kills "an import" something $zsr import .dat --force --name a -d k.db
kills "a removal" something $zsr rm here -d k.db
kills "a merge" something $zsr merge other.db -d k.db
kills "a merge into a new database" nothing $zsr merge keep.db other.db -d k.db

# ---- a full disk

if mkdir full && mount -t tmpfs -o size=1m tmpfs full 2>/dev/null; then
	cp keep.db full/k.db
	head -c 2m /dev/zero >full/fill 2>/dev/null
	out=$($zsr ls -d full/k.db 2>&1)
	result $? "a full disk: ls" "$out"
	out=$($zsr info here -d full/k.db 2>&1)
	result $? "a full disk: info" "$out"
	out=$($zsr fsck full/k.db 2>&1)
	result $? "a full disk: fsck" "$out"
	out=$($zsr import "$sample" --force -d full/k.db 2>&1)
	[ $? = 4 ] && echo "$out" | grep -q 'No space left on device'
	result $? "a full disk: import says why" "$out"
	out=$($zsr import "$sample" -d full/new.db 2>&1)
	[ $? = 4 ] && echo "$out" | grep -q 'No space left on device' &&
		! ls full | grep -q new
	result $? "a full disk: no new database, and nothing of one" "$out"
	rm full/fill
	out=$($zsr import "$sample" --force --name a -d full/k.db 2>&1 &&
		$zsr fsck full/k.db 2>&1)
	result $? "room again: it works" "$out"
	umount full
else
	result 0 "a full disk # SKIP cannot mount a small one"
fi
plan
