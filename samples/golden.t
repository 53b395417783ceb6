#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every shipped sample still gives the numbers kept beside it, and has a README
# with its licence and where it was captured; packs are intact, give nothing
# away, the digests they promise come out, and the engine holds what the kernel's
# own tables in them say. All of them are below 6 MB.
set -u

zsr=${ZSR_BUILD:-build}/zsr
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
	if [ -e "$dir/trace.dat" ] || {
		"$zsr" verify --private --replay "$dir/$sample.zsrpack" \
			>/tmp/golden.$$ 2>&1 &&
			grep -q '3 of 3 runs give the same' /tmp/golden.$$ &&
			"$zsr" judge "$dir/$sample.zsrpack" >/tmp/golden.$$; }; then
		echo "ok $n - $sample keeps its promises"
	else
		failed=1
		echo "not ok $n - $sample keeps its promises"
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
n=$((n + 1))
if [ $n -gt 24 ] && [ "$(du -sb samples | cut -f 1)" -lt 6000000 ]; then
	echo "ok $n - at least eight samples, below 6 MB in all"
else
	failed=1
	echo "not ok $n - at least eight samples, below 6 MB in all"
fi
echo "1..$n"
[ $n -gt 0 ] && exit $failed
