// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work queues against theory: max_active of an unbound queue, or the one
 * worker at a time of a bound one, are the servers that items wait for.
 */
#include "replay/machine/virtual/t/theory.h"

#define MAX_ITEMS 24
#define US        (1000ull * NS)

struct works;

/* An item and the task that queues it, sleeps until it is done, and thinks. */
struct item {
	struct zsr_work work;
	struct works *all;
	struct zsr_vtask *task;
	struct zsr_rng rng;
	uint64_t queued_at, serve;
};

struct works {
	struct zsr_vm *vm;
	struct zsr_workqueue wq;
	struct zsr_rng sampler;
	struct item item[MAX_ITEMS];
	uint64_t think, serve, batch;
	unsigned at_work, most; /* items that run */
	uint64_t sample_at, samples, waiting;
	struct totals now, batches[BATCHES + 2];
	unsigned nr_batches;
};

static void serve_item(struct zsr_work *w)
{
	struct item *i = w->arg;
	struct works *s = i->all;
	struct zsr_vm *vm = s->vm;

	zsr_order(&vm->m);
	s->now.wait += vm->c->now - i->queued_at;
	s->at_work++;
	s->most = zsr_max(s->most, s->at_work);
	zsr_vm_compute(vm, i->serve);
	zsr_order(&vm->m);
	s->at_work--;
	zsr_vm_resume(vm, i->task);
	s->now.at = vm->c->now;
	s->now.area += vm->c->now - i->queued_at;
	s->now.held += i->serve;
	if (++s->now.done % s->batch == 0 && s->nr_batches < BATCHES + 2)
		s->batches[s->nr_batches++] = s->now;
}

static void item_user(struct zsr_vm *vm, void *arg)
{
	struct item *i = arg;
	struct works *s = i->all;
	uint64_t think;

	i->task = zsr_vm_current(vm);
	while (s->nr_batches < BATCHES + 2) {
		think = draw(&i->rng, s->think);
		i->serve = draw(&i->rng, s->serve) + 1;
		zsr_vm_sleep_until(vm, vm->c->now + think);
		s->now.thought += think;
		i->queued_at = vm->c->now;
		if (!zsr_queue_work_on(&vm->m, 0, &i->work))
			ck_abort_msg("an item is queued before it is done");
		zsr_vm_sleep(vm);
	}
}

/* Somebody who counts the items that wait, at times of his own. */
static void sample_waiting(struct zsr_vm *vm, void *arg)
{
	struct works *s = arg;

	if (s->nr_batches == BATCHES + 2)
		return;
	s->waiting += vm->works_queued - vm->works_run;
	s->samples++;
	s->sample_at += zsr_rng_below(&s->sampler, s->serve);
	zsr_vm_timer(vm, s->sample_at, sample_waiting, s);
}

static void judge_works(unsigned k, unsigned servers, const struct works *s)
{
	double rate[BATCHES], length[BATCHES], wait[BATCHES];
	struct network is;
	unsigned i;

	for (i = 0; i < BATCHES; i++) {
		is = to_repair(k, servers, &s->batches[i], &s->batches[i + 1]);
		rate[i] = is.rate;
		length[i] = is.length;
		wait[i] = is.wait;
	}
	is = to_repair(k, servers, &s->batches[0], &s->batches[BATCHES]);
	judge(servers, k, "throughput of items", is.rate, rate);
	judge(servers, k, "items queued or running", is.length, length);
	judge(servers, k, "wait of an item", is.wait, wait);
}

/* K items; as many CPUs as may ever run anything. How far the queue's length
 * is off Little's law. */
static double play_works(struct works *s, unsigned k)
{
	struct zsr_vm *vm = machine(2 * k + 1);
	double little;
	unsigned i;

	s->vm = vm;
	s->sampler.state = k;
	for (i = 0; i < k; i++) {
		s->item[i] = (struct item){
			.work = { .fn = serve_item,
				  .arg = &s->item[i],
				  .wq = &s->wq },
			.all = s,
			.rng.state = 1000 + i,
		};
		spawn(vm, item_user, &s->item[i], i + 1);
	}
	ck_assert_int_eq(zsr_vm_timer(vm, 1, sample_waiting, s), 0);
	run(vm);
	ck_assert_uint_eq(vm->works_queued, vm->works_run);
	little = (double)s->waiting / (double)s->samples /
		 ((double)s->now.wait / (double)vm->end);
	ck_assert_msg(fabs(little - 1) < 0.01,
		      "%u items: %.4f times as many wait as Little's law says",
		      k, little);
	zsr_vm_destroy(vm);
	return fabs(little - 1);
}

START_TEST(max_active_is_servers)
{
	static const struct {
		unsigned items, servers, think_us;
		bool bound;
	} nets[] = { { 4, 1, 30, false },  { 6, 2, 20, false },
		     { 12, 4, 20, false }, { 24, 8, 16, false },
		     { 4, 1, 30, true },   { 12, 1, 100, true } };
	double little = 0;
	unsigned i;

	free_of_cost();
	for (i = 0; i < ZSR_ARRAY_SIZE(nets); i++) {
		struct works s = { .think = nets[i].think_us * US,
				   .serve = 10 * US,
				   .batch = 25000 };

		s.wq.flags = nets[i].bound ? 0 : ZSR_WQ_UNBOUND;
		s.wq.max_active = nets[i].bound ? 0 : nets[i].servers;
		little = fmax(little, play_works(&s, nets[i].items));
		ck_assert_uint_eq(s.most, nets[i].servers);
		judge_works(nets[i].items, nets[i].servers, &s);
	}
	comment("work queues: at most %.2f %% off theory, standard error %.2f "
		"%%; items that wait %.2f %% off Little's law\n",
		100 * worst_off, 100 * worst_error, 100 * little);
}
END_TEST

ZSR_TEST_MAIN("virtual machine: work queues and theory", max_active_is_servers)
