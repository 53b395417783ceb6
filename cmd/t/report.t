#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr report: its files, its figures, and that the PDF's numbers are those of
# `zsr compare --json`.
set -u
. tests/tap.sh

export ZSR_DB="$tmp/zsr.db"
: >"$tmp/out"
: >"$tmp/err"
$zsr synth munmap --size 8M --procs 3 --seed 1 --name m >"$tmp/out" &&
	$zsr replay m --policy sync,class-idx,deferred >"$tmp/out"
result $? "three runs"

$zsr report -o "$tmp/r.pdf" >"$tmp/out" 2>"$tmp/err" && [ ! -s "$tmp/err" ] &&
	grep -q 'r.pdf: [0-9]* pages, g1 g2 g3 g4 g5 g6 g7 g8 g10 g11 g12$' "$tmp/out"
result $? "a PDF, and what is in it"
pages=$(sed -n 's/.*: \([0-9]*\) pages.*/\1/p' "$tmp/out")
pdfinfo "$tmp/r.pdf" >"$tmp/out" && grep -q "^Pages: *$pages$" "$tmp/out"
result $? "it has the pages that were announced"
pdffonts "$tmp/r.pdf" >"$tmp/out" &&
	awk 'NR > 2 && /DejaVu/ && $(NF - 4) == "yes" { ok++ }
	     NR > 2 { all++ } END { exit !(all && ok == all) }' "$tmp/out"
result $? "every font is DejaVu and embedded"

pdftotext -layout "$tmp/r.pdf" "$tmp/text"
$zsr compare --json >"$tmp/json"
perl -MJSON::PP -e '
	local $/; open my $f, "<", $ARGV[0] or die;
	my $runs = decode_json(<$f>)->{runs};
	open $f, "<", $ARGV[1] or die; my $text = <$f>;
	$text =~ s/.*Every value as it is stored//s or die "no values";
	my $seen = 0;
	for my $k (grep { !/^(run|page_size|cpus|seed)$/ &&
			  (!defined $runs->[0]{$_} ||
			   $runs->[0]{$_} =~ /^\d+$/) } keys %{$runs->[0]}) {
		$text =~ /^\f?\Q$k\E +(\S.*)$/m or die "no $k";
		my @got = split " ", $1;
		for my $i (0 .. $#$runs) {
			my $want = $runs->[$i]{$k} // "never";
			die "$k: $got[$i] against $want" if $got[$i] ne $want;
			$seen++;
		}
	}
	die "only $seen" if $seen < 120;
	open $f, "<", $ARGV[1] or die; $text = <$f>;
	for (@$runs) { die "digest" if index($text, $_->{result_digest}) < 0 }
' "$tmp/json" "$tmp/text" 2>"$tmp/err"
result $? "every integer of the JSON is in the PDF's text"
$zsr compare | sed -n '/caller time of/,/^$/p' | tr -s ' ' >"$tmp/table"
tr -s ' ' <"$tmp/text" | sed 's/^ //' >"$tmp/squeezed"
sed 's/^ //' "$tmp/table" | while read -r line; do
	grep -qxF -e "$line" "$tmp/squeezed" || echo "$line"
done >"$tmp/out"
[ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/table")" -gt 25 ]
result $? "every line of the table is in the PDF's text"

$zsr report -o "$tmp/s.pdf" >"$tmp/out" && cmp "$tmp/r.pdf" "$tmp/s.pdf" >"$tmp/out"
result $? "the same runs give the same bytes"
SOURCE_DATE_EPOCH=86400 $zsr report -o "$tmp/s.pdf" >"$tmp/out"
TZ=UTC pdfinfo "$tmp/s.pdf" | grep -q 'CreationDate:.*Jan  2 00:00:00 1970'
result $? "SOURCE_DATE_EPOCH is the date"
fails 2 SOURCE_DATE_EPOCH env SOURCE_DATE_EPOCH=today "$zsr" report \
	-o "$tmp/x.pdf"

$zsr report -o "$tmp/r.svg" >"$tmp/out" && $zsr report -o "$tmp/s.svg" >"$tmp/out" &&
	cmp "$tmp/r.svg" "$tmp/s.svg" && head -c 300 "$tmp/r.svg" | grep -q '<svg'
result $? "SVG, twice the same"
$zsr report -o "$tmp/r.png" --only g2 >"$tmp/out" &&
	[ "$(head -c 4 "$tmp/r.png" | tail -c 3)" = PNG ] &&
	grep -q ': 1 page, g2$' "$tmp/out"
result $? "PNG of one figure"
$zsr report -o "$tmp/plain" --format pdf --only g4,g1 --title "A title" \
	>"$tmp/out" && pdftotext "$tmp/plain" "$tmp/text" &&
	grep -q "A title" "$tmp/text" && grep -q 'g4 *Latency' "$tmp/text" &&
	! grep -q 'g2 *Memory' "$tmp/text"
result $? "--format, --only and --title"
$zsr report -o "$tmp/w.pdf" --only g2 --window 0..1ms >"$tmp/out" &&
	pdftotext "$tmp/w.pdf" - | grep -q 'us since\|ms since'
result $? "--window"
$zsr report 1 -o "$tmp/one.pdf" >"$tmp/out" &&
	grep -q '^left out: g9 of m: no three runs differ' "$tmp/out"
result $? "a figure nothing fills is left out and named"

$zsr report --format txt >"$tmp/text" 2>"$tmp/err" &&
	[ "$(grep -c '^== g[0-9]*  ' "$tmp/text")" -ge 11 ] &&
	grep -q '^left out: g9 of m' "$tmp/err" &&
	LC_ALL=C.UTF-8 awk '{ gsub(/[\200-\277]/, "") } length > 68' "$tmp/text" >"$tmp/out" &&
	[ ! -s "$tmp/out" ]
result $? "txt: a twin of each figure, 68 columns"
grep -q '\xe2\x96\x88' "$tmp/text" 2>/dev/null || grep -q '█' "$tmp/text"
result $? "with blocks"
$zsr report --format txt --ascii --title "Ünits" >"$tmp/text" 2>"$tmp/err" &&
	! LC_ALL=C grep '[^ -~]' "$tmp/text" >"$tmp/out"
result $? "--ascii is nothing but ASCII"
for w in "MiB|" "since the first release began, virtual clock" "p99.9" \
	"contended" "fragmentation" "callers free, C wait" "obj_free" \
	"zsr replay m" "rests on"; do
	grep -qF -e "$w" "$tmp/text" || echo "no $w"
done >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? "axes, units and legends are in the text"

size() { pdfinfo "$1" | sed -n 's/^Page size: *\([0-9.]* x [0-9.]*\).*/\1/p'; }
$zsr report -o "$tmp/l.pdf" --letter >"$tmp/out" &&
	[ "$(size "$tmp/l.pdf")" = "612 x 792" ] &&
	$zsr report -o "$tmp/l.pdf" --slides >"$tmp/out" &&
	[ "$(size "$tmp/l.pdf")" = "720 x 405" ] && [ "$(size "$tmp/r.pdf")" = "595 x 842" ]
result $? "--letter, --slides, A4"
# All policies, three values of one parameter: the same checks on low pages.
cp "$ZSR_DB" "$tmp/many.db"
$zsr replay m -d "$tmp/many.db" --policy sync-6.1,unlock-first,class-batch,defer-zspage,array,deferred-slot,exit-gather,global-list,zram-gc,ideal >"$tmp/out" &&
	for k in 4 16 64; do
		$zsr replay m -d "$tmp/many.db" --policy deferred --param "pool-pages=$k"
	done >"$tmp/out" &&
	$zsr report -d "$tmp/many.db" -o "$tmp/many.pdf" --slides >"$tmp/out" &&
	$zsr report -d "$tmp/many.db" -o "$tmp/many4.pdf" >"$tmp/out" &&
	[ "$(pdftotext "$tmp/many.pdf" - | grep -c '^g1  *Summary')" = 1 ] &&
	[ "$(pdftotext "$tmp/many4.pdf" - | grep -c '^g1  *Summary')" = 1 ]
result $? "g1 is one page for 16 runs of 13 policies"
# No word lies beyond a page's edge, or on another one.
for f in r l many many4; do
	pdftotext -bbox "$tmp/$f.pdf" "$tmp/bbox" && perl -ne '
		($w, $h) = ($1, $2) if /<page width="([\d.]+)" height="([\d.]+)"/;
		@w = () if /<page /;
		next unless /xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*)</;
		my ($a, $b, $c, $d, $word) = ($1, $2, $3, $4, $5);
		print "beyond: $word\n" if $a < 10 || $b < 10 || $c > $w - 10 || $d > $h - 10;
		for (@w) {
			my ($e, $f, $g, $i, $other) = @$_;
			my $x = ($c < $g ? $c : $g) - ($a > $e ? $a : $e);
			my $y = ($d < $i ? $d : $i) - ($b > $f ? $b : $f);
			print "$word on $other\n" if $x > 2 && $y > 5;
		}
		push @w, [$a, $b, $c, $d, $word];' "$tmp/bbox"
done >"$tmp/out"
[ ! -s "$tmp/out" ]
result $? "nothing is clipped, no word lies on another"
pdfinfo -dests "$tmp/r.pdf" >"$tmp/out" && grep -q '"t1-g12"' "$tmp/out"
result $? "g1 can lead to the other figures"

# A capture with the kernel's own numbers: pages agree at every mark.
capture=${ZSR_SHARED:-../shared}/captures/s05-oracle-4k
if [ -d "$capture" ]; then
	$zsr import "$capture" --name s05 -d "$tmp/c.db" >"$tmp/out" 2>"$tmp/err" &&
		$zsr replay s05 --policy sync -d "$tmp/c.db" >"$tmp/out" &&
		$zsr report --format txt --only g11 -d "$tmp/c.db" >"$tmp/text" 2>"$tmp/err"
	grep -A7 '^Pages of the pool at marks' "$tmp/text" >"$tmp/out"
	[ "$(grep -c ' +0$' "$tmp/out")" = 6 ]
	result $? "g11: the replay has the pages of mm_stat at every mark"
	grep -A12 'captured and replayed as sync' "$tmp/text" >"$tmp/out" &&
		grep -q '^  p50 .*[nmu]s .*[nmu]s .*x$' "$tmp/out" &&
		grep -q '^  release, mean .*[nmu]s .*[nmu]s .*x$' "$tmp/out"
	result $? "g11: captured times beside those of the kernel's policy"
fi

# Where zspages given back are in a capture whose times count, they are drawn;
# else it is said why not.
sample=samples/exit-6.12-arm64-4cpu/trace.dat
$zsr import "$sample" --name e -d "$tmp/e.db" >"$tmp/out" 2>"$tmp/err" &&
	$zsr replay e --policy sync --gaps recorded -d "$tmp/e.db" >"$tmp/out" &&
	$zsr report --format txt --only g2,g11 -d "$tmp/e.db" >"$tmp/text" 2>"$tmp/err" &&
	tr '\n' ' ' <"$tmp/text" | grep -q 'given back 50 % of its zspages after 1.24 s, 90 %'
result $? "g2: the captured curve"
last=$($zsr sql -d "$tmp/e.db" "select (max(p.t_ns) - (select min(t_ns) from zsr_event where
	kind = 'free' and trace = 1)) / 10000000 from zsr_event p
	where p.kind = 'page_free' and p.trace = 1" | tail -n 1)
[ "$last" = 155 ] && grep -q '^  100 % back  *1.55 s  *[0-9.]* s  *[0-9.]*x$' "$tmp/text" &&
	grep -q '^ *127  objects never freed' "$tmp/text"
result $? "g11: when the last page was back, captured and replayed; what was odd"
$zsr report -o "$tmp/c.pdf" --only g2 -d "$tmp/e.db" >"$tmp/out" &&
	pdftotext "$tmp/c.pdf" - | grep -q 'captured: below it would be'
result $? "g2: the captured curve has its legend"
$zsr report --format txt --only g2 >"$tmp/text" 2>"$tmp/err" &&
	tr '\n' ' ' <"$tmp/text" | grep -q 'No captured curve: the trace is synthetic. Zspages only'
result $? "g2: without one it is said why"

echo before >"$tmp/keep.pdf"
fails 3 4711 "$zsr" report 4711 -o "$tmp/keep.pdf"
[ "$(cat "$tmp/keep.pdf")" = before ]
result $? "an error leaves the file as it was"
fails 4 'no/dir/r.pdf: .*No such file' "$zsr" report -o "$tmp/no/dir/r.pdf"
fails 4 '/dev/full: ' "$zsr" report -o /dev/full --format pdf
fails 2 'no figure' "$zsr" report --only g2,g77 -o "$tmp/x.pdf"
fails 2 'says no format' "$zsr" report -o "$tmp/x.doc"
fails 2 'expected pdf' "$zsr" report --format gif -o "$tmp/x.pdf"
fails 2 'ends before' "$zsr" report --window 5ms..1ms -o "$tmp/x.pdf"
fails 2 'expected A..B' "$zsr" report --window 5ms -o "$tmp/x.pdf"
fails 2 'is no time' "$zsr" report --window 0..soon -o "$tmp/x.pdf"
fails 3 'nothing to draw' "$zsr" report 1 --only g9 -o "$tmp/x.pdf"
[ "$(find "$tmp" -name 'x.pdf*' | wc -l)" = 0 ]
result $? "none of these left a file"
plan
