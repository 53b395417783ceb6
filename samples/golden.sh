#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Prints what each shipped sample gives: its trace digest, and under every
# policy the result digest, the mean caller time and the pages back, in ns and
# pages. samples/*/golden holds it as it was when the sample was last looked
# at; after a change that is meant to move numbers:
#
#	samples/golden.sh SAMPLE > samples/SAMPLE/golden
set -eu

sample=samples/$1
zsr=${ZSR_BUILD:-build}/zsr
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -e "$sample/trace.dat" ]; then
	"$zsr" import "$sample/trace.dat" --name sample --times emulated \
		-d "$work/db" >/dev/null
else
	"$zsr" import "$sample/$1.zsrpack" --name sample -d "$work/db" >/dev/null
fi
"$zsr" sql -d "$work/db" --csv \
	"select 'trace', digest, nr_mallocs, nr_frees from trace" | tail -n 1
policies=$("$zsr" policies | sed -n 's/^\([a-z][a-z0-9.-]*\) .*/\1/p' |
	paste -sd, -)
"$zsr" replay sample --policy "$policies" --outer-lock cluster \
	-d "$work/db" >/dev/null
"$zsr" sql -d "$work/db" --csv \
	"select policy, digest,
		(select value from run_value where run = r.id
			and key = 'caller_mean_ns') as caller,
		(select value from run_value where run = r.id
			and key = 'pages_back') as back
	from run r order by id" | tail -n +2
