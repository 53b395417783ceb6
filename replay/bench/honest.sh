#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Is the comparison of runs on the host honest? Two plug-ins of one source are
# the same policy; a third waits for 5 % of what a release takes on top of it.
# TRIALS times the two are replayed in rounds and compared, and as often the
# slow one with one of them. Of the first, no more than the binomial bound of
# the stated level may be told apart; of the second, 90 % must be.
#
#	TRIALS=200 ROUNDS=24 SLOW_ROUNDS=150 SIZE=64M replay/bench/honest.sh
#
# Exits 1 when a bar is missed. False alarms do not depend on the number of
# rounds nor on what else the machine does; how many rounds it takes to see 5 %
# does, hence a number for the slow ones of their own: where a round's difference
# scatters by 15 % it takes some 150. The bound is the 99 % one.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
zsr=${ZSR_BUILD:-$top/build}/zsr
trials=${TRIALS:-200} size=${SIZE:-64M}
rounds=${ROUNDS:-24} slow_rounds=${SLOW_ROUNDS:-150}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cat >"$tmp/twin.c" <<'END'
#include "replay/policy/locking.h"

enum { WAIT };
static const struct zsr_param params[] = {
	[WAIT] = { "wait-ps", "ps", 0, 0, 1000000000, "added to a release",
		   "a test", NULL },
};

static void free_now(struct zsr_pool *p, zsr_handle h)
{
	zsr_free_locked(p, ZSR_LOCKING_CLASS_IDX, h);
}

/* One of 64 releases waits for all of them: reading the clock takes longer
 * than what one would have to wait. */
static void release(struct zsr_pool *p, const struct zsr_releaser *r,
		    uint32_t slot)
{
	(void)r;
	free_now(p, zsr_pool_slot_take(p, slot));
	if (SLOW && slot % 64 == 0) {
		uint64_t until = zsr_now_ps(p->m) + 64 * p->param[WAIT];

		while (zsr_now_ps(p->m) < until)
			;
	}
}

const struct zsr_policy zsr_policy_plugin = {
	.version = ZSR_MACHINE_VERSION,
	.name = NAME,
	.summary = "class-idx, or a slower one",
	.text = "A release waits for wait-ps on top.",
	.source = "a test",
	.params = params,
	.nr_params = 1,
	.store_lock = ZSR_STORE_CLASS_LOCK,
	.release = release,
	.free_now = free_now,
};
END

build() { # name, 1 when it is slow
	${CC:-cc} -std=gnu11 -O2 -shared -fPIC -I"$top" -DNAME="\"$1\"" \
		-DSLOW="$2" "$tmp/twin.c" -o "$tmp/$1.so"
}
build twin-a 0
build twin-b 0
build slow 1

# trial OTHER WAIT ROUNDS: what compare says of caller times, beginning with whether
# they differ and who is held against whom
trial() {
	cp "$tmp/base.db" "$tmp/trial.db"
	"$zsr" replay t -d "$tmp/trial.db" --clock host --pin spread \
		--repeat "$3" --interleave --warmup 1 \
		-p "$tmp/twin-a.so,$tmp/$1.so" --param wait-ps="$2" \
		>/dev/null 2>&1
	"$zsr" compare -d "$tmp/trial.db" | tr '\n' ' ' | tr -s ' ' |
		sed -n 's/.* \([a-z-]*\) against \([a-z-]*\) in [0-9]* rounds: caller time \([^)]*)\), \([a-z ]*\);.*/\4, \1 to \2 \3/p'
}

"$zsr" synth munmap --size "$size" --procs 1 --name t -d "$tmp/base.db" \
	>/dev/null 2>&1
cp "$tmp/base.db" "$tmp/mean.db"
"$zsr" replay t -d "$tmp/mean.db" --clock host --pin spread --repeat 25 \
	--warmup 2 -p "$tmp/twin-a.so" >/dev/null 2>&1
wait=$("$zsr" sql -d "$tmp/mean.db" --csv "SELECT value * 50 / (SELECT value
	FROM run_value f WHERE f.run = v.run AND f.key = 'frees')
	FROM run_value v WHERE key = 'caller_sum_ns' ORDER BY value
	LIMIT 1 OFFSET 12" | tail -1)
echo "a release takes $((wait * 20 / 1000)) ns, 5 % of it is $wait ps;" \
	"$size a run"

alarms=0 found=0 i=0
while [ $i -lt "$trials" ]; do
	i=$((i + 1))
	said=$(trial twin-b 0 "$rounds")
	[ -z "${VERBOSE:-}" ] || echo "same: $said"
	case $said in
	"a difference"*) alarms=$((alarms + 1)) ;;
	"no difference"*) ;;
	*) exit 2 ;;
	esac
	said=$(trial slow "$wait" "$slow_rounds")
	[ -z "${VERBOSE:-}" ] || echo "slow: $said"
	case $said in
	"a difference, slow to twin-a +"* | "a difference, twin-a to slow -"*)
		found=$((found + 1)) ;;
	esac
done

# The most alarms that chance gives 99 times in 100.
bound=$(awk -v n="$trials" 'BEGIN {
	for (k = 0; k <= n; k++) {
		p = k ? p * (n - k + 1) / k * .05 / .95 : .95 ^ n
		sum += p
		if (sum >= .99) {
			print k
			exit
		}
	}
}')
echo "same policy, $rounds rounds: $alarms of $trials told apart" \
	"(at most $bound)"
echo "5 % slower, $slow_rounds rounds: $found of $trials found" \
	"(at least $((trials * 9 / 10)))"
[ "$alarms" -le "$bound" ] && [ "$found" -ge $((trials * 9 / 10)) ]
