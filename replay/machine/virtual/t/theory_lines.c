// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines that CPUs pass around, and the reader-writer lock whose count is in
 * one, against theory: within 1 % where times are random and to the picosecond
 * where they are not.
 */
#include "replay/machine/virtual/t/theory.h"

/* ---- a bounced line -------------------------------------------------------- */

static void atomic_rounds(struct zsr_vm *vm, void *arg)
{
	struct rounds *s = arg;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_vm_spend(vm, s->think);
		zsr_line_atomic(&vm->m, &s->line);
		round_done(vm, s);
	}
}

/*
 * Transfers of a line serialise; what its user does with it meanwhile does not
 * hold up the next transfer. So the line serves one CPU a transfer time, or as
 * many as come.
 */
START_TEST(line_reaches_its_bound)
{
	static const uint64_t thinks[] = { 0, 10 * NS, 100 * NS, 700 * NS };
	const uint64_t atomic = 15 * NS;
	struct rounds s = { .think = 0 };
	unsigned n, i;

	for (i = 0; i < ZSR_ARRAY_SIZE(thinks); i++) {
		for (n = 1; n <= 16; n++) {
			free_of_cost();
			profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
			profile.cost_ps[ZSR_COST_atomic] = atomic;
			s.think = thinks[i];
			ck_assert_uint_eq(
				cycle_of(n, &s, atomic_rounds, 0),
				n == 1 ? s.think + atomic
				       : zsr_max(s.think + atomic + TRANSFER,
						 n * TRANSFER));
		}
	}
}
END_TEST

struct bounced {
	struct zsr_line line;
	struct zsr_rng rng[16];
	unsigned next;
	uint64_t think, batch; /* mean; transfers a batch */
	struct totals now, batches[BATCHES + 2];
	unsigned nr_batches;
};

/* The line always comes from elsewhere, also to whoever had it last. */
static void bounced_user(struct zsr_vm *vm, void *arg)
{
	struct bounced *s = arg;
	struct zsr_rng *rng = &s->rng[s->next++];
	uint64_t think;

	while (s->nr_batches < BATCHES + 2) {
		think = draw(rng, s->think);
		zsr_vm_spend(vm, think);
		zsr_order(&vm->m);
		s->line.owner = ZSR_MAX_CPUS;
		s->line.sharers = 1ull << (ZSR_MAX_CPUS - 1);
		zsr_line_write(&vm->m, &s->line);
		zsr_order(&vm->m);
		s->now.thought += think;
		s->now.at = vm->c->now;
		if (++s->now.done % s->batch == 0 && s->nr_batches < BATCHES + 2)
			s->batches[s->nr_batches++] = s->now;
	}
}

/*
 * Throughput of N customers that think exponentially, mean Z, and one server
 * that takes exactly S: the machine interference problem with general service
 * (Takacs, Introduction to the Theory of Queues, 1962, chapter 5). The server's
 * mean busy period is S times the sum over j < N of binomial(N - 1, j) times
 * the product over i <= j of 1 / psi(i / Z) - 1, where psi is the Laplace
 * transform of the service time; idle periods have the mean Z / N.
 */
static double interference(unsigned n, double z, double s)
{
	double term = 1, sum = 0, busy;
	unsigned j;

	for (j = 0; j < n; j++) {
		sum += term;
		term *= (double)(n - 1 - j) / (j + 1) *
			(exp((j + 1) * s / z) - 1);
	}
	busy = s * sum;
	return busy / (busy + z / n) / s;
}

static double line_relative(unsigned n, const struct totals *from,
			    const struct totals *to)
{
	double done = (double)(to->done - from->done);
	double z = (double)(to->thought - from->thought) / done;

	return done / (double)(to->at - from->at) / interference(n, z, TRANSFER);
}

START_TEST(line_is_interference)
{
	static const unsigned ratios[] = { 1, 4, 12 };
	double rate[BATCHES];
	unsigned n, i, k;

	free_of_cost();
	profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
	worst_off = worst_error = 0;
	for (i = 0; i < ZSR_ARRAY_SIZE(ratios); i++) {
		for (n = 1; n <= 16; n++) {
			struct bounced s = { .think = ratios[i] * TRANSFER / 2,
					     .batch = 5000 };
			struct zsr_vm *vm = machine(n);

			for (k = 0; k < n; k++) {
				s.rng[k].state = 1000 * n + k;
				spawn(vm, bounced_user, &s, k);
			}
			run(vm);
			ck_assert_uint_eq(vm->line_transfers, s.now.done);
			zsr_vm_destroy(vm);
			for (k = 0; k < BATCHES; k++)
				rate[k] = line_relative(n, &s.batches[k],
							&s.batches[k + 1]);
			judge(n, ratios[i], "transfers",
			      line_relative(n, &s.batches[0],
					    &s.batches[BATCHES]),
			      rate);
		}
	}
	comment("bounced line: at most %.2f %% off theory, standard error "
		"%.2f %%\n",
		100 * worst_off, 100 * worst_error);
}
END_TEST

/* ---- a shared line --------------------------------------------------------- */

static void read_rounds(struct zsr_vm *vm, void *arg)
{
	struct rounds *s = arg;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_line_read(&vm->m, &s->line);
		zsr_vm_spend(vm, s->think);
		round_done(vm, s);
	}
}

static uint64_t all_spin(const struct zsr_vm *vm)
{
	uint64_t sum = 0;
	unsigned i, k;

	for (i = 0; i < vm->m.nr_cpus; i++)
		for (k = 0; k < ZSR_NR_MODES; k++)
			sum += vm->cpu[i].spin[k];
	return sum;
}

/* The first has it for nothing, the others one transfer after the other, and
 * from then on nobody pays. */
START_TEST(shared_line_costs_once)
{
	struct rounds s = { .think = 20 * NS };
	struct zsr_vm *vm;
	unsigned n, i;

	for (n = 1; n <= 16; n++) {
		free_of_cost();
		profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
		vm = machine(n);
		s.line = (struct zsr_line){ 0 };
		s.nr_done = 0;
		for (i = 0; i < n; i++)
			spawn(vm, read_rounds, &s, i);
		run(vm);
		ck_assert_uint_eq(vm->line_transfers, n - 1);
		ck_assert_uint_eq(all_spin(vm), n * (n - 1) / 2 * TRANSFER);
		ck_assert_uint_eq(vm->end,
				  (n - 1) * TRANSFER + ROUNDS * 20 * NS);
		zsr_vm_destroy(vm);
	}
}
END_TEST

/* CPU 0 writes what all others read, so often that each write finds it read by
 * all and each read finds it written. */
#define WRITE_EVERY (5000 * NS)

struct board {
	struct zsr_line line;
	unsigned next;
	uint64_t wrote_in; /* longest */
};

static void board_user(struct zsr_vm *vm, void *arg)
{
	struct board *b = arg;
	unsigned self = b->next++, i;
	uint64_t at;

	for (i = 1; i <= ROUNDS; i++) {
		at = i * WRITE_EVERY + (self ? WRITE_EVERY / 2 : 0);
		zsr_vm_sleep_until(vm, at);
		if (self) {
			zsr_line_read(&vm->m, &b->line);
			zsr_line_read(&vm->m, &b->line);
			continue;
		}
		zsr_line_write(&vm->m, &b->line);
		zsr_line_write(&vm->m, &b->line);
		b->wrote_in = zsr_max(b->wrote_in, vm->c->now - at);
	}
}

/* A write costs one transfer, however many CPUs share the line, and every one
 * of them its next read. */
START_TEST(write_takes_the_line_from_all)
{
	struct zsr_vm *vm;
	unsigned n, i;

	for (n = 2; n <= 16; n++) {
		struct board b = { .next = 0 };

		free_of_cost();
		profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
		vm = machine(n);
		for (i = 0; i < n; i++)
			spawn(vm, board_user, &b, i);
		run(vm);
		ck_assert_uint_eq(b.wrote_in, TRANSFER);
		/* The first write finds it nowhere. */
		ck_assert_uint_eq(vm->line_transfers, n * ROUNDS - 1);
		ck_assert_uint_eq(all_spin(vm),
				  (ROUNDS - 1 + ROUNDS * (n * (n - 1) / 2)) *
					  TRANSFER);
		zsr_vm_destroy(vm);
	}
}
END_TEST

/* ---- a reader-writer lock -------------------------------------------------- */

static void read_lock_rounds(struct zsr_vm *vm, void *arg)
{
	struct rounds *s = arg;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		zsr_vm_spend(vm, s->think);
		zsr_read_lock(&vm->m, &s->rwlock);
		zsr_read_unlock(&vm->m, &s->rwlock);
		round_done(vm, s);
	}
}

/*
 * Readers only: nobody ever waits for the lock, everybody for the line with
 * its count, to enter and to leave: two transfers a round.
 */
START_TEST(readers_are_bound_by_the_count)
{
	const uint64_t lock = 24 * NS, unlock = 22 * NS;
	struct rounds s = { .think = 20 * NS };
	uint64_t cycle;
	unsigned n;

	for (n = 1; n <= 16; n++) {
		free_of_cost();
		profile.cost_ps[ZSR_COST_line_transfer] = TRANSFER;
		profile.cost_ps[ZSR_COST_read_lock] = lock;
		profile.cost_ps[ZSR_COST_read_unlock] = unlock;
		cycle = cycle_of(n, &s, read_lock_rounds, 0);
		ck_assert_uint_eq(s.rwlock.stats.contended, 0);
		ck_assert_uint_eq(s.rwlock.stats.acquired, n * ROUNDS);
		if (n == 1)
			ck_assert_uint_eq(cycle, s.think + lock + unlock);
		else
			ck_assert_uint_eq(cycle, 2 * n * TRANSFER);
	}
}
END_TEST

/* Readers from 0 to 100 and to 140 ns, a writer of 50 ns that comes at 10, more
 * readers from 20 on: what each finds. */
struct turn {
	struct zsr_rwlock *lock;
	bool write;
	uint64_t come, stay, in;
};

static void turn_taker(struct zsr_vm *vm, void *arg)
{
	struct turn *t = arg;

	zsr_vm_spend(vm, t->come);
	if (t->write)
		zsr_write_lock(&vm->m, t->lock);
	else
		zsr_read_lock(&vm->m, t->lock);
	t->in = vm->c->now;
	zsr_vm_spend(vm, t->stay);
	if (t->write)
		zsr_write_unlock(&vm->m, t->lock);
	else
		zsr_read_unlock(&vm->m, t->lock);
}

static void take_turns(struct turn *turn, unsigned nr, uint64_t transfer)
{
	struct zsr_rwlock lock = { .readers = 0 };
	struct zsr_vm *vm;
	unsigned i;

	free_of_cost();
	profile.cost_ps[ZSR_COST_line_transfer] = transfer;
	vm = machine(nr);
	for (i = 0; i < nr; i++) {
		turn[i].lock = &lock;
		spawn(vm, turn_taker, &turn[i], i);
	}
	run(vm);
	zsr_vm_destroy(vm);
}

START_TEST(writer_waits_for_readers_in_front)
{
	struct turn t[] = {
		{ .come = 0, .stay = 100 * NS },
		{ .come = 5 * NS, .stay = 135 * NS },
		{ .come = 10 * NS, .stay = 50 * NS, .write = true },
		{ .come = 20 * NS, .stay = 10 * NS },
		{ .come = 21 * NS, .stay = 90 * NS },
		{ .come = 22 * NS, .stay = 10 * NS, .write = true },
		{ .come = 23 * NS, .stay = 10 * NS },
	};
	static const uint64_t in[] = { 0, 5, 140, 190, 190, 280, 290 };
	unsigned i;

	take_turns(t, ZSR_ARRAY_SIZE(t), 0);
	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++)
		ck_assert_uint_eq(t[i].in, in[i] * NS);
}
END_TEST

/* Readers that a writer leaves behind enter together, but each needs the
 * line of the count: one transfer after the other. */
START_TEST(readers_enter_one_by_one)
{
	struct turn t[] = {
		{ .come = 0, .stay = 1000 * NS, .write = true },
		{ .come = 10 * NS, .stay = 2000 * NS },
		{ .come = 20 * NS, .stay = 2000 * NS },
		{ .come = 30 * NS, .stay = 2000 * NS },
		{ .come = 40 * NS, .stay = 2000 * NS },
	};
	unsigned i;

	take_turns(t, ZSR_ARRAY_SIZE(t), TRANSFER);
	for (i = 1; i < ZSR_ARRAY_SIZE(t); i++)
		ck_assert_uint_eq(t[i].in, 1000 * NS + TRANSFER + i * TRANSFER);
}
END_TEST

ZSR_TEST_MAIN("virtual machine: lines and theory", line_reaches_its_bound,
	      line_is_interference, shared_line_costs_once,
	      write_takes_the_line_from_all, readers_are_bound_by_the_count,
	      writer_waits_for_readers_in_front, readers_enter_one_by_one)
