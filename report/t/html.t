#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The HTML report in a browser: complete without scripts, nothing fetched, and
# with scripts columns go off, time axes zoom together, values can be read.
# Skipped where Chromium is missing; `make check-html` installs it.
set -u

zsr=${ZSR:-zsr}
chromium=$(command -v chromium || command -v chromium-browser) || {
	echo "1..0 # SKIP no Chromium (make check-html installs it)"
	exit 77
}
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
n=0
failed=0
check() { # status, description
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
		head -c 2000 "$t/err" | sed 's/^/# /'
	fi
}
# the page as a browser has it after its scripts: what follows '#', options
dom() {
	hash=$1
	shift
	HOME=$t timeout 100 "$chromium" --headless --no-sandbox --disable-gpu \
		--user-data-dir="$t/profile" --virtual-time-budget=2000 "$@" \
		--dump-dom "file://$t/r.html$hash" 2>"$t/err"
}

export ZSR_DB="$t/zsr.db"
: >"$t/err"
$zsr synth munmap --size 8M --procs 3 --seed 1 --name m >"$t/out" &&
	$zsr replay m --policy sync,class-idx,deferred >"$t/out" &&
	$zsr report -o "$t/r.html" >"$t/out"
check $? "a report"
! grep -o '\(src\|href\)="[^"]*"' "$t/r.html" |
	grep -v '="#\|="data:' >"$t/err"
check $? "it refers to nothing but itself"
[ "$(grep -o ' id="[^"]*"' "$t/r.html" | sort | uniq -d | wc -l)" = 0 ]
check $? "no two things have the same id"

dom '' >"$t/dom"
[ "$(grep -c '<figure' "$t/dom")" -ge 11 ] &&
	! grep -q 'id="controls" hidden' "$t/dom"
check $? "Chromium draws it, its script runs"
for w in "held back" "Latency over time" "callers free" "fragmentation" \
	"all class locks" "Provenance"; do
	grep -q ">$w\|$w<" "$t/dom" || echo "no $w"
done >"$t/err"
[ ! -s "$t/err" ]
check $? "the text of the figures is text"

dom '#hide=0-2' >"$t/dom"
of() { grep -o "<g class=\"$1\" data-c=\"$2\"" "$t/dom" | wc -l; }
[ "$(of 'col off' 0-2)" -gt 5 ] && [ "$(of 'col' 0-2)" = 0 ] &&
	[ "$(of 'col' 0-1)" -gt 5 ]
check $? "a column goes off in all figures, the others stay"

# Every plot of the window shows a quarter to a half of its width.
dom '#zoom=0-0:0.25:0.5' >"$t/dom"
perl -ne '
	while (/<svg class="plot[^"]*"([^>]*)>/g) {
		my %a = $1 =~ /([\w-]+)="([^"]*)"/g;
		my ($x, undef, $w) = split " ", $a{viewBox};
		$n++;
		$bad++ if abs($x - $a{x} - $a{width} / 4) > 0.1 ||
			  abs($w - $a{width} / 4) > 0.1;
	}
	END { exit !($n >= 9 && !$bad) }' "$t/dom"
check $? "one zoom is that of all timelines"
grep -q 'class="zoomed' "$t/dom"
check $? "and of their axes"

# Pointing into the middle of the first timeline gives its values.
sed 's|</body>|<script>addEventListener("load", () => {\
	const r = document.querySelector(".v"), b = r.getBoundingClientRect();\
	r.dispatchEvent(new MouseEvent("mousemove", { clientX: b.left + b.width / 2,\
		clientY: b.top + 5 })); });</script></body>|' "$t/r.html" >"$t/p.html"
mv "$t/p.html" "$t/r.html"
dom '' >"$t/dom"
tr '\n' ' ' <"$t/dom" | grep -o 'id="tip"[^>]*>[^<]*' >"$t/err"
grep -q 'sync at [0-9.]* [mu]s live: [0-9.]* MiB held back: [0-9.]* MiB back' "$t/err"
check $? "pointing at a timeline gives time and values"

# Without scripts the controls stay hidden and every figure is there.
sed 's|<script>.*||; /<script>/,/<\/script>/d' "$t/r.html" >"$t/n.html"
mv "$t/n.html" "$t/r.html"
dom '' >"$t/dom"
grep -q 'id="controls" hidden' "$t/dom" &&
	[ "$(grep -c '<figure' "$t/dom")" -ge 11 ] && grep -q 'held back' "$t/dom"
check $? "without scripts all figures are there"

echo "1..$n"
exit $failed
