#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Every command of the table has a man page that names each of its options,
# --help works, and mandoc finds nothing wrong in the pages.
set -u

zsr=${ZSR_BUILD:-build}/zsr
n=0
failed=0
result() { # status, description, details
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		echo "$3" | sed 's/^/# /'
	fi
}

commands=$($zsr --help | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 10 ]
result $? "the program lists its commands" "$commands"

for c in $commands; do
	help=$($zsr "$c" --help)
	result $? "zsr $c --help" "$help"
	page=man/zsr-$c.1.scd
	missing=
	for o in $(echo "$help" | grep -o -e ' --[a-z][a-z0-9-]*' | sort -u); do
		[ "$o" = --help ] && continue
		grep -q -e "\\*$o\\*" "$page" || missing="$missing $o"
	done
	[ -f "$page" ] && [ -z "$missing" ]
	result $? "$page names every option" "missing:$missing"
	grep -q "zsr-$c\\*(1)" man/zsr.1.scd
	result $? "zsr(1) lists $c" ""
done

# scdoc itself writes empty paragraph macros; everything else counts.
for page in "${ZSR_BUILD:-build}"/man/*; do
	said=$(mandoc -Tlint -Wwarning "$page" | grep -v 'paragraph macro')
	[ -z "$said" ]
	result $? "mandoc accepts ${page##*/}" "$said"
done
echo "1..$n"
exit $failed
