#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr engine run on sequences that make no sense: one message that names file
# and line, exit 3, no directory left. And what its other ends look like.
set -u
. tests/tap.sh

data=replay/engine/t/data

run() {
	"$zsr" engine run "$tmp/s" --kernel 6.12 -o "$tmp/out" >"$tmp/stdout" \
		2>"$tmp/stderr"
}

# description, what the message says, lines of the file after its header
bad() {
	printf 'op,id,size\n%b' "$3" >"$tmp/s"
	run
	[ $? = 3 ] && [ "$(wc -l <"$tmp/stderr")" = 1 ] &&
		grep -qF -- "$tmp/s:$2" "$tmp/stderr" &&
		! [ -s "$tmp/stdout" ] && ! [ -e "$tmp/out" ]
	result $? "$1"
	grep -qF -- "$tmp/s:$2" "$tmp/stderr" || sed 's/^/# /' "$tmp/stderr"
	rm -rf "$tmp/out"
}

bad 'unknown op' "2: 'x,0,' is no op" 'x,0,\n'
bad 'op without its comma' "3: 'f' is no op" 'm,0,10\nf'
bad 'malloc without a size' "2: 'm,0,' is no op" 'm,0,\n'
bad 'free with a size' "3: 'f,0,1' is no op" 'm,0,1\nf,0,1\n'
bad 'compaction with an id' "2: 'c,1,' is no op" 'c,1,\n'
bad 'negative size' "2: 'm,0,-1' is no op" 'm,0,-1\n'
bad 'number beyond 64 bits' "2: 'm,0,18446744073709551616' is no op" \
	'm,0,18446744073709551616\n'
bad 'empty line' "3: '' is no op" 'm,0,10\n\nf,0,\n'
bad 'fourth field' "2: 'm,0,10,0' is no op" 'm,0,10,0\n'
bad 'terminal escapes' "2: '?[2J' is no op" '\033[2J\n'
bad 'NUL byte' '2: not a text file' 'm,0,1\0\n'
bad 'line too long' '2: line too long' "m,0,$(printf '%070d' 1)\n"
bad 'id used twice' '3: id 0 is live: ids are not used twice' 'm,0,1\nm,0,1\n'
bad 'dead id used again' '4: id 0 was freed: ids are not used twice' \
	'm,0,1\nf,0,\nm,0,1\n'
bad 'ids do not count' '2: id 4000000000 where 0 is next' 'm,4000000000,1\n'
bad 'free of an unknown id' '2: id 7 was never made' 'f,7,\n'
bad 'double free' '4: id 0 was freed and cannot be freed' \
	'm,0,1\nf,0,\nf,0,\n'
bad 'free of a refused id' '3: id 0 was refused and cannot be freed' \
	'm,0,0\nf,0,\n'
bad 'free of a queued id' '4: id 0 is queued to be freed and cannot be freed' \
	'm,0,1\nq,0,\nf,0,\n'
bad 'queued twice' '4: id 0 is queued' 'm,0,1\nq,0,\nq,0,\n'
bad 'drain of more than is queued' '4: 2 frees wanted of a queue of 1' \
	'm,0,1\nq,0,\nr,2,\n'
bad 'lock of a dead id' '4: id 0 was freed and lies in no page' \
	'm,0,1\nf,0,\nl,0,0\n'
bad 'second lock of an id' '4: id 0 holds a page lock already' \
	'm,0,1500\nl,0,0\nl,0,1\n'
bad 'unlock of an unknown id' '2: id 0 was never made' 'u,0,\n'
bad 'worker before a page lock' '5: the worker would wait for ever' \
	'm,0,1\nl,0,0\nf,0,\nw,,\n'

printf 'id,op,size\n' >"$tmp/s"
run
[ $? = 3 ] && grep -q 's:1: no op sequence' "$tmp/stderr"
result $? 'another header'

: >"$tmp/s"
run
[ $? = 3 ] && grep -q 'empty file' "$tmp/stderr"
result $? 'empty file'

head -c 1500 $data/seq/tiny_1k.csv.gz >"$tmp/s"
run
[ $? = 3 ] && grep -q 's:[0-9]*: damaged gzip data' "$tmp/stderr" &&
	! [ -e "$tmp/out" ]
result $? 'truncated gzip file'

{
	head -c 1500 $data/seq/tiny_1k.csv.gz
	printf 'XXXXXXXXXXXXXXXX'
	tail -c +1517 $data/seq/tiny_1k.csv.gz
} >"$tmp/s"
run
[ $? = 3 ] && [ "$(wc -l <"$tmp/stderr")" = 1 ]
result $? 'gzip file with other bytes in it'

rm "$tmp/s"
run
[ $? = 4 ] && grep -q 'No such file' "$tmp/stderr"
result $? 'no file'

printf 'op,id,size' >"$tmp/s"
run && [ "$(cat "$tmp/out/events.csv")" = \
	op,event,zspage,class,pages,pages_allocated ] &&
	[ "$(find "$tmp/out" -type f | wc -l)" = 5 ]
result $? 'no op at all: five files of one line'

printf 'op,id,size\r\nm,0,100\r\nf,0,' >"$tmp/s"
run && [ "$(tail -1 "$tmp/out/events.csv")" = 2,free,0,5,7,0 ]
result $? 'carriage returns, and no line feed at the end'

# A failure leaves what an earlier run wrote, and nothing of its own.
cp "$tmp/out/events.csv" "$tmp/before"
printf 'op,id,size\nm,0,100\nf,1,\n' >"$tmp/s"
run
[ $? = 3 ] && cmp -s "$tmp/before" "$tmp/out/events.csv" &&
	[ "$(find "$tmp/out" -type f | wc -l)" = 5 ]
result $? 'results of an earlier run survive a failure'

touch "$tmp/file"
"$zsr" engine run $data/seq/tiny_1k.csv.gz --kernel 6.1 -o "$tmp/file" \
	2>"$tmp/stderr"
[ $? = 4 ] && [ "$(wc -l <"$tmp/stderr")" = 1 ]
result $? 'the directory is a file'

usage() { # description, what the message says, arguments
	d=$1 say=$2
	shift 2
	"$zsr" engine "$@" >"$tmp/stdout" 2>"$tmp/stderr"
	[ $? = 2 ] && grep -qF -- "$say" "$tmp/stderr" &&
		! [ -s "$tmp/stdout" ]
	result $? "$d"
}

usage 'unknown kernel' '6.12 (from 6.4)' tables --kernel banana
usage 'kernel of old' 'no kernel whose rules are known' tables --kernel 4.19
usage 'no kernel' 'which --kernel?' tables
usage 'page size' 'none of the page sizes' tables --kernel 6.1 --page-size 8K
usage 'chain size' 'not within 4 to 16' tables --kernel 6.1 --chain-size 3
usage 'no directory' '(-o)' run "$tmp/s" --kernel 6.1
usage 'address too wide' 'leave no object index' tables --kernel 6.1 \
	--word-bits 32 --physmem-bits 50
usage 'no verb' 'Usage: zsr engine' frobnicate

"$zsr" engine tables --kernel 6.1 --word-bits 32 --physmem-bits 40 |
	awk -F, 'NR == 2 { exit !($5 == 2048 && $9 == 1 && $10 == 2044) }'
result $? 'the smallest class of a 32-bit layout with wide addresses'
plan
