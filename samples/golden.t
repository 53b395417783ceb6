#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every shipped sample still gives the numbers kept beside it, and has a README
# with its licence and where it was captured.
set -u

n=0
failed=0
for dir in samples/*/; do
	sample=$(basename "$dir")
	n=$((n + 1))
	if samples/golden.sh "$sample" 2>&1 | diff "$dir/golden" - >/tmp/golden.$$; then
		echo "ok $n - $sample"
	else
		failed=1
		echo "not ok $n - $sample"
		sed 's/^/# /' /tmp/golden.$$
	fi
	rm -f /tmp/golden.$$
	n=$((n + 1))
	if grep -q 'CC0-1.0' "$dir/README" && grep -q 'emulat\|hardware' "$dir/README"; then
		echo "ok $n - $sample says its licence and origin"
	else
		failed=1
		echo "not ok $n - $sample says its licence and origin"
	fi
done
echo "1..$n"
[ $n -gt 0 ] && exit $failed
