// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler against theory: CPUs that tasks come to and leave are one
 * station with several servers, tasks that never leave share them, and
 * wake-ups take what their distribution says.
 */
#include "replay/machine/virtual/t/theory.h"

#define MS (1000000ull * NS)

/* ---- tasks that come and go ------------------------------------------------ */

#define MAX_TASKS 24

/* K tasks that sleep, then compute. */
struct station {
	struct zsr_rng rng[MAX_TASKS], sampler;
	unsigned next;
	uint64_t think, serve, batch;
	uint64_t sample_at, samples, ready; /* tasks that wait for a CPU */
	struct totals now, batches[BATCHES + 2];
	unsigned nr_batches;
};

static void station_user(struct zsr_vm *vm, void *arg)
{
	struct station *s = arg;
	struct zsr_rng *rng = &s->rng[s->next++];
	uint64_t think, serve, came;

	while (s->nr_batches < BATCHES + 2) {
		think = draw(rng, s->think);
		serve = draw(rng, s->serve);
		came = vm->c->now + think;
		zsr_vm_sleep_until(vm, came);
		zsr_vm_compute(vm, serve);
		zsr_order(&vm->m);
		s->now.at = vm->c->now;
		s->now.area += vm->c->now - came;
		s->now.wait += vm->c->now - came - serve;
		s->now.thought += think;
		s->now.held += serve;
		if (++s->now.done % s->batch == 0 && s->nr_batches < BATCHES + 2)
			s->batches[s->nr_batches++] = s->now;
	}
}

/* Somebody who looks at the run queues at times of his own. */
static void sample_ready(struct zsr_vm *vm, void *arg)
{
	struct station *s = arg;
	unsigned i;

	if (s->nr_batches == BATCHES + 2)
		return;
	for (i = 0; i < vm->m.nr_cpus; i++)
		s->ready += vm->cpu[i].nr_ready;
	s->samples++;
	s->sample_at += zsr_rng_below(&s->sampler, s->serve / 2);
	zsr_vm_timer(vm, s->sample_at, sample_ready, s);
}

static void judge_station(unsigned k, unsigned c, const struct station *s)
{
	double rate[BATCHES], length[BATCHES], wait[BATCHES];
	struct network is;
	unsigned i;

	for (i = 0; i < BATCHES; i++) {
		is = to_repair(k, c, &s->batches[i], &s->batches[i + 1]);
		rate[i] = is.rate;
		length[i] = is.length;
		wait[i] = is.wait;
	}
	is = to_repair(k, c, &s->batches[0], &s->batches[BATCHES]);
	judge(c, k, "throughput of tasks", is.rate, rate);
	judge(c, k, "tasks at the CPUs", is.length, length);
	judge(c, k, "wait for a CPU", is.wait, wait);
}

static double play_station(unsigned k, unsigned c, struct station *s)
{
	struct zsr_vm *vm = machine(c);
	double little;
	unsigned i;

	s->sampler.state = k;
	for (i = 0; i < k; i++) {
		s->rng[i].state = 100 * c + i;
		spawn(vm, station_user, s, i);
	}
	ck_assert_int_eq(zsr_vm_timer(vm, 1, sample_ready, s), 0);
	run(vm);
	/* Little's law: mean length of the queues = waits begun in a unit of
	 * time x mean wait. */
	little = (double)s->ready / (double)s->samples /
		 ((double)s->now.wait / (double)vm->end);
	ck_assert_msg(fabs(little - 1) < 0.01,
		      "%u tasks on %u CPUs: run queues are %.4f times what "
		      "Little's law says",
		      k, c, little);
	zsr_vm_destroy(vm);
	return fabs(little - 1);
}

START_TEST(cpus_are_a_station)
{
	static const struct {
		unsigned tasks, cpus, think_ms, batch;
	} nets[] = { { 4, 1, 15, 20000 },  { 12, 1, 50, 20000 },
		     { 6, 2, 10, 20000 },  { 12, 4, 10, 20000 },
		     { 24, 4, 20, 20000 }, { 24, 8, 8, 20000 } };
	double little = 0;
	unsigned i;

	free_of_cost();
	worst_off = worst_error = 0;
	for (i = 0; i < ZSR_ARRAY_SIZE(nets); i++) {
		struct station s = { .think = nets[i].think_ms * MS,
				     .serve = 5 * MS,
				     .batch = nets[i].batch };

		little = fmax(little,
			      play_station(nets[i].tasks, nets[i].cpus, &s));
		judge_station(nets[i].tasks, nets[i].cpus, &s);
	}
	comment("tasks that come and go: at most %.2f %% off theory, standard "
		"error %.2f %%; run queues %.2f %% off Little's law\n",
		100 * worst_off, 100 * worst_error, 100 * little);
}
END_TEST

/* ---- tasks that never leave ------------------------------------------------- */

struct sharer {
	struct share *all;
	uint64_t done; /* ps computed */
	unsigned cpu;
};

struct share {
	struct sharer task[MAX_TASKS];
	unsigned nr;
	uint64_t until, apart; /* worst difference on one CPU */
};

#define PIECE (100000ull * NS)

static void sharing_user(struct zsr_vm *vm, void *arg)
{
	struct sharer *t = arg;

	while (vm->c->now < t->all->until) {
		zsr_vm_compute(vm, PIECE);
		t->done += PIECE;
		t->cpu = zsr_cpu(&vm->m);
	}
}

/* At any time, any two of a CPU have got the same, but for a slice. */
static void compare_shares(struct zsr_vm *vm, void *arg)
{
	struct share *s = arg;
	unsigned i, k;

	for (i = 0; i < s->nr; i++)
		for (k = 0; k < s->nr; k++)
			if (s->task[i].cpu == s->task[k].cpu &&
			    s->task[i].done > s->task[k].done)
				s->apart = zsr_max(s->apart,
						   s->task[i].done -
							   s->task[k].done);
	if (vm->timer_seq * 7 * MS < s->until)
		zsr_vm_timer(vm, vm->timer_seq * 7 * MS, compare_shares, s);
}

static void share(struct share *s, unsigned nr, unsigned cpus)
{
	struct zsr_vm *vm = machine(cpus);
	unsigned i;

	*s = (struct share){ .nr = nr, .until = 6000 * MS };
	for (i = 0; i < nr; i++) {
		s->task[i].all = s;
		s->task[i].cpu = i % cpus;
		spawn(vm, sharing_user, &s->task[i], i % cpus);
	}
	ck_assert_int_eq(zsr_vm_timer(vm, MS, compare_shares, s), 0);
	run(vm);
	zsr_vm_destroy(vm);
}

START_TEST(cpus_are_shared)
{
	static const unsigned nets[][2] = { { 2, 1 }, { 7, 1 },  { 4, 2 },
					    { 9, 3 }, { 24, 4 }, { 16, 16 } };
	struct share s;
	unsigned i, k;

	free_of_cost();
	for (i = 0; i < ZSR_ARRAY_SIZE(nets); i++) {
		share(&s, nets[i][0], nets[i][1]);
		ck_assert_uint_le(s.apart, profile.slice + PIECE);
		for (k = 0; k < s.nr; k++) {
			double part = (double)s.task[k].done * nets[i][0] /
				      ((double)s.until * nets[i][1]);

			ck_assert_msg(fabs(part - 1) < 0.01,
				      "%u tasks on %u CPUs: task %u has %.4f "
				      "of its share",
				      nets[i][0], nets[i][1], k, part);
		}
	}
}
END_TEST

/* Tasks of different weights have the CPU in their proportion. */
START_TEST(weights_are_shares)
{
	static const uint64_t weight[] = { 512, 1024, 2048, 4096 };
	struct share s = { .nr = ZSR_ARRAY_SIZE(weight), .until = 30000 * MS };
	struct zsr_vm *vm;
	struct zsr_vtask *t;
	uint64_t sum = 0;
	unsigned i;

	free_of_cost();
	vm = machine(1);
	for (i = 0; i < s.nr; i++) {
		s.task[i].all = &s;
		t = zsr_vm_spawn(vm, sharing_user, &s.task[i], 0, 0);
		ck_assert_ptr_nonnull(t);
		t->weight = weight[i];
		sum += weight[i];
	}
	run(vm);
	zsr_vm_destroy(vm);
	for (i = 0; i < s.nr; i++) {
		double part = (double)s.task[i].done / (double)s.until *
			      (double)sum / (double)weight[i];

		ck_assert_msg(fabs(part - 1) < 0.01,
			      "weight %llu has %.4f of its share",
			      (unsigned long long)weight[i], part);
	}
}
END_TEST

/* A real-time task has what it wants when it wants it, fair ones the rest. */
struct hog {
	uint64_t until, late;
};

static void hog_user(struct zsr_vm *vm, void *arg)
{
	struct hog *h = arg;
	uint64_t at;

	for (at = 10 * MS + 33 * NS; at < h->until; at += 10 * MS) {
		zsr_vm_sleep_until(vm, at);
		zsr_vm_compute(vm, 4 * MS);
		h->late = zsr_max(h->late, vm->c->now - at - 4 * MS);
	}
}

START_TEST(rt_comes_first)
{
	struct share s = { .nr = 3, .until = 6005 * MS };
	struct hog h = { .until = 6005 * MS };
	struct zsr_vm *vm;
	struct zsr_vtask *t;
	unsigned i;

	free_of_cost();
	vm = machine(1);
	for (i = 0; i < s.nr; i++) {
		s.task[i].all = &s;
		spawn(vm, sharing_user, &s.task[i], 0);
	}
	t = zsr_vm_spawn(vm, hog_user, &h, 0, 0);
	ck_assert_ptr_nonnull(t);
	t->class = ZSR_SCHED_RT;
	run(vm);
	zsr_vm_destroy(vm);
	ck_assert_uint_eq(h.late, 0);
	for (i = 0; i < s.nr; i++)
		ck_assert_double_eq_tol((double)s.task[i].done,
					(6005 - 600 * 4.) * MS / 3,
					(double)profile.slice);
}
END_TEST

/* What switching costs is lost to all: a slice of work takes a slice and a
 * switch. */
START_TEST(switches_are_paid)
{
	const uint64_t cost = 50000 * NS;
	uint64_t sum;
	struct share s;
	unsigned k;

	free_of_cost();
	profile.cost_ps[ZSR_COST_context_switch] = cost;
	share(&s, 5, 1);
	for (sum = k = 0; k < s.nr; k++)
		sum += s.task[k].done;
	ck_assert_double_eq_tol(
		(double)sum / (double)s.until,
		(double)profile.slice / (double)(profile.slice + cost), 0.001);
}
END_TEST

/* ---- wake-ups ----------------------------------------------------------------- */

/* Mean exactly 1, at every spread; and at full spread each value lies in its
 * 256th of a lognormal distribution of mean 1 and sigma 0.5. */
START_TEST(scatter_is_lognormal)
{
	const double sigma = 0.5;
	struct zsr_vm *vm;
	unsigned i, sum;

	free_of_cost();
	for (profile.spread = 0; profile.spread <= 1000; profile.spread += 50) {
		vm = machine(1);
		for (sum = i = 0; i < ZSR_ARRAY_SIZE(vm->scatter); i++)
			sum += vm->scatter[i];
		if (profile.spread == 1000)
			ck_assert_uint_eq(sum, 256 * 1024);
		ck_assert_double_eq_tol(sum / (256 * 1024.), 1, 0.0005);
		for (i = 0; profile.spread == 1000 && i < 256; i++) {
			double z = (log(vm->scatter[i] / 1024.) +
				    sigma * sigma / 2) /
				   sigma;
			double rank = 128 * erfc(-z / sqrt(2));

			ck_assert_msg(rank > i && rank < i + 1,
				      "value %u, %u, has rank %.3f", i,
				      vm->scatter[i], rank);
		}
		zsr_vm_destroy(vm);
	}
}
END_TEST

#define WAKES 200000

struct waking {
	struct zsr_vtask *sleeper;
	uint64_t woken_at, nr;
	double sum, squares;
};

static void wakee(struct zsr_vm *vm, void *arg)
{
	struct waking *w = arg;
	double took;

	w->sleeper = zsr_vm_current(vm);
	while (w->nr < WAKES) {
		zsr_vm_sleep(vm);
		took = (double)(vm->c->now - w->woken_at);
		w->sum += took;
		w->squares += took * took;
		w->nr++;
	}
}

static void waker(struct zsr_vm *vm, void *arg)
{
	struct waking *w = arg;
	unsigned i;

	for (i = 0; i < WAKES; i++) {
		zsr_vm_sleep_until(vm, vm->c->now + MS);
		w->woken_at = vm->c->now + profile.cost_ps[ZSR_COST_wake];
		zsr_vm_wake(vm, w->sleeper);
	}
}

/* Standard error of the mean: 0.53 / sqrt(200000) = 0.12 %. */
START_TEST(wakeups_are_lognormal)
{
	struct waking w = { .nr = 0 };
	struct zsr_vm *vm;
	double mean, deviation;

	free_of_cost();
	profile.spread = 1000;
	profile.wake_latency = 25000 * NS;
	profile.cost_ps[ZSR_COST_wake] = 900 * NS;
	vm = machine(2);
	spawn(vm, wakee, &w, 0);
	spawn(vm, waker, &w, 1);
	run(vm);
	zsr_vm_destroy(vm);
	mean = w.sum / WAKES / (double)profile.wake_latency;
	deviation =
		sqrt(w.squares / WAKES / pow((double)profile.wake_latency, 2) -
		     mean * mean);
	comment("wake-up latency: mean %.4f, deviation %.4f of the lognormal's "
		"sqrt(e^0.25 - 1)\n",
		mean, deviation / sqrt(exp(0.25) - 1));
	ck_assert_double_eq_tol(mean, 1, 0.004);
	/* A table of 256 values has no far tail. */
	ck_assert_double_eq_tol(deviation / sqrt(exp(0.25) - 1), 1, 0.02);
}
END_TEST

ZSR_TEST_MAIN("virtual machine: scheduler and theory", cpus_are_a_station,
	      cpus_are_shared, weights_are_shares, rt_comes_first,
	      switches_are_paid, scatter_is_lognormal, wakeups_are_lognormal)
