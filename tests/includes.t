#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Data flows one way, capture -> db -> replay -> db -> analyze -> report: no
# file includes a header of a room it must not know, and a room's private
# headers stay in it. Also: every source says its licence, and no symbol of
# ours starts with zs_.
set -u

# room: what it may include, beside headers of its own
allowed() {
	case $1 in
	base) echo "" ;;
	event) echo "base/base.h" ;;
	capture) echo "base/base.h event/event.h" ;;
	db) echo "base/base.h event/event.h" ;;
	synth) echo "base/base.h event/event.h db/db.h" ;;
	replay/engine) echo "base/base.h" ;;
	replay/machine) echo "base/base.h" ;;
	replay/policy) echo "base/base.h replay/engine/engine.h
		replay/machine/machine.h replay/account.h" ;;
	replay) echo "base/base.h event/event.h db/db.h
		replay/engine/engine.h replay/machine/machine.h
		replay/machine/virtual/vm.h replay/machine/virtual/profile.h
		replay/machine/host/host.h replay/machine/host/clock.h
		replay/machine/probes.h
		replay/policy/book.h
		replay/policy/percpu.h replay/policy/slab.h
		replay/policy/policy.h replay/policy/table.h" ;;
	ust) echo "base/base.h replay/machine/probes.h" ;;
	judge) echo "base/base.h event/event.h db/db.h
		replay/engine/engine.h" ;;
	interop) echo "base/base.h event/event.h db/db.h" ;;
	plugin) echo "base/base.h event/event.h capture/capture.h db/db.h
		interop/interop.h interop/bt.h" ;;
	pack) echo "base/base.h event/event.h db/db.h
		replay/engine/engine.h" ;;
	analyze) echo "base/base.h event/event.h db/db.h" ;;
	report) echo "base/base.h analyze/analyze.h" ;;
	cmd | .) echo "base/base.h event/event.h capture/capture.h db/db.h
		synth/synth.h replay/replay.h replay/engine/engine.h
		replay/engine/check/check.h judge/judge.h
		replay/policy/policy.h replay/policy/table.h
		pack/pack.h interop/interop.h analyze/analyze.h report/report.h
		ust/ust.h
		cmd/cmd.h" ;;
	esac
}

room_of() {
	case $1 in
	replay/engine/*) echo replay/engine ;;
	replay/machine/*) echo replay/machine ;;
	replay/policy/*) echo replay/policy ;;
	*/*) echo "${1%%/*}" ;;
	*) echo . ;;
	esac
}

# "file header" for every include of ours; tests may look into their room and
# use what its users use.
includes() {
	git ls-files '*.c' '*.h' | grep -v '/t/' | grep -v '^tests/' |
		grep -v '/bench/' | grep -v '/fuzz/' |
		xargs grep -H '^#include "' |
		sed 's/^\([^:]*\):#include "\([^"]*\)".*/\1 \2/'
}

wrong_arrows() {
	includes | while read -r file header; do
		room=$(room_of "$file")
		case $header in
		"$room"/*) continue ;;
		esac
		for ok in $(allowed "$room"); do
			[ "$ok" = "$header" ] && continue 2
		done
		echo "$file includes $header"
	done
}

unlicensed() {
	git ls-files '*.c' '*.h' '*.sh' '*.t' '*.S' '*.mk' Makefile |
		grep -v '/t/data/' |
		xargs grep -L 'SPDX-License-Identifier: GPL-2.0-only'
}

kernel_names() {
	nm -g --defined-only "${ZSR_BUILD:-build}/libzsr.a" 2>/dev/null |
		awk '$3 ~ /^zs_/ { print $3 }'
}

n=0
failed=0
check() { # description, offenders
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

check "includes follow the flow of data" "$(wrong_arrows)"
check "every source says its licence" "$(unlicensed)"
check "no symbol starts with zs_" "$(kernel_names)"
[ "$(includes | wc -l)" -gt 50 ]
check "the test saw the includes" "$([ $? = 0 ] || echo "too few")"
echo "1..$n"
exit $failed
