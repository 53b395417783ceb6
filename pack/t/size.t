#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A real munmap of 256 MiB by one task: below 350 KB with exact sizes and times,
# below 200 KB with sizes of classes and times of 250 ns; what that does to
# replays is said.
set -u
. tests/tap.sh

export ZSR_DB="$tmp/t.db"
sample=samples/munmap-256m-6.12-x86_64/munmap-256m-6.12-x86_64.zsrpack

size() {
	wc -c <"$1"
}

"$zsr" unpack "$sample" --name m >"$tmp/out" 2>&1
result $? "the sample is unpacked"
"$zsr" pack m -o "$tmp/exact.zsrpack" >"$tmp/out" 2>&1
[ "$(size "$tmp/exact.zsrpack")" -lt 350000 ]
result $? "exact: $(size "$tmp/exact.zsrpack") bytes, below 350 KB"
"$zsr" pack m --size-class --quantise 250 -o "$tmp/small.zsrpack" \
	>"$tmp/out" 2>&1
[ "$(size "$tmp/small.zsrpack")" -lt 200000 ]
result $? "coarser: $(size "$tmp/small.zsrpack") bytes, below 200 KB"
[ "$(grep -c 'same result\|caller time' "$tmp/out")" = 3 ]
result $? "what that does to three replays is said"
plan
