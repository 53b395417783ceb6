#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the given tests with prove from the top of the tree: Check programs and
# shell scripts, both printing TAP. The program under test is $ZSR_BUILD/zsr.
set -eu

cd "$(dirname "$0")/.."
PATH="$ZSR_BUILD:$PATH"
LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export PATH ZSR_BUILD LSAN_OPTIONS
exec prove --exec tests/exec.sh --jobs "$(nproc)" --merge "$@"
