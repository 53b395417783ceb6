#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every command of the README works as it stands there, in order, in one fresh
# directory; the README has at most 150 lines.
set -u

top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "${ZSR_BUILD:-$top/build}/zsr" "$work/zsr"
ln -s "$top/samples" "$work/samples"

# the lines of ```sh blocks
sed -n '/^```sh$/,/^```$/p' README.md | grep -v '^```' >"$work/commands"

n=0
failed=0
unset ZSR_DB
while IFS= read -r line; do
	n=$((n + 1))
	if (cd "$work" && sh -c "$line" >out 2>err </dev/null); then
		echo "ok $n - $line"
	else
		failed=1
		echo "not ok $n - $line"
		sed 's/^/# /' "$work/err"
	fi
done <"$work/commands"

n=$((n + 1))
if [ "$(wc -l <README.md)" -le 150 ] && [ $n -gt 10 ]; then
	echo "ok $n - the README is short and has commands"
else
	failed=1
	echo "not ok $n - the README is short and has commands"
fi
n=$((n + 1))
if [ -s "$work/exit.pdf" ] && [ -s "$work/munmap.html" ]; then
	echo "ok $n - the reports are there"
else
	failed=1
	echo "not ok $n - the reports are there"
fi
echo "1..$n"
exit $failed
