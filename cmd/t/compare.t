#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr compare: which runs it takes, what it prints of them, what it says when it
# cannot.
set -u
. tests/tap.sh

export ZSR_DB="$tmp/zsr.db"
: >"$tmp/out"
: >"$tmp/err"
$zsr synth munmap --size 4M --procs 2 --seed 1 --name one >"$tmp/out" &&
	$zsr synth munmap --size 1M --procs 1 --seed 2 --name two >"$tmp/out" &&
	$zsr replay two --policy sync >"$tmp/out" &&
	$zsr replay one --policy deferred,sync,class-idx >"$tmp/out" &&
	$zsr replay one --policy deferred --param pool-pages=1 >"$tmp/out"
result $? "five runs of two traces"

$zsr compare >"$tmp/out" 2>"$tmp/err"
result $? "compare takes the trace replayed last"
awk 'length > 68 { bad = 1 } END { exit bad || NR < 30 }' "$tmp/out"
result $? "no line is wider than 68 columns"
grep -q '^trace     one' "$tmp/out" && ! grep -q 'two' "$tmp/out"
result $? "all of that trace and none of the other"
grep -q 'virtual clock, profile rpi4b' "$tmp/out" &&
	grep -q 'synthetic' "$tmp/out"
result $? "clock, profile and source of the times are said"
grep -q '^  x sync  *1.00x ' "$tmp/out"
result $? "sync is what ratios refer to"

$zsr compare --json >"$tmp/out" 2>"$tmp/err"
perl -MJSON::PP -e '
	local $/; my $r = decode_json(<STDIN>)->{runs};
	my %l = map { $_->{label} => $_ } @$r;
	my $d = $l{"deferred pool-pages=1"} or die "labels: @{[keys %l]}";
	die "count" unless @$r == 4;
	die "first" unless $r->[0]{policy} eq "sync";
	die "digest" unless $d->{result_digest} =~ /^[0-9a-f]{64}$/;
	die "total" unless $d->{cpu_total_ns} == $d->{cpu_caller_ns} +
		$d->{cpu_spin_ns} + $d->{cpu_worker_ns} +
		$d->{cpu_worker_spin_ns} + $d->{cpu_queueing_ns} +
		$d->{cpu_reuse_ns} + $d->{cpu_flush_ns};
	die "max" if grep { $_->{caller_max_ns} < $_->{caller_mean_ns} ||
		$_->{release_p50_ns} > $_->{release_max_ns} } @$r;
' <"$tmp/out" 2>"$tmp/err"
result $? "--json: labels, digests, sums"

$zsr compare --csv >"$tmp/out" 2>"$tmp/err"
[ "$(wc -l <"$tmp/out")" = 5 ] &&
	awk -F, 'NR == 1 { n = NF } NF != n { exit 1 }' "$tmp/out"
result $? "--csv: a header and a line a run, all of one length"

# Every number of the table is that of the JSON, rounded.
$zsr compare --json >"$tmp/json" 2>"$tmp/err" && $zsr compare 1 >"$tmp/out"
$zsr compare 1 --json >"$tmp/json" 2>"$tmp/err"
perl -MJSON::PP -e '
	local $/; open my $f, "<", $ARGV[0] or die;
	my $r = decode_json(<$f>)->{runs}[0];
	my %u = (ns => 1, us => 1e3, ms => 1e6, s => 1e9);
	my %want = ("max" => "caller_max_ns", "mean" => "caller_mean_ns",
		"sum" => "caller_sum_ns", "p50" => "release_p50_ns",
		"p99.9" => "release_p999_ns", "total" => "cpu_total_ns",
		"100 %" => "at_100_ns");
	open $f, "<", $ARGV[1] or die; my $text = <$f>;
	for my $k (keys %want) {
		$text =~ /^  \Q$k\E +([\d.]+) (ns|us|ms|s)$/m or die "no $k";
		my ($v, $per) = ($1, $u{$2});
		my $half = $v =~ /\.(\d+)/ ? 0.5 * 10 ** -length $1 : 0.5;
		die "$k: $v against $r->{$want{$k}}" if
			abs($r->{$want{$k}} / $per - $v) > $half * 1.001;
	}' "$tmp/json" "$tmp/out" 2>"$tmp/err"
result $? "the table says what the JSON says"

$zsr compare '#2' 4 --csv >"$tmp/out" 2>"$tmp/err"
[ "$(wc -l <"$tmp/out")" = 3 ]
result $? "runs by number, with and without #"
$zsr compare one two >"$tmp/out" 2>"$tmp/err"
[ "$(grep -c '^trace ' "$tmp/out")" = 2 ]
result $? "two traces are two tables"
$zsr replay one --policy sync >/dev/null
$zsr compare --csv >"$tmp/out" 2>"$tmp/err"
[ "$(wc -l <"$tmp/out")" = 5 ]
result $? "a repeated run is shown once"

$zsr ls >"$tmp/out" 2>"$tmp/err"
grep -q '^#1 .* two .* sync .* rpi4b ' "$tmp/out" &&
	grep -q '^#5 .* one .* deferred .* pool-pages=1$' "$tmp/out" &&
	! grep -q 'run-pages' "$tmp/out" &&
	awk 'length > 80 { exit 1 }' "$tmp/out"
result $? "ls lists them, with the parameters that were set, in 80 columns"

# text TIME CALLS...: ftrace text of one task
event() {
	printf '              wl-130     [001] .....     %s: %s\n' "$1" "$2"
}
calls() { # mNAME and fNAME
	echo '# tracer: nop'
	event 3.000000 'tracing_mark_write: capture:begin 6.12.1'
	s=1
	for c; do
		s=$((s + 1))
		h=handle=0xffff179f0425b8${c#?}
		case $c in
		m*)
			event 4.00${s}000 "zs_malloc: (zs_malloc+0x0/0x57c) pool=0xffff179f0854a000 size=100 gfp=0x280a"
			event 4.00${s}010 "zs_malloc_ret: (zram_submit_bio+0x5e8/0x6b0 <- zs_malloc) $h"
			;;
		f*)
			event 4.00${s}000 "zs_free: (zs_free+0x0/0x57c) pool=0xffff179f0854a000 $h"
			event 4.00${s}010 "zs_free_ret: (zram_free_page+0x5e8/0x6b0 <- zs_free)"
			;;
		esac
	done
}
export ZSR_DB="$tmp/calls.db"
calls m10 m18 f18 >"$tmp/partial.txt"
calls f18 >"$tmp/orphan.txt"
for trace in partial orphan; do
	$zsr replay "$tmp/$trace.txt" --policy sync,deferred >"$tmp/out" 2>"$tmp/err"
	result $? "a capture can be replayed at once: $trace"
	! grep -q 'never' "$tmp/out"
	result $? "and owes no page"
done
$zsr compare partial >"$tmp/out" 2>"$tmp/err" && ! grep -q 'never' "$tmp/out" &&
	grep -q '^  100 %  *-  *-$' "$tmp/out" &&
	grep -q '^The releases empty no zspage: no page is due back' "$tmp/out"
result $? "releases that empty no zspage owe no page"
$zsr report -o "$tmp/partial.pdf" partial >"$tmp/out" 2>"$tmp/err" &&
	pdftotext -layout "$tmp/partial.pdf" "$tmp/out" &&
	grep -q 'no page was due back' "$tmp/out" && ! grep -q '% never' "$tmp/out"
result $? "nor in the figures"
$zsr compare orphan >"$tmp/out" 2>"$tmp/err" && ! grep -q 'never' "$tmp/out" &&
	grep -q '^No release was played: there is nothing' "$tmp/out" &&
	grep -q "^1 of the trace's 1 frees could not be played" "$tmp/out"
result $? "frees without an object are said not to have been played"
(echo '# entries-in-buffer/entries-written: 5/18   #P:1'
	calls m10 f10) >"$tmp/lossy.txt"
$zsr replay "$tmp/lossy.txt" --policy sync >"$tmp/out" 2>"$tmp/err" &&
	$zsr compare lossy >"$tmp/out" 2>"$tmp/err" &&
	grep -q '^The capture lost [0-9]* records' "$tmp/out"
result $? "what the capture lost is said"
$zsr replay nosuch --policy sync -d "$tmp/new.db" >"$tmp/out" 2>"$tmp/err"
[ $? = 3 ] && [ ! -e "$tmp/new.db" ]
result $? "a trace that is neither file nor name makes no database"
export ZSR_DB="$tmp/zsr.db"

fails 3 'run' "$zsr" compare 4711
fails 3 'nosuch' "$zsr" compare nosuch
fails 2 'not both' "$zsr" compare --json --csv
fails 2 'unknown option' "$zsr" compare --yaml
fails 3 'missing.db' "$zsr" compare -d "$tmp/missing.db"
[ ! -e "$tmp/missing.db" ]
result $? "a database that is not there is not made"
echo 'no database, but long enough to be looked at' >"$tmp/text"
fails 3 'text' "$zsr" compare -d "$tmp/text"
$zsr synth munmap --size 1M --procs 1 --name x -d "$tmp/fresh.db" >/dev/null
fails 3 'no run' "$zsr" compare -d "$tmp/fresh.db"
$zsr compare >/dev/full 2>"$tmp/err"
[ $? = 4 ]
result $? "a full disk is a system error"
plan
