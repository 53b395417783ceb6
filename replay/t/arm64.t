#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A virtual replay gives the same result digests on x86-64 and on arm64, under
# every policy, as it is and under load, short memory, CPUs going offline and
# compactions: the rooms from base to replay are built for both, the arm64 build
# runs under qemu-user. Skipped without cross compiler, its libraries, or qemu.
set -u

cross=aarch64-linux-gnu-gcc
for tool in $cross qemu-aarch64-static; do
	command -v $tool >/dev/null || {
		echo "1..0 # SKIP no $tool"
		exit 77
	}
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What has no use for zlib: sequences of the engine command are left out.
sources=$(ls base/*.c event/*.c db/*.c synth/*.c replay/*.c replay/policy/*.c \
	replay/machine/virtual/*.[cS] replay/machine/host/*.c \
	replay/engine/*.c |
	grep -v -e engine/seq -e engine/run)
build() { # compiler, output, flags...
	cc=$1 out=$2
	shift 2
	# shellcheck disable=SC2086 # a list of files
	$cc -std=gnu11 -D_GNU_SOURCE -I. -O2 -ffp-contract=off \
		-fno-strict-aliasing -w -o "$out" "$@" $sources \
		replay/t/portable/digests.c -lsqlite3 -lzstd -lxxhash -lnettle \
		-lm -ldl -pthread 2>"$work/log"
}

if ! build $cross "$work/arm64" -static; then
	grep -q 'cannot find -l\|No such file' "$work/log" && {
		echo "1..0 # SKIP no arm64 libraries"
		exit 77
	}
	sed 's/^/# /' "$work/log"
	echo "not ok 1 - builds for arm64"
	echo "1..1"
	exit 1
fi
echo "1..3"
failed=0
echo "ok 1 - builds for arm64"
build cc "$work/native" || sed 's/^/# /' "$work/log"
"$work/native" "$work/native.db" >"$work/native.txt"
qemu-aarch64-static "$work/arm64" "$work/arm64.db" >"$work/arm64.txt"
# Of the trace; of each policy as it is and under five conditions.
policies=$(grep -c '^	X(' replay/policy/policy.h)
lines=$(wc -l <"$work/native.txt")
distinct=$(awk '{ print $1, $2 }' "$work/native.txt" | sort -u | wc -l)
if [ "$policies" -ge 13 ] && [ "$lines" = $((1 + 6 * policies)) ] &&
	[ "$distinct" = "$lines" ]; then
	echo "ok 2 - the trace, every policy, under every condition, differ"
else
	failed=1
	echo "not ok 2 - the trace, every policy, under every condition, differ"
	sed 's/^/# /' "$work/native.txt"
fi
if diff "$work/native.txt" "$work/arm64.txt" >"$work/diff"; then
	echo "ok 3 - equal digests on both"
else
	failed=1
	echo "not ok 3 - equal digests on both"
	sed 's/^/# /' "$work/diff"
fi
exit $failed
