#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The host machine runs on arm64: replays on threads and calibration, built for it
# and run under qemu-user. Skipped without cross compiler, its libraries, or qemu.
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

sources=$(ls base/*.c event/*.c db/*.c synth/*.c replay/*.c replay/policy/*.c \
	replay/machine/virtual/*.[cS] replay/machine/host/*.c \
	replay/engine/*.c | grep -v -e engine/seq -e engine/run)
# shellcheck disable=SC2086 # a list of files
if ! $cross -std=gnu11 -D_GNU_SOURCE -I. -O1 -ffp-contract=off \
	-fno-strict-aliasing -w -static -o "$work/host" $sources \
	replay/t/portable/host.c -lsqlite3 -lzstd -lxxhash -lnettle -lm -ldl \
	-pthread 2>"$work/log"; then
	grep -q 'cannot find -l\|No such file' "$work/log" && {
		echo "1..0 # SKIP no arm64 libraries"
		exit 77
	}
	sed 's/^/# /' "$work/log"
	echo "not ok 1 - builds for arm64"
	echo "1..1"
	exit 1
fi
echo "ok 1 - builds for arm64"
if qemu-aarch64-static "$work/host" "$work/db" >"$work/out" 2>"$work/err" &&
	[ "$(wc -l <"$work/out")" = 8 ]; then
	echo "ok 2 - policies run on its threads"
	status=0
else
	echo "not ok 2 - policies run on its threads"
	sed 's/^/# /' "$work/out" "$work/err"
	status=1
fi
if qemu-aarch64-static "$work/host" >"$work/out" 2>"$work/err" &&
	[ "$(grep -c '^[a-z_]* = ' "$work/out")" -ge 53 ] &&
	grep -q '^obj_free = [0-9.]* ns # quartiles' "$work/out" &&
	grep -q '^page_free = .* rounds' "$work/out" &&
	grep -q 'of rpi4b' "$work/out"; then
	echo "ok 3 - it is calibrated"
else
	echo "not ok 3 - it is calibrated"
	sed 's/^/# /' "$work/out" "$work/err"
	status=1
fi
echo "1..3"
exit $status
