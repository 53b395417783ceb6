#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every C file is as clang-format leaves it (`make format`), no line is longer
# than 100 columns, and no file longer than 600 lines.
set -u

command -v clang-format >/dev/null || {
	echo "1..0 # SKIP no clang-format"
	exit 77
}
files=$(git ls-files '*.c' '*.h')
failed=0
n=0
check() { # description, offenders
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

unformatted() {
	for f in $files; do
		clang-format "$f" | cmp -s - "$f" || echo "$f"
	done
}

check "formatted" "$(unformatted)"
# shellcheck disable=SC2086 # a list of files
check "no line over 100 columns" "$(expand $files | awk 'length > 100')"
# shellcheck disable=SC2086
check "no file over 600 lines" \
	"$(wc -l $files | awk '$2 != "total" && $1 > 600')"
echo "1..$n"
exit $failed
