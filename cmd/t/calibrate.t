#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr calibrate writes a profile that replays take; zsr compare --clocks holds the
# virtual machine against this one, and finds an order that a planted profile
# turns round.
set -u
. tests/tap.sh

ZSR_DB=$tmp/zsr.db
export ZSR_DB
cd "$tmp" || exit 1
: >"$tmp/out"

fails 2 '--host is missing' "$zsr" calibrate
fails 2 'capture is not' "$zsr" calibrate munmap --host
fails 2 'from 4M to 16G' "$zsr" calibrate --host --size 1M
fails 2 'no machine profile' "$zsr" calibrate --host --base pdp11 --rounds 5
fails 2 '--rounds' "$zsr" calibrate --host --rounds 0

ok "writes a profile" exits 0 "$zsr" calibrate --host --rounds 30 --size 16M \
	-o this.profile
[ "$(grep -c '^[a-z_]* = ' this.profile)" -ge 53 ] &&
	grep -q '^obj_free = [0-9.]* ns # quartiles' this.profile
ok "with every entry and its spread"
"$zsr" synth munmap --size 16M --name m >out 2>err &&
	"$zsr" replay m -m this.profile -p sync,deferred --arrival asap \
		>out 2>err
ok "which replays take"

fails 2 'want --machine' "$zsr" compare --clocks m -p sync
fails 2 'want --clocks' "$zsr" compare m --machine this.profile
fails 2 'expected one TRACE' "$zsr" compare --clocks --machine this.profile
fails 3 'both clocks' "$zsr" compare --clocks m

ok "runs are made on both clocks" exits 0 "$zsr" compare --clocks m \
	--machine this.profile -p sync,deferred,ideal --repeat 8
says '^sync  *[0-9.]* [mun]*s  *[0-9.]* [mun]*s' && says '^deferred ' &&
	! says '^ideal' && says '^bar m' && says 'pairs of policies'
ok "and shown side by side, bounds left out"
awk 'length > 68 { bad = 1 } END { exit bad }' out
ok "within 68 columns"
ok "of stored runs" exits 0 "$zsr" compare --clocks m --json
perl -MJSON::PP -e '
	local $/; my $r = decode_json(<STDIN>);
	die "policies" unless @{$r->{policies}} == 2;
	for (@{$r->{policies}}) {
		my $c = $_->{caller};
		die "rounds" unless $_->{rounds} == 8;
		die "ratio" if abs($c->{virtual_ns} / $c->{host_ns} -
			$c->{ratio}) > 1e-9;
		die "interval" unless $c->{low_ns} <= $c->{host_ns} &&
			$c->{host_ns} <= $c->{high_ns};
	}' <out 2>err
ok "as JSON"

# Releases that are queued take a tenth of those that are done, unless a profile
# makes queueing a handle the dearest step there is.
sed 's/^push = [^#]*/push = 90 us /' this.profile >planted.profile
# A machine that others use may show no difference at first.
for _ in 1 2 3 4; do
	"$zsr" compare --clocks m --machine planted.profile -p sync,deferred \
		--repeat 20 --strict >out 2>err
	got=$?
	says 'ranked otherwise: deferred takes less than sync' && break
done
[ "$got" = 1 ] && says '^bar missed' &&
	says 'ranked otherwise: deferred takes less than sync'
ok "a planted wrong order is found"
cd "$top" || exit 1
plan
