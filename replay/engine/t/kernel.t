#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# `zsr engine classes` prints, for captures of real kernels, the very table the
# kernel printed at each mark: 4 and 16 KiB pages, arm64 and x86-64, one CPU and
# four, with compactions in between.
set -u

zsr=${ZSR:-zsr}
captures=${ZSR_SHARED:-../shared}/captures
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

for dir in "$captures"/*/; do
	set -- "$dir"snap/*.classes
	[ -f "$1" ] || continue
	name=$(basename "$dir")
	"$zsr" import "$dir" -d "$tmp/db" --name "$name" >"$tmp/said" 2>&1 ||
		sed 's/^/# /' "$tmp/said"
	for table; do
		mark=$(basename "$table" .classes)
		n=$((n + 1))
		if "$zsr" engine classes "$name" -d "$tmp/db" \
			--mark "snap:$mark" 2>&1 | cmp -s - "$table"; then
			echo "ok $n - $name at $mark"
		else
			echo "not ok $n - $name at $mark"
		fi
	done
done

if [ "$n" = 0 ]; then
	echo "1..0 # SKIP no shared captures"
	exit 77
fi
echo "1..$n"
