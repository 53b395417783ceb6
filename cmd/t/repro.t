#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr repro: tables as spreadsheets write them, and tables that are none.
set -u
. tests/tap.sh

head=platform,size_mb,procs,policy,ms,use
table() { # a line each
	printf '%b\n' "$@" >"$tmp/table.csv"
	$zsr repro --csv --table "$tmp/table.csv" >"$tmp/out" 2>"$tmp/err"
}
bad() { # text wanted on stderr, lines
	want=$1
	shift
	table "$@"
	[ $? = 3 ] && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q -e "table.csv:$want" "$tmp/err"
	result $? "refused: $want"
}

table $head rpi4b,1,1,sync,5,fit
result $? "a plain table"
cp "$tmp/out" "$tmp/plain"
table "\0357\0273\0277$head\r" "\r" '"rpi4b",1,"1",sync,5,"fit"\r'
result $? "a byte order mark, carriage returns, an empty line, quotes"
cmp -s "$tmp/plain" "$tmp/out"
result $? "and the answer is the same"
table $head 'rpi4b,1,1,sync,,"held ""back"", mostly"'
grep -q '^rpi4b,1,1,sync,"held ""back"", mostly",,[0-9.]*,$' "$tmp/out"
result $? "a text with a comma and quotes comes out as it went in"
table use,procs,policy,size_mb,platform x,1,sync,1,rpi4b
grep -q '^rpi4b,1,1,sync,x,,[0-9.]*,$' "$tmp/out"
result $? "columns in another order, no ms"

bad '2: field 1: its quotes' $head '"rpi4b,1,1,sync,5,fit'
bad '2: field 4: its quotes' $head 'rpi4b,1,1,"sync"x,5,fit'
bad "2: no policy 'bogus'" $head rpi4b,1,1,bogus,5,fit
bad "3: .*'nosuch'" $head rpi4b,1,1,sync,5,fit nosuch,1,1,sync,5,fit
bad "2: size_mb: '-1'" $head rpi4b,-1,1,sync,5,fit
bad "2: ms: 'nan'" $head rpi4b,1,1,sync,nan,fit
bad "1: no column 'platform'" a,b,c
plan
