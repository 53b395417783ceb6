#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr report: its files, its figures, and that the PDF's numbers are those of
# `zsr compare --json`.
set -u

zsr=${ZSR:-zsr}
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
		sed 's/^/# /' "$t/out" "$t/err"
	fi
}
# exit status wanted, text wanted on stderr, command...
fails() {
	want=$1 text=$2
	shift 2
	"$@" >"$t/out" 2>"$t/err"
	got=$?
	shift
	[ $got = "$want" ] && grep -q -e "$text" "$t/err"
	check $? "exit $want, says '$text': $*"
}

export ZSR_DB="$t/zsr.db"
: >"$t/out"
: >"$t/err"
$zsr synth munmap --size 8M --procs 3 --seed 1 --name m >"$t/out" &&
	$zsr replay m --policy sync,class-idx,deferred >"$t/out"
check $? "three runs"

$zsr report -o "$t/r.pdf" >"$t/out" 2>"$t/err" && [ ! -s "$t/err" ] &&
	grep -q 'r.pdf: [0-9]* pages, g1 g2 g3 g4 g5 g6 g7 g8 g10 g11 g12$' "$t/out"
check $? "a PDF, and what is in it"
pages=$(sed -n 's/.*: \([0-9]*\) pages.*/\1/p' "$t/out")
pdfinfo "$t/r.pdf" >"$t/out" && grep -q "^Pages: *$pages$" "$t/out"
check $? "it has the pages that were announced"
pdffonts "$t/r.pdf" >"$t/out" &&
	awk 'NR > 2 && /DejaVu/ && $(NF - 4) == "yes" { ok++ }
	     NR > 2 { all++ } END { exit !(all && ok == all) }' "$t/out"
check $? "every font is DejaVu and embedded"

pdftotext -layout "$t/r.pdf" "$t/text"
$zsr compare --json >"$t/json"
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
' "$t/json" "$t/text" 2>"$t/err"
check $? "every integer of the JSON is in the PDF's text"
$zsr compare | sed -n '/caller time of/,/^$/p' | tr -s ' ' >"$t/table"
tr -s ' ' <"$t/text" | sed 's/^ //' >"$t/squeezed"
sed 's/^ //' "$t/table" | while read -r line; do
	grep -qxF -e "$line" "$t/squeezed" || echo "$line"
done >"$t/out"
[ ! -s "$t/out" ] && [ "$(wc -l <"$t/table")" -gt 25 ]
check $? "every line of the table is in the PDF's text"

$zsr report -o "$t/s.pdf" >"$t/out" && cmp "$t/r.pdf" "$t/s.pdf" >"$t/out"
check $? "the same runs give the same bytes"
SOURCE_DATE_EPOCH=86400 $zsr report -o "$t/s.pdf" >"$t/out"
TZ=UTC pdfinfo "$t/s.pdf" | grep -q 'CreationDate:.*Jan  2 00:00:00 1970'
check $? "SOURCE_DATE_EPOCH is the date"
fails 2 SOURCE_DATE_EPOCH env SOURCE_DATE_EPOCH=today "$zsr" report \
	-o "$t/x.pdf"

$zsr report -o "$t/r.svg" >"$t/out" && $zsr report -o "$t/s.svg" >"$t/out" &&
	cmp "$t/r.svg" "$t/s.svg" && head -c 300 "$t/r.svg" | grep -q '<svg'
check $? "SVG, twice the same"
$zsr report -o "$t/r.png" --only g2 >"$t/out" &&
	[ "$(head -c 4 "$t/r.png" | tail -c 3)" = PNG ] &&
	grep -q ': 1 page, g2$' "$t/out"
check $? "PNG of one figure"
$zsr report -o "$t/plain" --format pdf --only g4,g1 --title "A title" \
	>"$t/out" && pdftotext "$t/plain" "$t/text" &&
	grep -q "A title" "$t/text" && grep -q 'g4 *Latency' "$t/text" &&
	! grep -q 'g2 *Memory' "$t/text"
check $? "--format, --only and --title"
$zsr report -o "$t/w.pdf" --only g2 --window 0..1ms >"$t/out" &&
	pdftotext "$t/w.pdf" - | grep -q 'us since\|ms since'
check $? "--window"
$zsr report 1 -o "$t/one.pdf" >"$t/out" &&
	grep -q '^left out: g9 of m: no three runs differ' "$t/out"
check $? "a figure nothing fills is left out and named"

$zsr report --format txt >"$t/text" 2>"$t/err" &&
	[ "$(grep -c '^== g[0-9]*  ' "$t/text")" -ge 11 ] &&
	grep -q '^left out: g9 of m' "$t/err" &&
	LC_ALL=C.UTF-8 awk '{ gsub(/[\200-\277]/, "") } length > 68' "$t/text" >"$t/out" &&
	[ ! -s "$t/out" ]
check $? "txt: a twin of each figure, 68 columns"
grep -q '\xe2\x96\x88' "$t/text" 2>/dev/null || grep -q '█' "$t/text"
check $? "with blocks"
$zsr report --format txt --ascii --title "Ünits" >"$t/text" 2>"$t/err" &&
	! LC_ALL=C grep '[^ -~]' "$t/text" >"$t/out"
check $? "--ascii is nothing but ASCII"
for w in "MiB|" "since the first release began, virtual clock" "p99.9" \
	"contended" "fragmentation" "callers free, C wait" "obj_free" \
	"zsr replay m" "rests on"; do
	grep -qF -e "$w" "$t/text" || echo "no $w"
done >"$t/out"
[ ! -s "$t/out" ]
check $? "axes, units and legends are in the text"

size() { pdfinfo "$1" | sed -n 's/^Page size: *\([0-9.]* x [0-9.]*\).*/\1/p'; }
$zsr report -o "$t/l.pdf" --letter >"$t/out" &&
	[ "$(size "$t/l.pdf")" = "612 x 792" ] &&
	$zsr report -o "$t/l.pdf" --slides >"$t/out" &&
	[ "$(size "$t/l.pdf")" = "720 x 405" ] && [ "$(size "$t/r.pdf")" = "595 x 842" ]
check $? "--letter, --slides, A4"
# No word lies beyond a page's edge, or on another one.
for f in r l; do
	pdftotext -bbox "$t/$f.pdf" "$t/bbox" && perl -ne '
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
		push @w, [$a, $b, $c, $d, $word];' "$t/bbox"
done >"$t/out"
[ ! -s "$t/out" ]
check $? "nothing is clipped, no word lies on another"
pdfinfo -dests "$t/r.pdf" >"$t/out" && grep -q '"t1-g12"' "$t/out"
check $? "g1 can lead to the other figures"

# A capture with the kernel's own numbers: pages agree at every mark.
capture=${ZSR_SHARED:-../shared}/captures/s05-oracle-4k
if [ -d "$capture" ]; then
	$zsr import "$capture" --name s05 -d "$t/c.db" >"$t/out" 2>"$t/err" &&
		$zsr replay s05 --policy sync -d "$t/c.db" >"$t/out" &&
		$zsr report --format txt --only g11 -d "$t/c.db" >"$t/text" 2>"$t/err"
	grep -A7 '^Pages of the pool at marks' "$t/text" >"$t/out"
	[ "$(grep -c ' +0$' "$t/out")" = 6 ]
	check $? "g11: the replay has the pages of mm_stat at every mark"
	grep -A2 'captured and replayed as sync' "$t/text" >"$t/out" &&
		grep -q '^  p50 .*[nmu]s .*[nmu]s .*x$' "$t/out"
	check $? "g11: captured times beside those of the kernel's policy"
fi

echo before >"$t/keep.pdf"
fails 3 4711 "$zsr" report 4711 -o "$t/keep.pdf"
[ "$(cat "$t/keep.pdf")" = before ]
check $? "an error leaves the file as it was"
fails 4 'no/dir/r.pdf: .*No such file' "$zsr" report -o "$t/no/dir/r.pdf"
fails 4 '/dev/full: ' "$zsr" report -o /dev/full --format pdf
fails 2 'no figure' "$zsr" report --only g2,g77 -o "$t/x.pdf"
fails 2 'says no format' "$zsr" report -o "$t/x.doc"
fails 2 'expected pdf' "$zsr" report --format gif -o "$t/x.pdf"
fails 2 'ends before' "$zsr" report --window 5ms..1ms -o "$t/x.pdf"
fails 2 'expected A..B' "$zsr" report --window 5ms -o "$t/x.pdf"
fails 2 'is no time' "$zsr" report --window 0..soon -o "$t/x.pdf"
fails 3 'nothing to draw' "$zsr" report 1 --only g9 -o "$t/x.pdf"
[ "$(find "$t" -name 'x.pdf*' | wc -l)" = 0 ]
check $? "none of these left a file"
echo "1..$n"
exit $failed
