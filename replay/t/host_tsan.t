#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# ThreadSanitizer has nothing to say about the host machine, nor about any
# policy on it. Skipped where the compiler has no ThreadSanitizer.
set -u

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${ZSR_BUILD:-$PWD/build}-tsan

echo 'int main(void) { return 0; }' >"$work/try.c"
if ! { ${CC:-cc} -fsanitize=thread -o "$work/try" "$work/try.c" &&
	"$work/try"; } >/dev/null 2>&1; then
	echo "1..0 # SKIP no ThreadSanitizer"
	exit 77
fi

tests="replay/machine/host/t/host replay/machine/host/t/work replay/t/host"
# shellcheck disable=SC2086 # a list of files
if ! make --no-print-directory O="$build" OPT=-O1 \
	CFLAGS='-g -fsanitize=thread' \
	$(for t in $tests; do echo "$build/$t"; done) >"$work/log" 2>&1; then
	sed 's/^/# /' "$work/log" | tail -20
	echo "not ok 1 - builds with ThreadSanitizer"
	echo "1..1"
	exit 1
fi
echo "ok 1 - builds with ThreadSanitizer"
n=1
failed=0
for t in $tests; do
	n=$((n + 1))
	TSAN_OPTIONS=exitcode=66 "$build/$t" >"$work/out" 2>&1
	if [ $? = 0 ] && ! grep -q 'WARNING: ThreadSanitizer' "$work/out"; then
		echo "ok $n - $t"
	else
		failed=1
		echo "not ok $n - $t"
		grep -v '^ok' "$work/out" | head -60 | sed 's/^/# /'
	fi
done
echo "1..$n"
exit $failed
