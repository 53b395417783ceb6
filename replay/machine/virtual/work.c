// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work queues. An item goes from its queue, which lets max_active of them
 * pass, to a pool of workers: a CPU's own, where one worker runs at a time, or
 * the unbound one, where each item gets a worker. Workers are tasks, woken
 * with the machine's latency.
 */
#include "replay/machine/virtual/vm.h"

/* Until the rescuer is called, and until it is tried again to make a worker:
 * kernel/workqueue.c, MAYDAY_INITIAL_TIMEOUT and CREATE_COOLDOWN. */
#define RESCUE_PS ZSR_MS(10)
#define RETRY_PS  ZSR_MS(1000)

/* The pool has no worker ready, and none is being made. */
#define NO_SPARE UINT64_MAX

void zsr_vm_workers_init(struct zsr_vm *vm)
{
	unsigned cpu, high;

	for (high = 0; high < 2; high++) {
		vm->unbound[high].vm = vm;
		vm->unbound[high].highpri = high;
		for (cpu = 0; cpu < vm->m.nr_cpus; cpu++)
			vm->cpu[cpu].bound[high] = (struct zsr_worker_pool){
				.vm = vm,
				.bound = true,
				.highpri = high,
				.cpu = cpu,
			};
	}
}

static struct zsr_worker_pool *pool_of(struct zsr_vm *vm,
				       const struct zsr_work *w)
{
	bool high = w->wq->flags & ZSR_WQ_HIGHPRI;

	return w->wq->flags & ZSR_WQ_UNBOUND ? &vm->unbound[high]
					     : &vm->cpu[w->cpu].bound[high];
}

static void append(struct zsr_work **head, struct zsr_work **tail,
		   struct zsr_work *w)
{
	w->next = NULL;
	if (*head)
		(*tail)->next = w;
	else
		*head = w;
	*tail = w;
}

/* The first item for which match() holds; NULL when there is none. */
static struct zsr_work *take(struct zsr_work **head, struct zsr_work **tail,
			     bool (*match)(const struct zsr_work *w,
					   const void *arg),
			     const void *arg)
{
	struct zsr_work **link = head, *prev = NULL, *w;

	for (; (w = *link); prev = w, link = &w->next) {
		if (match && !match(w, arg))
			continue;
		*link = w->next;
		if (*tail == w)
			*tail = prev;
		w->next = NULL;
		return w;
	}
	return NULL;
}

/* ---- workers ------------------------------------------------------------- */

static void admit(struct zsr_vm *vm, struct zsr_work *w, bool kick,
		  struct zsr_vcpu *by, uint64_t at);

/* Whoever sleeps in flush_work() looks again. */
static void wake_flushers(struct zsr_vm *vm)
{
	struct zsr_vtask *t;

	while ((t = vm->flushers)) {
		vm->flushers = t->next;
		t->next = NULL;
		zsr_vm_wake(vm, t);
	}
}

static bool same_cpu(const struct zsr_work *w, const void *cpu)
{
	return w->cpu == *(const unsigned *)cpu;
}

/* Which of its queue's counts an item is in. */
static unsigned *active(struct zsr_work *w)
{
	bool unbound = w->wq->flags & ZSR_WQ_UNBOUND;

	return &w->wq->active[unbound ? 0 : w->cpu];
}

/* W has run: the next of its queue may pass, and W itself when it was queued
 * meanwhile. This worker, which is about to look, takes them. */
static void passed(struct zsr_vm *vm, struct zsr_work *w, unsigned *count,
		   unsigned cpu)
{
	bool unbound = w->wq->flags & ZSR_WQ_UNBOUND;
	struct zsr_work *next;

	(*count)--;
	next = take(&w->wq->head, &w->wq->tail, unbound ? NULL : same_cpu, &cpu);
	if (next)
		admit(vm, next, false, vm->c, vm->c->now);
	if (w->pending)
		admit(vm, w, !unbound && w->cpu != cpu, vm->c, vm->c->now);
	else
		wake_flushers(vm);
}

static void run_one(struct zsr_vm *vm, struct zsr_work *w)
{
	unsigned *count = active(w), cpu = w->cpu;

	w->pending = false;
	w->running = true;
	vm->works_run++;
	zsr_vm_mode(vm, ZSR_MODE_WORKER);
	w->fn(w);
	zsr_vm_mode(vm, ZSR_MODE_OTHER);
	zsr_vm_sync(vm);
	w->running = false;
	passed(vm, w, count, cpu);
	vm->works_open--;
	zsr_vm_check_ending(vm);
}

static void worker_main(struct zsr_vm *vm, void *arg)
{
	struct zsr_worker_pool *p = arg;
	struct zsr_vtask *self = vm->c->cur;
	struct zsr_work *w;

	for (;;) {
		zsr_vm_sync(vm);
		w = take(&p->head, &p->tail, NULL, NULL);
		if (w) {
			run_one(vm, w);
			continue;
		}
		p->busy--;
		self->next = p->idle;
		p->idle = self;
		zsr_vm_sleep(vm);
	}
}

static struct zsr_vtask *worker_spawn(struct zsr_worker_pool *p, unsigned cpu,
				      void (*fn)(struct zsr_vm *vm, void *arg),
				      void *arg, uint64_t at)
{
	struct zsr_vtask *t = zsr_vm_spawn(p->vm, fn, arg, cpu, at);

	if (!t)
		return NULL;
	t->worker = true;
	t->pinned = p->bound && !p->vm->cpu[cpu].offline;
	t->weight = p->highpri ? ZSR_WEIGHT_NICE_M20 : ZSR_WEIGHT_NICE_0;
	return t;
}

/* ---- when no worker can be made ------------------------------------------ */

static void kick(struct zsr_worker_pool *p, struct zsr_work *w,
		 struct zsr_vcpu *by, uint64_t at);

static bool same_queue(const struct zsr_work *w, const void *wq)
{
	return w->wq == wq;
}

/* Runs what the pools have of its queue, and is gone again. */
static void rescuer_main(struct zsr_vm *vm, void *arg)
{
	struct zsr_workqueue *wq = arg;
	bool high = wq->flags & ZSR_WQ_HIGHPRI;
	struct zsr_worker_pool *p;
	struct zsr_work *w;
	unsigned i;

	for (i = 0; i <= vm->m.nr_cpus; i++) {
		p = i < vm->m.nr_cpus ? &vm->cpu[i].bound[high]
				      : &vm->unbound[high];
		zsr_vm_sync(vm);
		while ((w = take(&p->head, &p->tail, same_queue, wq))) {
			run_one(vm, w);
			zsr_vm_sync(vm);
		}
	}
	wq->rescuing = false;
	vm->nr_alive++; /* as one that ends */
}

/* Does an item of the queue wait for a worker? */
static bool waits(const struct zsr_vm *vm, const struct zsr_workqueue *wq)
{
	bool high = wq->flags & ZSR_WQ_HIGHPRI;
	const struct zsr_work *w;
	unsigned i;

	for (i = 0; i <= vm->m.nr_cpus; i++)
		for (w = i < vm->m.nr_cpus ? vm->cpu[i].bound[high].head
					   : vm->unbound[high].head;
		     w; w = w->next)
			if (w->wq == wq)
				return true;
	return false;
}

static void rescue(struct zsr_vm *vm, void *arg)
{
	struct zsr_workqueue *wq = arg;
	struct zsr_worker_pool *p = &vm->unbound[!!(wq->flags & ZSR_WQ_HIGHPRI)];
	uint64_t at = vm->timer_now;

	if (!waits(vm, wq))
		wq->rescuing = false;
	else if (worker_spawn(p, 0, rescuer_main, wq, at))
		vm->nr_alive--;
}

/* By now reclaim has found the little that a thread takes. */
static void retry(struct zsr_vm *vm, void *arg)
{
	struct zsr_worker_pool *p = arg;
	struct zsr_work *w;

	p->retrying = false;
	p->spare_at = zsr_min(p->spare_at, vm->timer_now);
	for (w = p->head; w; w = w->next) {
		kick(p, w, &vm->cpu[p->cpu], vm->timer_now);
		if (p->bound || p->retrying)
			break;
	}
}

/* A worker is a thread and a stack; short of memory there is none. */
static void make_spare(struct zsr_worker_pool *p, uint64_t at)
{
	const struct zsr_profile *profile = p->vm->profile;
	uint64_t left = zsr_vm_pages_left(p->vm) * p->vm->page_size;

	p->spare_at = left < profile->wmark_min ? NO_SPARE
						: at + profile->worker_create;
}

static void no_worker(struct zsr_worker_pool *p, struct zsr_work *w, uint64_t at)
{
	if (!p->retrying)
		zsr_vm_timer(p->vm, at + RETRY_PS, retry, p);
	p->retrying = true;
	if (!(w->wq->flags & ZSR_WQ_MEM_RECLAIM) || w->wq->rescuing)
		return;
	w->wq->rescuing = true;
	zsr_vm_timer(p->vm, at + RESCUE_PS, rescue, w->wq);
}

/* ---- queueing -------------------------------------------------------------- */

/*
 * A worker for W: an idle one, or the spare one that the pool keeps ready.
 * Making the next spare takes time, so a second item that comes meanwhile
 * waits for it. BY wakes it, at AT.
 */
static void kick(struct zsr_worker_pool *p, struct zsr_work *w,
		 struct zsr_vcpu *by, uint64_t at)
{
	struct zsr_vm *vm = p->vm;
	struct zsr_vtask *t = p->idle;

	if (t) {
		p->idle = t->next;
		t->next = NULL;
		p->busy++;
		zsr_vm_wake_at(vm, t, at + zsr_vm_wake_latency(vm, by, true));
		return;
	}
	if (p->spare_at == NO_SPARE && !p->retrying)
		make_spare(p, at);
	if (p->spare_at == NO_SPARE) {
		no_worker(p, w, at);
		return;
	}
	at = zsr_max(at, p->spare_at);
	make_spare(p, at);
	at += zsr_vm_wake_latency(vm, by, true);
	if (worker_spawn(p, p->bound ? p->cpu : by->index, worker_main, p, at)) {
		vm->nr_alive--;
		p->busy++;
	}
}

/* Waking a worker takes its waker's time; a timer's is nobody's. */
static uint64_t wake_cost(struct zsr_vm *vm, struct zsr_vcpu *by, uint64_t at)
{
	if (by != vm->c || at != by->now)
		return at;
	by->now += by->cost[ZSR_COST_wake];
	by->queueing += by->cost[ZSR_COST_wake];
	return by->now;
}

static void hand_over(struct zsr_vm *vm, struct zsr_work *w, bool wake,
		      struct zsr_vcpu *by, uint64_t at)
{
	struct zsr_worker_pool *p = pool_of(vm, w);

	append(&p->head, &p->tail, w);
	if (wake && (!p->bound || !p->busy))
		kick(p, w, by, wake_cost(vm, by, at));
}

/* Let W pass to the workers, or hold it back while max_active others are. */
static void admit(struct zsr_vm *vm, struct zsr_work *w, bool wake,
		  struct zsr_vcpu *by, uint64_t at)
{
	unsigned max = w->wq->max_active ? w->wq->max_active
					 : ZSR_WQ_DEFAULT_ACTIVE;

	if (*active(w) >= max) {
		append(&w->wq->head, &w->wq->tail, w);
		return;
	}
	++*active(w);
	hand_over(vm, w, wake, by, at);
}

static bool enqueue(struct zsr_vm *vm, unsigned cpu, struct zsr_work *w,
		    struct zsr_vcpu *by, uint64_t at)
{
	if (w->pending)
		return false;
	w->pending = true;
	vm->works_queued++;
	vm->works_open++;
	if (!w->running) {
		w->cpu = cpu;
		admit(vm, w, true, by, at);
	}
	return true;
}

bool zsr_vm_queue_work_on(struct zsr_machine *m, unsigned cpu,
			  struct zsr_work *w)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	vm->c->now += vm->c->cost[ZSR_COST_queue_work];
	vm->c->queueing += vm->c->cost[ZSR_COST_queue_work];
	zsr_vm_sync(vm);
	return enqueue(vm, cpu, w, vm->c, vm->c->now);
}

/* ---- delayed work ----------------------------------------------------------- */

static void timer_fires(struct zsr_vm *vm, void *arg)
{
	struct zsr_delayed_work *w = arg;

	w->armed = 0;
	vm->works_open--;
	enqueue(vm, w->work.cpu, &w->work, &vm->cpu[w->work.cpu], vm->timer_now);
}

bool zsr_vm_queue_delayed_on(struct zsr_machine *m, unsigned cpu,
			     struct zsr_delayed_work *w, uint64_t delay_ns)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	if (w->armed || w->work.pending)
		return false;
	w->armed = 1;
	vm->works_open++;
	if (!w->work.running)
		w->work.cpu = cpu;
	zsr_vm_timer(vm, vm->c->now + zsr_ns_to_ps(delay_ns), timer_fires, w);
	return true;
}

bool zsr_vm_cancel_delayed(struct zsr_machine *m, struct zsr_delayed_work *w)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	if (!w->armed)
		return false;
	w->armed = 0;
	vm->works_open--;
	zsr_vm_timer_cancel(vm, timer_fires, w);
	zsr_vm_check_ending(vm);
	return true;
}

/* ---- flushing ---------------------------------------------------------------- */

void zsr_vm_flush_work(struct zsr_machine *m, struct zsr_work *w)
{
	struct zsr_vm *vm = zsr_vm_of(m);

	zsr_vm_sync(vm);
	while (w->pending || w->running) {
		vm->c->cur->next = vm->flushers;
		vm->flushers = vm->c->cur;
		zsr_vm_sleep(vm);
		/* Nothing may happen between a look and the next sleep. */
		zsr_vm_sync(vm);
	}
}
