#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# `make capture-static` for 64- and 32-bit Arm: one file without libraries, which
# runs under qemu-user: it says what can be recorded, and prints its script.
# Debian's packages of the libraries are fetched where they are not installed.
set -u

. tests/tap.sh

cache=${ZSR_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zsr/kernels}

# The libraries of an architecture, in a tree of their own: $sysroot.
have_libraries() { # architecture, multiarch name
	sysroot=
	[ -f "/usr/lib/$2/pkgconfig/libtracefs.pc" ] && return
	sysroot=$cache/sysroot-$1
	[ -f "$sysroot/usr/lib/$2/pkgconfig/libtracefs.pc" ] && return
	tests/kernel/fetch.sh "$1" "$sysroot" \
		libtracefs-dev libtraceevent-dev libpopt-dev 2>"$tmp/err"
}

static() { # architecture, compiler prefix, multiarch name, emulator
	for tool in "${2}gcc" "$4"; do
		command -v "$tool" >/dev/null && continue
		ok "$1 # SKIP no $tool" true
		return
	done
	have_libraries "$1" "$3" || {
		ok "$1 # SKIP $(tail -1 "$tmp/err")" true
		return
	}
	ok "$1: it is built" env -u MAKEFLAGS make -s capture-static CROSS_COMPILE="$2" \
		SYSROOT="$sysroot"
	program=build-static/$(${2}gcc -dumpmachine)/zsr-capture
	! "${2}readelf" -l "$program" | grep -q INTERP
	ok "$1: one file"
	"$4" "$program" capture --print-script >"$tmp/script" 2>"$tmp/err" &&
		cmp -s "$tmp/script" capture/record/script.sh
	ok "$1: it prints its script"
	"$4" "$program" capture --check >"$tmp/out" 2>"$tmp/err"
	code=$?
	{ [ $code = 0 ] || [ $code = 1 ]; } && grep -q '^kprobe events' \
		"$tmp/out" || grep -q 'no tracefs\|takes root' "$tmp/err"
	ok "$1: it says what can be recorded here"
	"$4" "$program" workload munmap --size 1536K --procs 1,2 >"$tmp/out" \
		2>"$tmp/err" && grep -q '^ *2 *2 ' "$tmp/out"
	ok "$1: it runs a workload"
}

static arm64 aarch64-linux-gnu- aarch64-linux-gnu qemu-aarch64-static
static armhf arm-linux-gnueabihf- arm-linux-gnueabihf qemu-arm-static
plan
