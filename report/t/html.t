#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The HTML report in a browser: complete without scripts, nothing fetched, and
# with scripts columns go off, time axes zoom together, values can be read.
# Skipped where Chromium is missing; `make check-html` installs it.
set -u
. tests/tap.sh

chromium=$(command -v chromium || command -v chromium-browser) || {
	echo "1..0 # SKIP no Chromium (make check-html installs it)"
	exit 77
}
# the page as a browser has it after its scripts: what follows '#', options
dom() {
	hash=$1
	shift
	HOME=$tmp timeout 100 "$chromium" --headless --no-sandbox --disable-gpu \
		--user-data-dir="$tmp/profile" --virtual-time-budget=2000 "$@" \
		--dump-dom "file://$tmp/r.html$hash" 2>"$tmp/err"
}

export ZSR_DB="$tmp/zsr.db"
: >"$tmp/err"
$zsr synth munmap --size 8M --procs 3 --seed 1 --name m >"$tmp/out" &&
	$zsr replay m --policy sync,class-idx,deferred >"$tmp/out" &&
	$zsr report -o "$tmp/r.html" >"$tmp/out"
result $? "a report"
! grep -o '\(src\|href\)="[^"]*"' "$tmp/r.html" |
	grep -v '="#\|="data:' >"$tmp/err"
result $? "it refers to nothing but itself"
[ "$(grep -o ' id="[^"]*"' "$tmp/r.html" | sort | uniq -d | wc -l)" = 0 ]
result $? "no two things have the same id"

# "V" is a value, "N~V" are N of them: as many as a timeline has columns.
perl -ne '
	while (/ data-is="([^"]*)"/g) {
		for my $list (split /\|/, $1) {
			my $n = 0;
			$n += /^(\d+)~/ ? $1 : 1 for split " ", $list;
			$lists++;
			$bad++ if $n != 640;
		}
	}
	END { print "$lists lists, $bad of another length\n"; exit !($lists > 20 && !$bad) }' \
	"$tmp/r.html" >"$tmp/err"
result $? "values for the pointer are there for every column"
[ "$(wc -c <"$tmp/r.html")" -lt 500000 ] && ! grep -q ' d="[^"]*\.[0-9][0-9]' "$tmp/r.html"
result $? "coordinates have one decimal, the file is small"

dom '' >"$tmp/dom"
[ "$(grep -c '<figure' "$tmp/dom")" -ge 11 ] &&
	! grep -q 'id="controls" hidden' "$tmp/dom"
result $? "Chromium draws it, its script runs"
for w in "held back" "Latency over time" "callers free" "fragmentation" \
	"all class locks" "Provenance"; do
	grep -q ">$w\|$w<" "$tmp/dom" || echo "no $w"
done >"$tmp/err"
[ ! -s "$tmp/err" ]
result $? "the text of the figures is text"

dom '#hide=0-2' >"$tmp/dom"
of() { grep -o "<g class=\"$1\" data-c=\"$2\"" "$tmp/dom" | wc -l; }
[ "$(of 'col off' 0-2)" -gt 5 ] && [ "$(of 'col' 0-2)" = 0 ] &&
	[ "$(of 'col' 0-1)" -gt 5 ]
result $? "a column goes off in all figures, the others stay"

# Every plot of the window shows a quarter to a half of its width.
dom '#zoom=0-0:0.25:0.5' >"$tmp/dom"
perl -ne '
	while (/<svg class="plot[^"]*"([^>]*)>/g) {
		my %a = $1 =~ /([\w-]+)="([^"]*)"/g;
		my ($x, undef, $w) = split " ", $a{viewBox};
		$n++;
		$bad++ if abs($x - $a{x} - $a{width} / 4) > 0.1 ||
			  abs($w - $a{width} / 4) > 0.1;
	}
	END { exit !($n >= 9 && !$bad) }' "$tmp/dom"
result $? "one zoom is that of all timelines"
grep -q 'class="zoomed' "$tmp/dom"
result $? "and of their axes"

# Pointing into the middle of the first timeline gives its values.
sed 's|</body>|<script>addEventListener("load", () => {\
	const r = document.querySelector(".v"), b = r.getBoundingClientRect();\
	r.dispatchEvent(new MouseEvent("mousemove", { clientX: b.left + b.width / 2,\
		clientY: b.top + 5 })); });</script></body>|' "$tmp/r.html" >"$tmp/p.html"
mv "$tmp/p.html" "$tmp/r.html"
dom '' >"$tmp/dom"
tr '\n' ' ' <"$tmp/dom" | grep -o 'id="tip"[^>]*>[^<]*' >"$tmp/err"
grep -q 'sync at [0-9.]* [mu]s live: [0-9.]* MiB held back: [0-9.]* MiB back' "$tmp/err"
result $? "pointing at a timeline gives time and values"

# Without scripts the controls stay hidden and every figure is there.
sed 's|<script>.*||; /<script>/,/<\/script>/d' "$tmp/r.html" >"$tmp/n.html"
mv "$tmp/n.html" "$tmp/r.html"
dom '' >"$tmp/dom"
grep -q 'id="controls" hidden' "$tmp/dom" &&
	[ "$(grep -c '<figure' "$tmp/dom")" -ge 11 ] && grep -q 'held back' "$tmp/dom"
result $? "without scripts all figures are there"
plan
