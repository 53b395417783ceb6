#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A pack that was made on x86-64 is checked, unpacked and replayed on arm64 (under
# qemu-user) with the digests that its manifest promises; the trace packed again
# makes the same bytes on both. Skipped without cross compiler, its libraries, or
# qemu.
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

sources=$(ls base/*.c event/*.c db/*.c replay/*.c replay/policy/*.c \
	replay/machine/virtual/*.[cS] replay/machine/host/*.c \
	replay/engine/*.c pack/*.c |
	grep -v -e engine/seq -e engine/run)
build() { # compiler, output, flags...
	cc=$1 out=$2
	shift 2
	# shellcheck disable=SC2086 # a list of files
	$cc -std=gnu11 -D_GNU_SOURCE -I. -O2 -ffp-contract=off \
		-fno-strict-aliasing -w -o "$out" "$@" $sources \
		pack/t/portable/again.c -larchive -lsqlite3 -lzstd -lxxhash \
		-lnettle -lm -ldl -pthread 2>"$work/log"
}

# Dynamic: libarchive's own libraries need not be there to link with.
libs=/usr/lib/aarch64-linux-gnu
if ! build $cross "$work/arm64" -L$libs -Wl,-rpath-link,$libs \
	-Wl,--allow-shlib-undefined; then
	grep -q 'cannot find -l\|No such file' "$work/log" && {
		echo "1..0 # SKIP no arm64 libraries"
		exit 77
	}
	sed 's/^/# /' "$work/log"
	echo "not ok 1 - builds for arm64"
	echo "1..1"
	exit 1
fi
n=1
failed=0
echo "ok 1 - builds for arm64"
result() { # status, description
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/native.txt" "$work/arm64.txt" "$work/err"
	fi
}
build cc "$work/native" || sed 's/^/# /' "$work/log"
for sample in munmap-256m-6.12-x86_64 fragment-6.12-arm64-16k; do
	pack=samples/$sample/$sample.zsrpack
	: >"$work/arm64.txt"
	"$work/native" "$pack" >"$work/native.txt" 2>"$work/err"
	result $? "$sample: x86-64 gives what is promised"
	qemu-aarch64-static -E LD_LIBRARY_PATH=$libs "$work/arm64" "$pack" \
		>"$work/arm64.txt" 2>"$work/err"
	result $? "$sample: arm64 gives what is promised"
	[ "$(wc -l <"$work/native.txt")" = 5 ] &&
		cmp -s "$work/native.txt" "$work/arm64.txt"
	result $? "$sample: both say the same, and make the same pack"
done
echo "1..$n"
exit $failed
