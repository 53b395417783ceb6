#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the given tests with prove from the top of the tree: Check programs and
# shell scripts, both printing TAP. The program under test is $ZSR_BUILD/zsr.
set -eu

cd "$(dirname "$0")/.."
PATH="$ZSR_BUILD:$PATH"
export PATH ZSR_BUILD
exec prove --exec tests/exec.sh --jobs "$(nproc)" --merge "$@"
