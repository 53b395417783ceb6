#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The engine does what real kernels' allocators did, op by op: the sequences
# that come with the tests, and all others where the shared data is.
set -u

echo 1..2
shared=${ZSR_SHARED:-../shared}/fixtures/zsmalloc

if out=$(tests/check-engine.sh replay/engine/t/data); then
	echo "ok 1 - $(echo "$out" | head -1)"
else
	echo "$out" | sed 's/^/# /'
	echo "not ok 1 - sequences of the tests"
fi

if ! [ -f "$shared/manifest.csv" ]; then
	echo "ok 2 - all sequences # SKIP no shared data"
elif out=$(tests/check-engine.sh --once "$shared"); then
	echo "ok 2 - $(echo "$out" | head -1)"
else
	echo "$out" | sed 's/^/# /'
	echo "not ok 2 - all sequences"
fi
