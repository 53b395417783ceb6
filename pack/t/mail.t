#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Mails fit their budget, say what they lost and what a replay makes of it, and
# are read as saved, quoted, wrapped, from a mailbox and from standard input;
# a real munmap of 256 MiB fits 95 KB with every call. zsr reduce finds the
# fewest objects.
set -u
. tests/tap.sh

samples=$PWD/samples
cd "$tmp" || exit 1
export ZSR_DB="$tmp/t.db"

gives() { # status, description, command...
	want=$1 what=$2
	shift 2
	"$@" >out 2>err
	[ $? = "$want" ]
	result $? "$what"
}

digest() { # of the only trace of a database
	"$zsr" sql -d "$1" --csv 'select digest from trace' 2>>err | tail -n 1
}

cp "$samples/munmap-256m-6.12-x86_64/munmap-256m-6.12-x86_64.zsrpack" m.zsrpack
cp "$samples/refault-6.12-arm64/refault-6.12-arm64.zsrpack" r.zsrpack
"$zsr" unpack m.zsrpack --name m >/dev/null
"$zsr" unpack r.zsrpack --name r >/dev/null

gives 0 "256 MiB in a mail of 95 KB" "$zsr" mail m --budget 95K -o m.mail
cp err out
[ "$(wc -c <m.mail)" -le 97280 ] && grep -q 'calls  *all kept' m.mail
result $? "$(wc -c <m.mail) bytes, all calls kept"
[ "$(grep -c ' same$' m.mail)" = 3 ]
result $? "and three replays give what the whole trace does"
gives 0 "its promises are kept" "$zsr" verify --private --replay m.mail

# Budgets, from all of it to nearly nothing.
for budget in 60K 30K 16K 8K; do
	gives 0 "a budget of $budget" "$zsr" mail r -b $budget -o "r.$budget"
	[ "$(wc -c <"r.$budget")" -le $((${budget%K} * 1024)) ]
	result $? "$(wc -c <"r.$budget") bytes"
	gives 0 "and it is a trace" "$zsr" verify --replay "r.$budget"
done
grep -q 'sizes  *exact' r.60K && grep -q 'durations  *kept' r.60K
result $? "60K: nothing given up"
grep -q 'durations  *dropped' r.16K && grep -q 'calls  *all kept' r.16K
result $? "16K: durations dropped, calls kept"
grep -q 'of 3868 zs_malloc and .* of 3837 zs_free dropped' r.8K
result $? "8K: says how many calls are dropped"
grep -q ' differs$' r.8K
result $? "and that replays differ"
gives 2 "nothing fits 2K" "$zsr" mail r -b 2K

# The ways of a mail.
"$zsr" import r.30K -d want.db >out 2>err
want=$(digest want.db)
[ -n "$want" ]
result $? "as it is"
read_back() { # description
	rm -f got.db
	"$zsr" import - -d got.db <mail >out 2>err
	[ "$(digest got.db)" = "$want" ]
	result $? "$1"
}
sed 's/^/> /' r.30K >mail
read_back "quoted"
sed 's/^/> > /; s/$/\r/' r.30K >mail
read_back "quoted twice, with carriage returns"
sed 's/^/| /' r.30K >mail
read_back "quoted with bars"
fold -w 50 r.30K | sed 's/^-----\(BEGIN\|END\) ZSR PACK-----/-----\1 ZSR PACK-----/' \
	>mail
read_back "wrapped at 50"
sed 's/^\([A-Za-z0-9+/]\{40\}\)\(.*\)/> \1\n\2/' r.30K >mail
read_back "wrapped by one who does not quote what he wraps"
{
	printf 'From a@b\nSubject: other\n\nHello\n\nFrom c@d\nSubject: trace\n\n'
	cat r.30K
	printf '\nFrom e@f\nSubject: Re\n\nThanks\n'
} >mail
read_back "in a mailbox"
sed 's/=/=3D/g; s/^\([A-Za-z0-9+/]\{72\}\)$/\1=\n/' r.30K >mail
read_back "quoted-printable"
sed '40s/^..../AAAA/' r.30K >mail
gives 3 "damaged" "$zsr" import mail -d bad.db
grep -q checksum err
result $? "which is said"
head -60 r.30K >mail
gives 3 "cut" "$zsr" import mail -d bad.db
grep -q 'ends within' err
result $? "which is said"
sed '30s/^./%/' r.30K >mail
gives 3 "with something else in it" "$zsr" import mail -d bad.db
grep -q 'line 30' err
result $? "which is said"

# reduce
gives 0 "three objects are enough for three" "$zsr" reduce r --name three \
	--keep "select count(*) >= 3 from zsr_event where kind = 'malloc'
		and size > 2000"
[ "$("$zsr" sql --csv "select nr_mallocs from trace where name = 'three'" |
	tail -n 1)" = 3 ]
result $? "no more, no less"
gives 0 "the fewest that fall back" "$zsr" reduce r --policy deferred \
	--param pool-pages=1 --param page-entries=16 \
	--keep "select max(fallbacks) > 0 from run_results"
cat out err >out2
"$zsr" replay r-reduced --policy deferred --param pool-pages=1 \
	--param page-entries=16 >/dev/null 2>&1
[ "$("$zsr" sql --csv "select max(fallbacks) > 0 from run_results
	where trace = 'r-reduced'" | tail -n 1)" = 1 ]
result $? "still do"
left=$("$zsr" sql --csv "select nr_mallocs from trace
	where name = 'r-reduced'" | tail -n 1)
[ "$left" -gt 0 ] && [ "$left" -lt 200 ]
result $? "they are $left of 3868"
gives 3 "what is not true cannot stay so" "$zsr" reduce r --keep 'select 0'
gives 2 "a query that is none" "$zsr" reduce r --keep 'select from'
gives 2 "no query" "$zsr" reduce r
gives 0 "it stops" "$zsr" reduce r --name few --max-tests 5 \
	--keep "select count(*) from zsr_event where kind = 'malloc'"
grep -q 'there may be fewer' out
result $? "and says so"
plan
