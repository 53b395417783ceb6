# SPDX-License-Identifier: GPL-2.0-only
# TAP for the shell tests, which source this from the top of the tree: $zsr is
# the program under test, $tmp a directory of the test's own. What lies in
# $tmp/log, $tmp/out and $tmp/err is shown when a test fails.

zsr=$(command -v "${ZSR:-zsr}") && zsr=$(realpath "$zsr") || exit 1
top=$PWD
# shellcheck disable=SC2034 # for who sources this
sample=$top/samples/exit-6.12-arm64-4cpu/trace.dat
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset ZSR_DB
n=0
failed=0

result() { # status, description, details
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
		return
	fi
	failed=1
	echo "not ok $n - $2"
	{
		[ -n "${3:-}" ] && echo "$3"
		tail -n 20 "$tmp/log" "$tmp/out" "$tmp/err" 2>/dev/null
	} | sed 's/^/# /'
}

ok() { # description, then a command; without one, how the last one ended
	status=$?
	what=$1
	shift
	if [ $# -gt 0 ]; then
		"$@" >"$tmp/log" 2>&1
		status=$?
	fi
	result $status "$what"
}

exits() { # CODE COMMAND...: its output in $tmp/out and $tmp/err
	want=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	code=$?
	[ $code = "$want" ] || { echo "exit $code, not $want"; return 1; }
}

fails() { # exit status, text on stderr, command...
	want=$1 text=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	shift
	[ $got = "$want" ] && grep -q -e "$text" "$tmp/err"
	result $? "exit $want, says '$text': $*"
}

says() { grep -q -e "$1" "$tmp/out"; }
complains() { grep -q -e "$1" "$tmp/err"; }
is() { [ "$1" = "$2" ] || { echo "$1, not $2"; return 1; }; }

plan() { # the last line of every test
	echo "1..$n"
	exit $failed
}
