#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Policies as plug-ins: the example of zsr-policy(7) is built against the
# installed headers and replays the sample; it repeats bit by bit, takes
# parameters, and its runs say which file it was. What is no plug-in for this
# program is refused in one line. The program exports what the page names.
set -u
. tests/tap.sh

ZSR_DB=$tmp/zsr.db
export ZSR_DB

# exits CODE TEXT COMMAND...: the exit code, one line on stderr that has TEXT
exits() {
	code=$1 text=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? = "$code" ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q -F -e "$text" "$tmp/err"
}

digests() { # the result digests of a replay, a line each
	"$zsr" replay "$@" --json 2>"$tmp/err" |
		sed -n 's/.*"result_digest": "\([0-9a-f]*\)".*/\1/p'
}

params_of() { # the recorded parameters of a policy's latest run
	"$zsr" sql "SELECT params FROM run WHERE policy = '$1'
		ORDER BY id DESC LIMIT 1" --csv 2>"$tmp/err" | tail -1
}

# ---- installed headers --------------------------------------------------

out=${ZSR_BUILD:-build}
make install DESTDIR="$tmp/root" PREFIX=/usr O="${out#"$top"/}" \
	>"$tmp/out" 2>"$tmp/err"
ok "make install"
PKG_CONFIG_PATH=$tmp/root/usr/share/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$tmp/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
cflags=$(pkg-config --cflags zsr-policy 2>"$tmp/err")
[ "${cflags% }" = "-I$tmp/root/usr/include/zsr" ]
ok "pkg-config knows the headers"
[ "$(pkg-config --modversion zsr-policy)" = \
	"$("$zsr" --version | sed 's/.* //')" ]
ok "and the version"
cd "$tmp" || exit 1

# shellcheck disable=SC2086 # flags
build() { # C file, shared object
	cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC $cflags "$1" \
		-o "$2" >"$tmp/out" 2>"$tmp/err"
}

awk '/^\/\* stack\.c \*\/$/ { on = 1 } /^```$/ { on = 0 } on' \
	"$top/man/zsr-policy.7.scd" >stack.c
[ "$(wc -l <stack.c)" -gt 60 ] && build stack.c stack.so
ok "the page's example builds without a warning"

# ---- it is a policy as any other --------------------------------------

"$zsr" policies ./stack.so >out 2>err && grep -q '^stack: a stack of' out &&
	grep -q 'param stack.entries=4096' out &&
	grep -q 'sync, unlock-first, class-idx; default: Linux 7.3' out &&
	grep -q "^sha256:$(sha256sum <stack.so | cut -c1-64)$" out
ok "policies explains it"
"$zsr" replay "$sample" -p class-idx,./stack.so,sync >out 2>err &&
	[ "$(awk '{ printf "%s ", $2 }' out)" = "class-idx stack sync " ]
ok "it replays the sample beside others"
trace=$("$zsr" sql 'SELECT name FROM trace' --csv | tail -1)
stack=$(digests "$trace" -p ./stack.so)
[ -n "$stack" ] && [ "$(digests "$trace" -p stack.so)" = "$stack" ]
ok "again, by its name alone: the same digest"
cp stack.so copy.so
[ "$(digests "$trace" -p ./stack.so -p "$tmp/copy.so")" = "$stack
$stack" ]
ok "two files with it: the same digest twice"
"$zsr" replay "$trace" -p class-idx --json 2>err | sed -n \
	's/^ *"\(mallocs\|frees\|pages_total\)": /\1 /p' | sort -u >one
"$zsr" replay "$trace" -p ./stack.so --json 2>err | sed -n \
	's/^ *"\(mallocs\|frees\|pages_total\)": /\1 /p' | sort -u >two
cmp -s one two && [ -s one ]
ok "all that class-idx frees is freed"

[ "$(params_of stack)" = \
	"entries=4096 locking=class-idx plugin=sha256:$(sha256sum <stack.so |
		cut -c1-64)" ]
ok "the record has its parameters and the file's SHA-256"
fallbacks() {
	"$zsr" replay "$trace" "$@" --json 2>err |
		sed -n 's/.*"fallbacks": \([0-9]*\).*/\1/p'
}
[ "$(fallbacks -p ./stack.so --param stack.entries=1)" -gt 0 ] &&
	[ "$(params_of stack | cut -d' ' -f1)" = "entries=1" ]
ok "its parameters can be set"
[ "$(digests "$trace" -p ./stack.so --param locking=sync)" != "$stack" ] &&
	[ "$(params_of stack | cut -d' ' -f2)" = "locking=sync" ]
ok "by name, where values have names"
exits 2 "'best' is none of sync, unlock-first, class-idx" \
	"$zsr" replay "$trace" -p ./stack.so --param locking=best
ok "a name that no value has"
exits 2 "not within 1 to 1048576" \
	"$zsr" replay "$trace" -p ./stack.so --param stack.entries=0
ok "a value out of range"
id=plugin=$(params_of stack | sed 's/.*plugin=//')
"$zsr" replay "$trace" -p sync,./stack.so --param "$id" >out 2>err &&
	"$zsr" replay "$trace" -p ./stack.so --param "stack.$id" >out 2>err
ok "the recorded file can be asked for"
exits 2 "policy stack is plugin=sha256:" "$zsr" replay "$trace" \
	-p ./stack.so --param "${id%??????}000000"
ok "and another one is not it"
"$zsr" report "#$("$zsr" sql 'SELECT max(id) FROM run' --csv | tail -1)" \
	-o report.pdf >out 2>err && pdftotext -layout report.pdf - |
	tr -s '\n\\ ' ' ' >out &&
	grep -q -e "--policy ./stack.so .* --param $id" out
ok "the report's command replays it"
if command -v valgrind >/dev/null; then
	valgrind -q --error-exitcode=9 --leak-check=full "$zsr" replay \
		"$trace" -p ./stack.so --param entries=64 >out 2>err
	ok "valgrind finds nothing wrong"
fi

# ---- what does not free as it should ------------------------------------

fails() { # text, what, file's name, sed script
	sed "$4" stack.c >"$3.c" && ! cmp -s stack.c "$3.c" &&
		build "$3.c" "$3.so" &&
		exits 3 "$1" "$zsr" replay "$trace" -p "./$3.so"
	ok "found out: $2"
}

fails "freed what was free, or what it was never given" \
	"a handle freed twice" twice \
	's/zsr_free_locked(p, p->param\[LOCKING\], h);/&&/'
fails "freed what was free, or what it was never given" \
	"a handle nobody was given" never \
	's/zsr_free_locked(p, p->param\[LOCKING\], h);/zsr_free_locked(p, p->param[LOCKING], h + 100000);/'

# ---- what is no plug-in ---------------------------------------------------

refused() { # exit code, text, what, file
	exits "$1" "$2" "$zsr" replay "$trace" -p "sync,$4" &&
		grep -q -F "zsr replay: plug-in $4: " err &&
		exits "$1" "$2" "$zsr" policies "$4"
	ok "refused: $3"
}

refused 4 "cannot be opened: No such file" "no such file" ./nothere.so
refused 4 "cannot be opened: No such file" "none without a path" nothere.so
refused 3 "not a file" "a directory" ./
refused 3 "not a file" "a device" /dev/zero
cp stack.c text.so
refused 3 "not a shared object" "a text" ./text.so
: >empty.so
refused 3 "not a shared object" "nothing" ./empty.so
for size in 40 200 5000 12000; do
	head -c $size stack.so >short.so
	refused 3 "cut short" "its first $size bytes" ./short.so
done
cp "$(command -v sh)" program.so
refused 3 "position" "a program" ./program.so

# The example with one thing changed.
variant() { # text, what, file's name, sed script
	sed "$4" stack.c >"$3.c" && ! cmp -s stack.c "$3.c" &&
		build "$3.c" "$3.so" && refused 3 "$1" "$2" "./$3.so"
	[ -f "$3.so" ] || {
		false
		ok "$2: builds"
	}
}

mkdir -p later
cp -r root/usr/include/zsr later
sed -i 's/^#define ZSR_MACHINE_VERSION .*/#define ZSR_MACHINE_VERSION 999/' \
	later/zsr/replay/machine/machine.h
cc -shared -fPIC -Ilater/zsr stack.c -o later.so
refused 3 "built for version 999 of the plug-in interface, this zsr has \
$(pkg-config --variable=interface zsr-policy); rebuild it" \
	"another version" ./later.so
echo 'int other;' >none.c
build none.c none.so
refused 3 "no 'zsr_policy_plugin'" "no symbol" ./none.so
echo 'void zsr_policy_plugin(void); void zsr_policy_plugin(void) {}' >fn.c
build fn.c fn.so
refused 3 "its 'zsr_policy_plugin' is no policy" "a function" ./fn.so
printf '#include "replay/machine/machine.h"
const unsigned zsr_policy_plugin = ZSR_MACHINE_VERSION;' >small.c
build small.c small.so
refused 3 "its 'zsr_policy_plugin' is no policy" "a number" ./small.so
variant "undefined symbol: zsr_pool_destroy" "calls what is not exported" \
	calls 's/free(p->priv)/zsr_pool_destroy(p)/'
variant "the policy is called 'deferred', as one of zsr's own" "a name that is taken" \
	clash 's/name = "stack"/name = "deferred"/'
variant "the policy's name is not made of" "a name of other letters" \
	name 's/name = "stack"/name = "my stack"/'
variant "policy 'stack': no summary, text or source" "no text" \
	notext '/\.source = /d'
variant "policy 'stack': no release()" "no release" \
	norelease 's/\.release = release/.release = 0 ? release : NULL/'
variant "policy 'stack': unknown flags" "flags of tomorrow" \
	flags 's/\.store_lock = /.flags = 1u << 30, &/'
variant "policy 'stack': unknown store_lock" "a lock there is not" \
	lock 's/\.store_lock = .*/.store_lock = 7,/'
variant "policy 'stack': 17 parameters, more than 16" "too many parameters" \
	many 's/\.nr_params = .*/.nr_params = 17,/'
variant "policy 'stack': 2 parameters, but no table" "parameters, but no table" \
	table 's/\.params = params/.params = NULL/
	s/^static const struct zsr_param/extern const struct zsr_param q[]; &/
	s/\.nr_params = .*/.nr_params = sizeof(params) \/ sizeof(*params),/'
variant "parameter 'entries': the default 4096 is not within 5000 to 1048576" "a default beyond" \
	range 's/4096, 1, 1 << 20/4096, 5000, 1 << 20/'
variant "two parameters are called 'locking'" "one name twice" \
	twice 's/{ "entries"/{ "locking"/'
variant "no parameter can be called 'plugin'" "a name that records use" \
	taken 's/{ "entries"/{ "plugin"/'
variant "parameter 'entries': 3 names for values up to 1048576" "fewer names than values" \
	names 's/"a guess", NULL/"a guess", zsr_locking_names/'

# ---- what it may call -------------------------------------------------------

nm -D --defined-only "$zsr" | sed -n 's/.* [A-Z] \(zsr_.*\)/\1/p' |
	sort >exported
sed -n 's/^\t\(zsr_[a-z_]*\);$/\1/p' "$top/replay/policy/plugin.syms" |
	sort | diff exported - >out
ok "the program exports the list, all of it and nothing else"
sed '/^static inline/d; /-- for the player --/,$d; 1,/-- steps /d' \
	root/usr/include/zsr/replay/policy/policy.h |
	grep -o '^[a-z].*(' | grep -o 'zsr_[a-z_]*(' | tr -d '(' | sort >steps
[ "$(wc -l <steps)" -gt 15 ] && comm -23 steps exported >out && [ ! -s out ]
ok "every step of policy.h is among them"
grep -o '\*zsr_[a-z_]*\*' "$top/man/zsr-policy.7.scd" | tr -d '*' |
	sort -u >named
grep -v -x -F -f named exported | grep -v zsr_locking_names >out
[ ! -s out ]
ok "the page names each of them"
grep -v -x zsr_policy_plugin named | while read -r name; do
	grep -r -q -w "$name" root/usr/include/zsr || echo "$name"
done >out
[ ! -s out ]
ok "and nothing that the headers lack"

# ---- the list ---------------------------------------------------------------

"$zsr" policies >out 2>err && [ "$(wc -L <out)" -le 80 ] &&
	grep -q 'deferred .*page' out && grep -q 'May 2026' out &&
	grep -q ' pool-pages .* pages .* 0 to ' out &&
	grep -q ' locking .*unlock-first' out
ok "policies: parameters in rows, within 80 columns"
"$zsr" policies --brief >brief 2>err && [ "$(wc -L <brief)" -le 80 ] &&
	sed -n 's/^\([a-z][a-z0-9.-]*\) .*/\1/p' out >one &&
	sed -n 's/^\([a-z][a-z0-9.-]*\) .*/\1/p' brief | cmp -s - one &&
	[ "$(wc -l <brief)" = $(($(wc -l <one) + 2)) ]
ok "policies --brief: a line each"
bad=
for p in $(cat one); do
	"$zsr" policies "$p" >out 2>err && [ "$(wc -L <out)" -le 80 ] &&
		grep -q '^from: ' out || bad="$bad $p"
done
[ -z "$bad" ] && [ "$(wc -l <one)" -ge 5 ]
ok "each can be explained, within 80 columns$bad"
plan
