#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the rooms' benchmark programs, one after the other so that they do not
# disturb each other. Absolute numbers are this machine's; quote ratios.
set -eu

cd "$(dirname "$0")/.."
for b in "$@"; do
	echo "== ${b#"${ZSR_BUILD#"$PWD"/}"/}"
	"$b" || echo "   ($? from ${b##*/})"
	echo
done
