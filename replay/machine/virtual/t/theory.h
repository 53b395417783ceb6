/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests against queueing theory share: a machine on which only what a
 * test sets costs anything, exponential times, batch means.
 */
#ifndef ZSR_VIRTUAL_T_THEORY_H
#define ZSR_VIRTUAL_T_THEORY_H

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "replay/machine/virtual/vm.h"
#include "tests/check.h"

#define NS ZSR_PS_PER_NS

static struct zsr_profile profile;
static struct zsr_err err;

static inline void free_of_cost(void)
{
	memset(&profile, 0, sizeof(profile));
	profile.slice = 3000000ull * NS;
	profile.pcp_batch = 63;
	profile.pcp_high = 378;
	profile.memory = 1ull << 40;
}

static inline struct zsr_vm *machine(unsigned cpus)
{
	struct zsr_vm *vm;

	ck_assert_int_eq(zsr_vm_create(&vm, &profile, cpus, 4096, 1, &err), 0);
	return vm;
}

static inline void spawn(struct zsr_vm *vm, void (*fn)(struct zsr_vm *, void *),
			 void *arg, unsigned cpu)
{
	ck_assert_ptr_nonnull(zsr_vm_spawn(vm, fn, arg, cpu, 0));
}

/* Each CPU's times add up to what elapsed. */
static inline void check_books(const struct zsr_vm *vm)
{
	unsigned i, k;

	for (i = 0; i < vm->m.nr_cpus; i++) {
		uint64_t sum = vm->cpu[i].idle + vm->cpu[i].queueing;

		for (k = 0; k < ZSR_NR_MODES; k++)
			sum += zsr_vm_busy(&vm->cpu[i], k) + vm->cpu[i].spin[k];
		ck_assert_uint_eq(sum, vm->end);
	}
}

/* Run to the end and look at the books; the machine is still there after. */
static inline void run(struct zsr_vm *vm)
{
	int ret = zsr_vm_run(vm, &err);

	ck_assert_msg(!ret, "%s", err.msg);
	check_books(vm);
}

/* An exponential time of the given mean. */
static inline uint64_t draw(struct zsr_rng *rng, uint64_t mean)
{
	double u = ((double)(zsr_rng_next(rng) >> 11) + 0.5) * 0x1p-53;

	return (uint64_t)llround(-log(u) * (double)mean);
}

/*
 * Batch means: a long run is cut into batches that are nearly independent of
 * each other, so the scatter of their means tells the error of the whole.
 */
#define BATCHES 20

static inline double mean_of(const double *v, unsigned n)
{
	double sum = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		sum += v[i];
	return sum / n;
}

/* Standard error of the mean of N batches. */
static inline double error_of(const double *v, unsigned n)
{
	double mean = mean_of(v, n), sum = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return sqrt(sum / (n - 1) / n);
}

/* A line of the test's output that is no result. */
#define comment(...) dprintf(STDOUT_FILENO, "# " __VA_ARGS__)

/* ---- random times: what a run came to ------------------------------------- */

/* Sums since the begin, at the end of a batch. */
struct totals {
	uint64_t at, done, area, wait, thought, held;
};

/* A station of a network, or how far it is from that. */
struct network {
	double rate; /* of the server, a ps */
	double wait; /* before it serves */
	double length; /* at the server, the served one too */
};

/* WHAT, of the network that A and B tell, is IS times what theory says. Kept:
 * how far the worst of several is off, and the worst standard error. */
static double worst_off, worst_error;

static inline void judge(unsigned a, unsigned b, const char *what, double is,
			 const double *batch)
{
	double error = error_of(batch, BATCHES);

	ck_assert_msg(fabs(is - 1) <= 0.01 && error < 0.003,
		      "%s (%u, %u) is %.5f of theory, standard error %.5f",
		      what, a, b, is, error);
	worst_off = fmax(worst_off, fabs(is - 1));
	worst_error = fmax(worst_error, error);
}

/*
 * Machine repair with C servers, all times exponential: how many of K
 * customers are there is a birth and death process (Feller, An Introduction to
 * Probability Theory and Its Applications, volume 1, chapter XVII). Holds for
 * any order of service that leaves no server idle while one waits.
 */
static inline struct network repair(unsigned k, unsigned c, double z, double s)
{
	double p = 1, all = 0, length = 0;
	struct network net;
	unsigned i;

	for (i = 0; i <= k; i++) {
		all += p;
		length += p * i;
		p *= (k - i) * s / z / zsr_min(i + 1, c);
	}
	net.length = length / all;
	net.rate = (k - net.length) / z;
	net.wait = net.length / net.rate - s;
	return net;
}

/* What happened between two points relative to that. */
static inline struct network to_repair(unsigned k, unsigned c,
				       const struct totals *from,
				       const struct totals *to)
{
	double done = (double)(to->done - from->done);
	double time = (double)(to->at - from->at);
	struct network is = repair(k, c,
				   (double)(to->thought - from->thought) / done,
				   (double)(to->held - from->held) / done);

	is.rate = done / time / is.rate;
	is.length = (double)(to->area - from->area) / time / is.length;
	is.wait = (double)(to->wait - from->wait) / done / is.wait;
	return is;
}

/* ---- constant times: rounds that all take the same -------------------------- */

#define ROUNDS   200
#define MAX_DONE (16 * ROUNDS)
#define TRANSFER (50 * NS)

/* When each round of whichever CPU was done, in order of time. */
struct rounds {
	struct zsr_spinlock lock;
	struct zsr_rwlock rwlock;
	struct zsr_line line;
	uint64_t think;
	uint64_t done[MAX_DONE];
	unsigned nr_done;
};

static inline void round_done(struct zsr_vm *vm, struct rounds *s)
{
	zsr_order(&vm->m);
	s->done[s->nr_done++] = vm->c->now;
}

/*
 * N CPUs do rounds of FN, each beginning APART after the one before. Once the
 * start-up is over (half of the rounds), and until the first CPU stops (the
 * last ones), every CPU has one round in a cycle, which is returned; 0 when
 * cycles differ.
 */
static inline uint64_t cycle_of(unsigned n, struct rounds *s,
				void (*fn)(struct zsr_vm *, void *),
				uint64_t apart)
{
	struct zsr_vm *vm = machine(n);
	unsigned i, last = n * (ROUNDS - 10);
	uint64_t cycle;

	*s = (struct rounds){ .think = s->think };
	for (i = 0; i < n; i++)
		ck_assert_ptr_nonnull(zsr_vm_spawn(vm, fn, s, i, i * apart));
	run(vm);
	zsr_vm_destroy(vm);
	ck_assert_uint_eq(s->nr_done, n * ROUNDS);
	cycle = s->done[last] - s->done[last - n];
	for (i = last / 2; i <= last; i++)
		if (s->done[i] - s->done[i - n] != cycle)
			return 0;
	return cycle;
}

#endif
