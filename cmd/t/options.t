#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Options that come again: lists grow, a second value of anything else is an
# error that names the option, in every command, and nothing leaks on the way.
set -u
. tests/tap.sh

ZSR_DB=$tmp/zsr.db
export ZSR_DB

"$zsr" synth munmap --size 256K --name small >"$tmp/out" 2>"$tmp/err"
"$zsr" replay small -p deferred --policy sync,class-idx -p deferred \
	>"$tmp/out" 2>"$tmp/err" &&
	[ "$(awk '{ printf "%s ", $2 }' "$tmp/out")" = \
		"deferred sync class-idx deferred " ]
ok "policies of several options are replayed in their order"
"$zsr" replay small -p deferred --param pool-pages=2 --param run-pages=1 \
	--json >"$tmp/out" 2>"$tmp/err" &&
	grep -q 'pool-pages=2.* run-pages=1' "$tmp/out"
ok "so are parameters set"

# A help line with "[," is a list's.
commands=$($zsr --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
for c in $commands; do
	verb=
	[ "$c" = engine ] && verb=run
	for o in $("$zsr" "$c" $verb --help |
		sed -n '/\[,/d; s/.* --\([a-z-]*\)=[A-Z].*/\1/p'); do
		"$zsr" "$c" $verb "--$o" 1 "--$o=2" >"$tmp/out" 2>"$tmp/err"
		[ $? = 2 ] && [ "$(cat "$tmp/err")" = \
			"zsr $c: --$o is given twice" ]
		ok "zsr $c${verb:+ $verb}: --$o twice"
	done
done

if command -v valgrind >/dev/null; then
	clean() { # description, exit code, options...
		what=$1 code=$2
		shift 2
		valgrind -q --leak-check=full --error-exitcode=9 "$zsr" "$@" \
			>"$tmp/out" 2>"$tmp/err"
		[ $? = "$code" ]
		ok "no leak with $what"
	}
	clean "a list in parts" 0 replay small -p sync -p class-idx
	clean "an option twice" 2 replay small -p sync --seed 1 --seed 2 -p x
	clean "an unknown option" 2 replay -p sync --param a=1 --foo
	clean "help after options" 0 replay -p sync --param a=1 --seed 2 --help
	clean "a second value where the first is not the command's yet" 2 \
		ls -d one -d two
fi
plan
