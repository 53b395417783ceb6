#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the given tests (Check programs printing TAP, shell scripts printing
# TAP) with prove, from the top of the tree.
set -eu

cd "$(dirname "$0")/.."
PATH="$PWD/$(dirname "$ZSR_BUILD" | sed "s|^$PWD||;s|^/||;s|^$|.|"):$PATH"
export PATH
exec prove --exec tests/exec.sh --jobs "$(nproc)" --merge --timer "$@"
