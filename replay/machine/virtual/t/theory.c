// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs around one spinlock are a closed network: each thinks, then asks the one
 * server. Against exact theory, within 1 % where times are random and to the
 * picosecond where they are not.
 */
#include "replay/machine/virtual/t/theory.h"

/* ---- a spinlock, exponential times -------------------------------------- */

/* N CPUs that think, take the lock, hold it. */
struct closed {
	struct zsr_spinlock lock;
	struct zsr_rng rng[16];
	unsigned next, at_lock;
	uint64_t think, hold; /* means, ps */
	uint64_t batch; /* holds a batch */
	struct totals now, batches[BATCHES + 2];
	unsigned nr_batches; /* the first is the start-up */
};

static void at_lock(struct closed *s, uint64_t now, int change)
{
	s->now.area += s->at_lock * (now - s->now.at);
	s->now.at = now;
	s->at_lock += (unsigned)change;
}

static void closed_user(struct zsr_vm *vm, void *arg)
{
	struct closed *s = arg;
	struct zsr_rng *rng = &s->rng[s->next++];
	uint64_t think, hold;

	while (s->nr_batches < BATCHES + 2) {
		think = draw(rng, s->think);
		hold = draw(rng, s->hold);
		zsr_vm_compute(vm, think);
		at_lock(s, vm->c->now, 1);
		zsr_spin_lock(&vm->m, &s->lock);
		zsr_vm_spend(vm, hold);
		zsr_spin_unlock(&vm->m, &s->lock);
		zsr_order(&vm->m);
		at_lock(s, vm->c->now, -1);
		s->now.thought += think;
		s->now.held += hold;
		if (++s->now.done % s->batch)
			continue;
		s->now.wait = s->lock.stats.wait;
		if (s->nr_batches < BATCHES + 2)
			s->batches[s->nr_batches++] = s->now;
	}
}

/*
 * Exact mean-value analysis of N customers, a delay of mean Z and one FIFO
 * server of mean S, both exponential: Reiser and Lavenberg, Mean-Value Analysis
 * of Closed Multichain Queuing Networks, Journal of the ACM 27(2), 1980. An
 * arriving customer sees the network as it is with one customer fewer.
 */
static struct network mva(unsigned n, double z, double s)
{
	struct network net = { 0 };
	double response;
	unsigned k;

	for (k = 1; k <= n; k++) {
		response = s * (1 + net.length);
		net.rate = k / (z + response);
		net.length = net.rate * response;
		net.wait = response - s;
	}
	return net;
}

/* What happened between two points relative to theory for the mean times that
 * were drawn in between: the draws' own scatter is no error of the machine. */
static struct network relative(unsigned n, const struct totals *from,
			       const struct totals *to)
{
	double done = (double)(to->done - from->done);
	double time = (double)(to->at - from->at);
	struct network is = mva(n, (double)(to->thought - from->thought) / done,
				(double)(to->held - from->held) / done);

	is.rate = done / time / is.rate;
	is.length = (double)(to->area - from->area) / time / is.length;
	is.wait = n == 1 ? 1 : (double)(to->wait - from->wait) / done / is.wait;
	return is;
}

static void closed_against_mva(unsigned n, unsigned ratio)
{
	double rate[BATCHES], wait[BATCHES], length[BATCHES];
	struct closed s = { .think = ratio * 250 * NS, .hold = 500 * NS };
	struct zsr_vm *vm;
	struct network is;
	unsigned i;

	/* The wait is rare, and its mean the less certain, in an idle network. */
	s.batch = (40000 / (n * n) + 900) * ratio + 1000;
	free_of_cost();
	vm = machine(n);
	for (i = 0; i < n; i++) {
		s.rng[i].state = 1000 * ratio + i;
		spawn(vm, closed_user, &s, i);
	}
	run(vm);
	zsr_vm_destroy(vm);
	/* Little's law over a run that begins and ends empty: the customers'
	 * times add up to the time integral of their number. */
	ck_assert_uint_eq(s.now.area, s.lock.stats.wait + s.now.held);
	for (i = 0; i < BATCHES; i++) {
		is = relative(n, &s.batches[i], &s.batches[i + 1]);
		rate[i] = is.rate;
		wait[i] = is.wait;
		length[i] = is.length;
	}
	is = relative(n, &s.batches[0], &s.batches[BATCHES]);
	judge(n, ratio, "throughput", is.rate, rate);
	judge(n, ratio, "lock wait", is.wait, wait);
	judge(n, ratio, "queue length", is.length, length);
}

START_TEST(lock_is_mva)
{
	static const unsigned ratios[] = { 1, 4, 12 };
	unsigned n, i;

	for (i = 0; i < ZSR_ARRAY_SIZE(ratios); i++) {
		worst_off = worst_error = 0;
		for (n = 1; n <= 16; n++)
			closed_against_mva(n, ratios[i]);
		comment("think/hold %u/2, 1 to 16 CPUs: at most %.2f %% off "
			"theory, standard error of %u batches %.2f %%\n",
			ratios[i], 100 * worst_off, BATCHES, 100 * worst_error);
	}
}
END_TEST

/* ---- constant times ------------------------------------------------------- */

#define THINK (2000 * NS)
#define HOLD  (300 * NS)

static void lock_rounds(struct zsr_vm *vm, void *arg)
{
	struct rounds *s = arg;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_vm_compute(vm, s->think);
		zsr_spin_lock(&vm->m, &s->lock);
		zsr_vm_spend(vm, HOLD);
		zsr_spin_unlock(&vm->m, &s->lock);
		round_done(vm, s);
	}
}

/* The asymptotic bounds of operational analysis, min(N / (Z + S), 1 / S), are
 * reached where nothing is random. */
START_TEST(lock_reaches_its_bound)
{
	struct rounds s = { .think = THINK };
	unsigned n;

	for (n = 1; n <= 16; n++) {
		free_of_cost();
		ck_assert_uint_eq(cycle_of(n, &s, lock_rounds, 0),
				  zsr_max(THINK + HOLD, n * HOLD));
	}
}
END_TEST

/*
 * With lines that cost. Nobody waits: each finds the line where the last
 * holder is, a transfer. Everybody does: in each hold one CPU arrives and takes
 * the line away, the holder gets it back to unlock, and hands it on with the
 * lock, two transfers; taking the lock is part of the wait. A lock that is
 * contended serves slower, so who once met may meet forever: CPUs begin apart.
 */
START_TEST(lock_line_reaches_its_bound)
{
	const uint64_t lock = 18 * NS, unlock = 10 * NS;
	const uint64_t contended = HOLD + unlock + 2 * TRANSFER;
	struct rounds s = { .think = 1800 * NS };
	const uint64_t alone = s.think + lock + HOLD + unlock;
	uint64_t cycle;
	unsigned n;

	for (n = 1; n <= 16; n++) {
		free_of_cost();
		profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
		profile.cost_ps[ZSR_COST_spin_lock] = lock;
		profile.cost_ps[ZSR_COST_spin_unlock] = unlock;
		cycle = cycle_of(n, &s, lock_rounds, contended);
		if (n == 1)
			ck_assert_uint_eq(cycle, alone);
		else if (n * contended < alone + TRANSFER)
			ck_assert_uint_eq(cycle, alone + TRANSFER);
		else
			ck_assert_uint_eq(cycle, n * contended);
	}
}
END_TEST

/* ---- order ------------------------------------------------------------------ */

/* 16 CPUs come one after the other, in an order that is not theirs. */
struct comers {
	struct zsr_spinlock lock;
	unsigned next, served[16], nr_served;
};

static void comer(struct zsr_vm *vm, void *arg)
{
	struct comers *s = arg;
	unsigned turn = s->next++ * 7 % 16;

	zsr_vm_spend(vm, turn * 10 * NS);
	zsr_spin_lock(&vm->m, &s->lock);
	s->served[s->nr_served++] = turn;
	zsr_vm_spend(vm, HOLD);
	zsr_spin_unlock(&vm->m, &s->lock);
}

START_TEST(first_come_is_first_served)
{
	struct comers s = { .next = 0 };
	struct zsr_vm *vm;
	unsigned i;

	free_of_cost();
	profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
	vm = machine(16);
	for (i = 0; i < 16; i++)
		spawn(vm, comer, &s, i);
	run(vm);
	zsr_vm_destroy(vm);
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(s.served[i], i);
}
END_TEST

ZSR_TEST_MAIN("virtual machine: a lock and theory", lock_is_mva,
	      lock_reaches_its_bound, lock_line_reaches_its_bound,
	      first_come_is_first_served)
