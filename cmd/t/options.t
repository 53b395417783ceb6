#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Options that come again: lists grow, a second value of anything else is an
# error that names the option, in every command, and nothing leaks on the way.
set -u

zsr=${ZSR_BUILD:-$PWD/build}/zsr
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ZSR_DB=$work/zsr.db
export ZSR_DB

n=0
failed=0
ok() { # description; status of the last command
	status=$?
	n=$((n + 1))
	if [ $status = 0 ]; then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		sed 's/^/# /' "$work/err" "$work/out" 2>/dev/null | tail -20
	fi
}

"$zsr" synth munmap --size 256K --name small >"$work/out" 2>"$work/err"
"$zsr" replay small -p deferred --policy sync,class-idx -p deferred \
	>"$work/out" 2>"$work/err" &&
	[ "$(awk '{ printf "%s ", $2 }' "$work/out")" = \
		"deferred sync class-idx deferred " ]
ok "policies of several options are replayed in their order"
"$zsr" replay small -p deferred --param pool-pages=2 --param run-pages=1 \
	--json >"$work/out" 2>"$work/err" &&
	grep -q 'pool-pages=2.* run-pages=1' "$work/out"
ok "so are parameters set"

commands=$($zsr --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
for c in $commands; do
	verb=
	[ "$c" = engine ] && verb=run
	for o in $("$zsr" "$c" $verb --help |
		sed -n 's/.* --\([a-z-]*\)=[A-Z].*/\1/p'); do
		case $c:$o in
		replay:policy) continue ;;
		esac
		"$zsr" "$c" $verb "--$o" 1 "--$o=2" >"$work/out" 2>"$work/err"
		[ $? = 2 ] && [ "$(cat "$work/err")" = \
			"zsr $c: --$o is given twice" ]
		ok "zsr $c${verb:+ $verb}: --$o twice"
	done
done

if command -v valgrind >/dev/null; then
	clean() { # description, exit code, options...
		what=$1 code=$2
		shift 2
		valgrind -q --leak-check=full --error-exitcode=9 "$zsr" "$@" \
			>"$work/out" 2>"$work/err"
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

echo "1..$n"
exit $failed
