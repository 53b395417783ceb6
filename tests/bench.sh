#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the rooms' benchmark programs and scripts, one after the other so that
# they do not disturb each other. Absolute numbers are this machine's; quote
# ratios.
set -eu

cd "$(dirname "$0")/.."
shared=${ZSR_SHARED:-../shared}
for b in "$@"; do
	echo "== ${b#"${ZSR_BUILD#"$PWD"/}"/}"
	case $b in
	*/capture/bench/decode)
		"$b" samples/*/trace.dat "$shared"/captures/s0*/trace.dat
		;;
	*/capture/bench/peer | */db/bench/columns | */db/bench/memory | */db/bench/read)
		echo "   (run by db/bench/bars.sh)"
		;;
	*.sh) sh "$b" ;;
	*) "$b" ;;
	esac || echo "   (exit $?)"
	echo
done
