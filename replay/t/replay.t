#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr synth, replay, policies and repro from the command line: runs repeat bit
# by bit (also under load, and under valgrind) and differ where an input differs; the shipped
# profile meets the published single-process totals; what is wrong with a
# command line is said in one line, with exit 2 or 3.
set -u
. tests/tap.sh

ZSR_DB=$tmp/zsr.db
export ZSR_DB

# The result digests of a replay, a line each.
digests() {
	"$zsr" replay "$@" --json 2>"$tmp/err" |
		sed -n 's/.*"result_digest": "\([0-9a-f]*\)".*/\1/p'
}

# exits CODE WORD COMMAND...: the exit code, one line on stderr that has WORD
exits() {
	code=$1 word=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? = "$code" ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q -e "$word" "$tmp/err"
}

"$zsr" synth munmap --size 2M --procs 4 --seed 3 --name small >"$tmp/out" \
	2>"$tmp/err"
ok "synth makes a trace"
"$zsr" synth munmap --size 2M --procs 4 --seed 3 --name small >"$tmp/again" &&
	grep -q '^small-2:' "$tmp/again" &&
	[ "$(sed 's/.*digest//' "$tmp/out")" = \
		"$(sed 's/.*digest//' "$tmp/again")" ]
ok "a taken name gets -2; the same seed gives the same trace digest"
"$zsr" synth munmap --size 2M --procs 4 --seed 4 --name other >"$tmp/again" &&
	[ "$(sed 's/.*digest//' "$tmp/out")" != \
		"$(sed 's/.*digest//' "$tmp/again")" ]
ok "another seed gives another"

all=sync,class-idx,deferred
digests small --policy $all >"$tmp/one"
digests small --policy $all >"$tmp/two"
[ "$(sort -u "$tmp/one" | wc -l)" = 3 ]
ok "each policy has its own result digest"
cmp -s "$tmp/one" "$tmp/two"
ok "the same command gives the same digests"
if command -v valgrind >/dev/null; then
	valgrind -q --error-exitcode=9 "$zsr" replay small --policy $all \
		--json 2>"$tmp/err" |
		sed -n 's/.*"result_digest": "\([0-9a-f]*\)".*/\1/p' \
			>"$tmp/two"
	cmp -s "$tmp/one" "$tmp/two" && [ ! -s "$tmp/err" ]
	ok "also under valgrind, which finds nothing wrong"
fi
digests small --policy deferred,class-idx,sync | sort >"$tmp/two"
sort "$tmp/one" | cmp -s - "$tmp/two"
ok "the order of policies does not matter"

differs() { # description, replay options...
	what=$1
	shift
	digests small --policy $all "$@" >"$tmp/two"
	[ "$(wc -l <"$tmp/two")" = 3 ] &&
		[ -z "$(sort "$tmp/one" "$tmp/two" | uniq -d)" ]
	ok "$what gives other digests"
}
differs "another seed" --seed 2
differs "another profile" --machine i7-12700
sed 's/^obj_free = .*/obj_free = 169 ns/' profiles/rpi4b.profile \
	>"$tmp/mine.profile"
differs "one changed cost" --machine "$tmp/mine.profile"
differs "fewer CPUs" --cpus 2
differs "no gaps" --arrival asap
[ "$(digests small --policy deferred --param page-entries=100)" != \
	"$(digests small --policy deferred)" ]
ok "another parameter gives another digest"

# Under load, short memory, CPUs going offline and compactions: every policy,
# on a trace small enough for valgrind.
every=$("$zsr" policies | sed -n 's/^\([a-z][a-z0-9.-]*\) .*/\1/p' |
	paste -sd, -)
nr=$(echo "$every" | tr , '\n' | wc -l)
printf '# ns count\n2000 30\n9000 60\n700000 10\n' >"$tmp/wakeups"
"$zsr" synth munmap --size 768K --procs 4 --seed 5 --name tiny >"$tmp/out"
printf '5 1\n4 1\n' >"$tmp/falls"
loaded() { # more replay options
	digests tiny --policy "$every" --load cpu=3 --load rt=1:500 \
		--load mem=8G:1G --load "sched=file:$tmp/wakeups" \
		--load worker=lognormal:90us --offline 2@200us \
		--offline 0@300us --compact-at 40us --compact-every 150us \
		--memory 24M "$@"
}
digests tiny --policy "$every" >"$tmp/plain"
loaded >"$tmp/one"
[ "$nr" -ge 13 ] && [ "$(sort -u "$tmp/one" | wc -l)" = "$nr" ] &&
	[ -z "$(sort "$tmp/one" "$tmp/plain" | uniq -d)" ]
ok "every policy under all loads at once has a digest of its own"
loaded --seed 1 >"$tmp/two"
cmp -s "$tmp/one" "$tmp/two"
ok "which repeats"
if command -v valgrind >/dev/null; then
	real=$zsr
	zsr=$tmp/valgrind
	printf '#!/bin/sh\nexec valgrind -q --error-exitcode=9 "%s" "$@"\n' \
		"$real" >"$zsr"
	chmod +x "$zsr"
	loaded >"$tmp/two"
	zsr=$real
	cmp -s "$tmp/one" "$tmp/two" && [ ! -s "$tmp/err" ]
	ok "also under valgrind, which finds nothing wrong"
fi
digests tiny --policy deferred --param page-entries=16 >"$tmp/plain"
for condition in "--load cpu=4" "--load rt=3" "--load mem=4G:64M" \
	"--load worker=const:1ms" "--offline 1@100us" "--compact-at 100us" \
	"--compact-every 100us" "--load mem=4G:64M --memory 13M"; do
	# shellcheck disable=SC2086 # options
	digests tiny --policy deferred --param page-entries=16 $condition \
		>"$tmp/two"
	cat "$tmp/two" >>"$tmp/plain"
	[ -s "$tmp/two" ] && [ -z "$(sort "$tmp/plain" | uniq -d)" ]
	ok "$condition gives another digest than all before"
done
"$zsr" replay tiny --policy sync --load cpu=2 --offline 3@1ms >"$tmp/out" &&
	[ "$("$zsr" sql --csv \
		"select conditions from run order by id desc limit 1" |
		tail -n 1)" = "--load cpu=2 --offline 3@1ms" ]
ok "a run remembers its conditions"

"$zsr" replay small --policy sync --memory 1M >"$tmp/out" &&
	grep -q '^     [0-9,]* of [0-9,]* stores found no memory' "$tmp/out"
ok "stores that found no memory are told of"

# Fallbacks appear when the pool is too small, and only for who asked.
fallbacks() {
	"$zsr" replay small "$@" --json 2>"$tmp/err" |
		sed -n 's/.*"fallbacks": \([0-9]*\).*/\1/p'
}
[ "$(fallbacks --policy deferred --param pool-pages=1 \
	--param page-entries=16)" -gt 100 ]
ok "a pool of one small page falls back"
[ "$(fallbacks --policy deferred)" = 0 ]
ok "the posted pool does not, for this trace"

"$zsr" repro --csv >"$tmp/repro" 2>"$tmp/err" &&
	awk -F, '$1 == "rpi4b" && $3 == 1 && $4 == "sync" {
			rows++
			if ($8 < -15 || $8 > 15) bad++
		}
		END { exit !(rows == 6 && !bad) }' "$tmp/repro"
ok "sync meets the published single-process totals within 15 %"
printf 'platform,size_mb,procs,policy\nrpi4b,16,2,class-idx\n' >"$tmp/rows"
"$zsr" repro --table "$tmp/rows" --csv >"$tmp/out" 2>"$tmp/err" &&
	grep -q '^rpi4b,16,2,class-idx,,,[0-9.]*,$' "$tmp/out"
ok "repro predicts a row without a published time"

exits 2 "no policy 'best'" "$zsr" replay small --policy best
ok "unknown policy"
exits 2 "no listed policy" "$zsr" replay small --policy sync --param a=1
ok "parameter nobody has"
exits 2 "not within" "$zsr" replay small --policy deferred --param workers=0
ok "parameter out of range"
exits 2 "no machine profile" "$zsr" replay small --policy sync --machine pi9
ok "unknown profile"
exits 2 "policy is missing" "$zsr" replay small
ok "no policy"
exits 2 "expected one TRACE" "$zsr" replay --policy sync
ok "no trace"
exits 2 "closed, recorded, asap" "$zsr" replay small --policy sync --arrival x
ok "unknown arrival"
exits 2 "no load 'gpu'" "$zsr" replay small --policy sync --load gpu=1
ok "unknown load"
exits 2 "--load rt=5: rt: 5 is not within 1 to 4" \
	"$zsr" replay small --policy sync --load rt=5
ok "more real-time tasks than CPUs"
exits 2 "one of 2 CPUs must stay" "$zsr" replay small --policy sync --cpus 2 \
	--offline 0@1ms --offline 1@2ms
ok "no CPU is left"
exits 3 "line 2: times must rise" "$zsr" replay small --policy sync \
	--load "worker=file:$tmp/falls"
ok "a histogram that falls"
exits 3 "nothere" "$zsr" replay nothere --policy sync
ok "unknown trace"
echo 'cpus = many' >"$tmp/bad.profile"
exits 3 "line 1" "$zsr" replay small --policy sync --machine "$tmp/bad.profile"
ok "a broken profile names its line"
grep -v '^zone_free' profiles/rpi4b.profile >"$tmp/bad.profile"
exits 3 "zone_free is missing" "$zsr" replay small --policy sync \
	--machine "$tmp/bad.profile"
ok "a profile that lacks a cost"
exits 2 "sizes are 1 to" "$zsr" synth munmap --sizes fixed:9999 --size 1M
ok "synth: size beyond a page"
exits 2 "expected one experiment" "$zsr" synth exit
ok "synth: unknown experiment"
exits 3 "no column 'platform'" "$zsr" repro --table profiles/rpi4b.profile
ok "repro: not a table"
printf 'platform,size_mb,procs,policy\nrpi4b,1,1,best\n' >"$tmp/rows"
exits 3 "rows:2: no policy 'best'" "$zsr" repro --table "$tmp/rows" --csv
ok "repro: a policy nobody knows, with its line"
exits 2 "no policy" "$zsr" policies best
ok "policies: unknown"
"$zsr" policies deferred >"$tmp/out" 2>"$tmp/err" &&
	grep -q 'deferred.pool-pages=' "$tmp/out" && grep -q 'May 2026' "$tmp/out"
ok "policies explains one with its sources"

missing=
for name in $(sed -n 's/^\([a-z_]*\) = .*/\1/p' profiles/rpi4b.profile); do
	grep -q "^\*$name\*" man/zsr-profile.5.scd || missing="$missing $name"
done
echo "$missing" >"$tmp/out"
[ -z "$missing" ]
ok "zsr-profile(5) has every entry"
sed -n '/^cpus = 8/,/^```/p' man/zsr-profile.5.scd | grep -v '```' >"$tmp/own"
names=$(sed 's/ .*//' "$tmp/own" | paste -sd'|' | sed 's/|/\\|/g')
grep -v "^\($names\) " profiles/rpi4b.profile | cat - "$tmp/own" \
	>"$tmp/own.profile"
"$zsr" replay small --policy class-idx --machine "$tmp/own.profile" \
	>"$tmp/out" 2>"$tmp/err" && [ "$(wc -l <"$tmp/own")" = 4 ]
ok "its example is a profile's"
plan
