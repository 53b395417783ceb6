#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the rooms' benchmark programs, one after the other so that they do not
# disturb each other. Absolute numbers are this machine's; quote ratios.
set -eu

cd "$(dirname "$0")/.."
shared=${ZSR_SHARED:-../shared}
for b in "$@"; do
	echo "== ${b#"${ZSR_BUILD#"$PWD"/}"/}"
	case $b in
	*/capture/bench/decode)
		"$b" samples/*/trace.dat "$shared"/captures/s0*/trace.dat
		;;
	*) "$b" ;;
	esac || echo "   (exit $?)"
	echo
done
