#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What a capture costs a munmap of swapped pages, in instructions of the guest: at
# most 2 % more a page than the same two probes of three lines of shell, and where
# pages are stored a tenth of what the probe costs.
set -u

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

ZSR_ICOUNT=1 "$here/boot.sh" 6.12 "$here/cost.sh" "$tmp/out" 1 2>"$tmp/said"
status=$?
if [ $status = 77 ]; then
	echo "1..0 # SKIP $(tail -1 "$tmp/said")"
	exit 77
fi
echo 1..2
within() { # column, most of the probes' cost, description
	awk -v c="$1" -v most="$2" '{ v[$1] = $c } END {
		bare = v["bare"]; shell = v["shell"]; capture = v["capture"]
		printf "# a page: %s bare, %s with probes, %s captured\n",
			bare, shell, capture
		exit !(bare > 0 && shell > bare + 500 &&
			capture - bare <= most * (shell - bare)) }' \
		"$tmp/out/cost" 2>>"$tmp/said" && echo "ok $3" && return
	sed 's/^/# /' "$tmp/said"
	echo "not ok $3"
}
mkdir -p "$tmp/out"
[ $status = 0 ] || : >"$tmp/out/cost"
within 2 1.02 "1 - a capture costs a release what its probes cost"
within 3 1.10 "2 - a capture costs a store what its probe costs"
