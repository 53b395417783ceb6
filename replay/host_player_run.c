// SPDX-License-Identifier: GPL-2.0-only
/* One run on the host machine: set up, let the tasks go, tear down, make the
 * account of what the threads wrote down, check what must hold, sum up. */
#include <stdlib.h>
#include <string.h>
#include <linux/mempolicy.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "replay/host_player_private.h"

/* Runs of frees that are told apart in the record. */
#define LISTED_RELEASE 32

struct moments {
	uint64_t idle, flush_begin, flushed; /* ticks */
	uint64_t switches;
	uint64_t flush_ns; /* CPU time, of all threads */
	struct zsr_host_counts all; /* threads, before the flush */
	uint64_t own_buffers; /* pages, of the policies' set-up */
};

/* ---- set-up -------------------------------------------------------------------- */

/* For every store a note and one for its zspage, for every free one that it is
 * queued, one that it is free and one for its zspage. */
static uint64_t notes_needed(const struct zsr_host_trace *c)
{
	return 2 * c->nr_mallocs + 3 * c->nr_frees +
	       (c->trace->nr_tasks + 16ull) * c->trace->nr_pools * ZSR_NOTES;
}

static int pool_init(struct host_player *p, unsigned i, struct zsr_err *err)
{
	const struct zsr_player_setup *s = &p->s->common;
	const struct zsr_host_use *use = &p->s->calls->pool[i];
	struct zsr_pool *pool = &p->pool[i];
	uint64_t pages;
	int ret = zsr_pool_init(pool, &p->h->m, s->model, s->trace->page_size,
				s->trace->chain_size, s->policy, s->params,
				s->trace->nr_tasks, &p->nr_releasing,
				&p->book.account, err);

	if (ret)
		return ret;
	if (zsr_host_slots_init(pool, use->nr_mallocs, s->trace->nr_tasks))
		return zsr_err_nomem(err, "slots");
	if (s->outer == ZSR_OUTER_DEVICE) {
		pool->device_lock = &p->outer;
		pool->enter_swap = zsr_host_enter_swap;
	}
	/* What the store path takes beyond this it waits for; and for all of
	 * it where what is freed goes back to the system. */
	pages = use->peak_bytes / s->trace->page_size;
	if (p->s->give_back)
		return zsr_engine_give_back(pool->e, err);
	return zsr_engine_prefault(pool->e, pages + pages / 4 + 256, err);
}

static int pools_init(struct host_player *p, struct zsr_err *err)
{
	const struct zsr_host_trace *c = p->s->calls;
	unsigned i, nr = c->trace->nr_pools;
	int ret = 0;

	p->pool = calloc(nr + 1u, sizeof(*p->pool));
	if (!p->pool ||
	    zsr_host_book_init(&p->book, p->pool, nr, notes_needed(c)))
		return zsr_err_nomem(err, "pools");
	zsr_host_book_probe(&p->book, p->s->probes);
	zsr_host_self->record = zsr_host_record(&p->book, 0);
	if (!zsr_host_self->record)
		return zsr_err_nomem(err, "records");
	for (i = 0; !ret && i < nr; i++)
		ret = pool_init(p, i, err);
	return ret;
}

static unsigned home_of(const struct host_player *p, uint32_t row)
{
	switch (p->s->pin) {
	case ZSR_PIN_SPREAD:
		return row % p->h->m.nr_cpus;
	case ZSR_PIN_RECORDED:
		return p->s->calls->task[row].cpu % p->h->m.nr_cpus;
	default:
		return ZSR_HOST_NO_CPU;
	}
}

static int task_init(struct host_player *p, uint32_t row)
{
	struct host_task *t = &p->task[row];

	t->p = p;
	t->row = row;
	t->calls = &p->s->calls->task[row];
	t->releaser.task = row;
	t->epoch = UINT32_MAX;
	t->self.home = home_of(p, row);
	t->self.counted = true;
	zsr_hist_init(&t->release_hist);
	zsr_hist_init(&t->malloc_hist);
	t->release = calloc(t->calls->nr_releases + 1ul, sizeof(*t->release));
	t->self.record = zsr_host_record(&p->book, t->calls->nr_frees);
	return t->release && t->self.record ? 0 : -ENOMEM;
}

static int tasks_init(struct host_player *p, struct zsr_err *err)
{
	const struct zsr_host_trace *c = p->s->calls;
	uint32_t i, nr = c->trace->nr_tasks;
	int ret = 0;

	sem_init(&p->start, 0, 0);
	p->task = aligned_alloc(_Alignof(struct host_task),
				(nr + 1ul) * sizeof(*p->task));
	p->place = malloc((c->trace->nr_objects + 1) * sizeof(*p->place));
	p->epoch_left = malloc((c->nr_epochs + 1ul) * sizeof(uint32_t));
	if (p->task)
		memset(p->task, 0, (nr + 1ul) * sizeof(*p->task));
	if (!p->task || !p->place || !p->epoch_left)
		return zsr_err_nomem(err, "tasks");
	memset(p->place, 0, (c->trace->nr_objects + 1) * sizeof(*p->place));
	if (c->nr_epochs)
		memcpy(p->epoch_left, c->in_epoch,
		       c->nr_epochs * sizeof(uint32_t));
	while (p->epoch_now + 1 < c->nr_epochs && !p->epoch_left[p->epoch_now])
		p->epoch_now++;
	for (i = 0; !ret && i < nr; i++)
		ret = task_init(p, i);
	return ret ? zsr_err_nomem(err, "tasks") : 0;
}

/* ---- the run ----------------------------------------------------------------------- */

static uint64_t context_switches(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u))
		return 0;
	return (uint64_t)(u.ru_nvcsw + u.ru_nivcsw);
}

static int run_tasks(struct host_player *p, struct zsr_err *err)
{
	struct zsr_host_thread *self = zsr_host_self;
	uint32_t i, nr = p->s->common.trace->nr_tasks, started;
	int ret = 0;

	for (started = 0; !ret && started < nr; started++)
		ret = pthread_create(&p->task[started].thread, NULL,
				     zsr_host_task_main, &p->task[started]);
	if (ret) {
		ret = zsr_err_sys(err, ret, "task threads");
		p->error = ret;
		started--;
	}
	zsr_host_block(self);
	p->start_ticks = p->h->clock.base = zsr_ticks();
	for (i = 0; i < started; i++)
		sem_post(&p->start);
	for (i = 0; i < started; i++)
		pthread_join(p->task[i].thread, NULL);
	zsr_host_unblock(self);
	return ret;
}

static uint64_t cpu_time_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void flush_all(struct host_player *p)
{
	const struct zsr_policy *policy = p->s->common.policy;
	unsigned i;

	for (i = 0; i < p->s->common.trace->nr_pools; i++)
		if (policy->flush)
			policy->flush(&p->pool[i]);
}

static int play(struct host_player *p, struct moments *at, struct zsr_err *err)
{
	uint64_t switches = context_switches();
	int ret = zsr_host_load_start(p, err);

	if (!ret)
		ret = zsr_host_sample_start(p, err);
	if (!ret)
		ret = run_tasks(p, err);

	at->idle = zsr_host_idle(p->h);
	zsr_host_load_stop(p);
	if (zsr_host_sample_stop(p) && !ret)
		ret = zsr_err_nomem(err, "samples");
	if (ret)
		return ret;
	at->switches = context_switches() - switches;
	zsr_host_sum(p->h, &at->all);
	at->flush_ns = cpu_time_ns();
	at->flush_begin = zsr_ticks();
	flush_all(p);
	at->flushed = zsr_ticks();
	at->flush_ns = cpu_time_ns() - at->flush_ns;
	zsr_host_idle(p->h);
	ret = p->error      ? p->error
	      : p->h->error ? p->h->error
			    : p->book.account.error;
	return ret ? zsr_err_sys(err, -ret, "tasks and workers") : 0;
}

/* ---- sums ------------------------------------------------------------------------ */

static uint64_t ticks_ns(const struct host_player *p, uint64_t ticks)
{
	return (zsr_ticks_ps(&p->h->clock, ticks) + 500) / 1000;
}

static uint64_t moment_ns(const struct host_player *p, uint64_t ticks)
{
	return (zsr_clock_ps(&p->h->clock, ticks) + 500) / 1000;
}

static int add_releases(struct host_player *p, const struct host_task *t,
			uint64_t *sum)
{
	struct zsr_release r;
	size_t i;

	for (i = 0; i < t->nr_releases; i++) {
		r = (struct zsr_release){
			.begin_ns = moment_ns(p, t->release[i].begin),
			.end_ns = moment_ns(p, t->release[i].end),
			.nr = t->release[i].nr,
			.task = t->row,
		};
		*sum += t->release[i].end - t->release[i].begin;
		if (r.nr >= LISTED_RELEASE &&
		    zsr_release_keep(p->run, &p->cap_releases, &r))
			return -ENOMEM;
	}
	return 0;
}

static int add_task(struct host_player *p, const struct host_task *t,
		    struct zsr_host_counts *all, uint64_t *last)
{
	const struct zsr_host_counts *c = &t->self.counts;
	struct zsr_run_values *v = &p->run->v;
	uint64_t sum = 0, spin, queueing;

	if (add_releases(p, t, &sum))
		return -ENOMEM;
	spin = c->spin - t->spin_elsewhere;
	queueing = c->queueing - t->queueing_elsewhere;
	zsr_hist_merge(p->run->hist[ZSR_HIST_release], &t->release_hist);
	zsr_hist_merge(p->run->hist[ZSR_HIST_malloc], &t->malloc_hist);
	v->mallocs += t->mallocs;
	v->malloc_failed += t->malloc_failed;
	v->frees += t->frees;
	v->cpu_spin_ns += ticks_ns(p, spin);
	v->cpu_queueing_ns += ticks_ns(p, queueing);
	v->cpu_caller_ns += ticks_ns(
		p, t->in_release - zsr_min(t->in_release, spin + queueing));
	v->cpu_compact_ns += ticks_ns(p, t->in_compact);
	v->cpu_reuse_ns += ticks_ns(p, t->in_reuse);
	v->tasks += t->nr_releases > 0;
	v->caller_sum_ns += ticks_ns(p, sum);
	v->caller_max_ns = zsr_max(v->caller_max_ns, ticks_ns(p, sum));
	*last = zsr_max(*last, t->last_return);
	zsr_host_counts_add(all, c);
	return 0;
}

/* Of workers; reading the clock for the record is no work. */
static void add_workers(struct host_player *p,
			const struct zsr_host_counts *tasks,
			const struct zsr_host_counts *all)
{
	const struct zsr_clock *clock = &p->h->clock;
	struct zsr_run_values *v = &p->run->v;
	uint64_t spin = ticks_ns(p, all->spin - tasks->spin);
	uint64_t work = ticks_ns(p, all->work);
	uint64_t reads = (all->stamps - tasks->stamps) * clock->read_ps / 1000;

	v->cpu_worker_spin_ns = spin;
	v->cpu_worker_ns = work - zsr_min(work, spin + reads);
	v->works_queued = all->queued;
	v->works_run = all->runs;
	v->lock_acquired = all->locks;
	v->lock_contended = all->contended;
}

static int compare_release(const void *a, const void *b)
{
	const struct zsr_release *x = a, *y = b;

	if (x->begin_ns != y->begin_ns)
		return x->begin_ns < y->begin_ns ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static int collect(struct host_player *p, const struct moments *at,
		   struct zsr_err *err)
{
	struct zsr_host_counts tasks = { 0 };
	struct zsr_run *run = p->run;
	struct zsr_run_values *v = &run->v;
	uint64_t last = p->start_ticks;
	uint32_t i;

	for (i = 0; i < p->s->common.trace->nr_tasks; i++)
		if (add_task(p, &p->task[i], &tasks, &last))
			return zsr_err_nomem(err, "releases");
	add_workers(p, &tasks, &at->all);
	zsr_host_load_finish(p);
	if (zsr_host_count(p, &at->all))
		return zsr_err_nomem(err, "counters");
	if (p->s->common.policy->flush)
		v->cpu_flush_ns = at->flush_ns;
	v->switches = at->switches;
	if (v->tasks)
		v->caller_mean_ns = (v->caller_sum_ns + v->tasks / 2) / v->tasks;
	v->last_return_ns = moment_ns(p, last);
	v->end_ns = moment_ns(p, zsr_max(last, at->idle));
	v->teardown_ns = ticks_ns(p, at->flushed - at->flush_begin);
	v->pages_total = p->s->common.pages_total;
	if (run->nr_releases)
		qsort(run->releases, run->nr_releases, sizeof(*run->releases),
		      compare_release);
	return 0;
}

static void pool_values(const struct zsr_pool *pool, struct zsr_run_values *v)
{
	v->fallbacks += pool->fallbacks;
	v->slots_reused += pool->slots_reused;
	v->compactions += pool->compact.runs;
	v->compact_pages += pool->compact.pages;
	v->compact_moved_bytes += pool->compact.bytes;
	v->compact_dead_bytes += pool->compact.dead_bytes;
}

static uint64_t first_release(const struct host_player *p)
{
	uint64_t first = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < p->s->common.trace->nr_tasks; i++)
		if (p->task[i].first_release)
			first = zsr_min(first, p->task[i].first_release);
	return first;
}

/* The account, as of when all was idle; the flush comes after it. */
static int make_account(struct host_player *p, struct moments *at,
			struct zsr_err *err)
{
	struct zsr_told *told;
	uint64_t end;
	unsigned i;
	int ret;

	zsr_host_book_close(&p->book);
	ret = zsr_host_told_new(&told, &p->book, &p->h->clock, first_release(p));
	if (ret) {
		zsr_host_told_free(told);
		return zsr_err_nomem(err, "account");
	}
	zsr_host_tell(told, p->start_ticks);
	at->own_buffers = p->book.account.buffer_pages;
	zsr_host_tell(told, at->flush_begin);
	for (i = 0; i < p->s->common.trace->nr_pools; i++)
		pool_values(&p->pool[i], &p->run->v);
	end = zsr_clock_ps(&p->h->clock, at->flush_begin);
	ret = zsr_account_finish(&p->book.account, end, p->run, err);
	zsr_host_tell(told, UINT64_MAX);
	zsr_host_told_free(told);
	return ret;
}

/* ---- what must hold ---------------------------------------------------------------- */

static uint64_t live_objects(const struct host_player *p)
{
	struct zsr_class_stats stats;
	uint64_t live = 0;
	unsigned i, class;

	for (i = 0; i < p->s->common.trace->nr_pools; i++)
		for (class = 0; class < p->pool[i].nr_classes; class ++) {
			if (!p->pool[i].class[class].size)
				continue;
			zsr_engine_class_stats(p->pool[i].e, class, &stats);
			live += stats.obj_used;
		}
	return live;
}

/* As on the virtual machine, whatever the policy. */
static int check_invariants(struct host_player *p, const struct moments *at,
			    struct zsr_err *err)
{
	const struct zsr_run_values *v = &p->run->v;
	const char *policy = p->s->common.policy->name;
	uint64_t pages = 0;
	unsigned i;

	for (i = 0; i < p->s->common.trace->nr_pools; i++)
		pages += zsr_engine_pages(p->pool[i].e);
	/* Buffers of a policy's set-up do not come from the machine. */
	if (pages + p->book.account.buffer_pages !=
	    (uint64_t)zsr_host_pages(p->h) + at->own_buffers)
		return zsr_err_check(
			err, "the machine's pages are not the pools' and "
			     "their buffers'");
	if (pages != p->book.account.total_pages)
		return zsr_err_check(err,
				     "page account differs from the engine's");
	if (live_objects(p) != v->mallocs - v->malloc_failed - v->frees)
		return zsr_err_check(err,
				     "policy %s: a release was lost, or done "
				     "twice",
				     policy);
	if (p->book.account.depth)
		return zsr_err_check(err,
				     "policy %s: entries stay queued after its "
				     "flush",
				     policy);
	return 0;
}

/* ---- life ---------------------------------------------------------------------------- */

static void player_free(struct host_player *p)
{
	uint32_t i;

	for (i = 0; p->pool && i < p->s->common.trace->nr_pools; i++)
		zsr_pool_destroy(&p->pool[i]);
	for (i = 0; p->task && i < p->s->common.trace->nr_tasks; i++) {
		zsr_host_events_close(&p->task[i].self.events);
		free(p->task[i].release);
	}
	zsr_host_load_finish(p);
	zsr_host_book_destroy(&p->book);
	zsr_account_free(&p->book.account);
	sem_destroy(&p->start);
	free(p->pool);
	free(p->task);
	free(p->place);
	free(p->epoch_left);
}

static int run(struct host_player *p, struct zsr_err *err)
{
	struct moments at = { 0 };
	int ret;

	ret = zsr_account_init(&p->book.account, p->run->hist[ZSR_HIST_queued],
			       err);
	if (!ret)
		ret = pools_init(p, err);
	if (!ret)
		ret = tasks_init(p, err);
	if (!ret)
		ret = play(p, &at, err);
	if (!ret)
		ret = collect(p, &at, err);
	if (!ret)
		ret = make_account(p, &at, err);
	return ret ? ret : check_invariants(p, &at, err);
}

/* Of this thread and those it makes from now on. */
static int memory_from(int node, struct zsr_err *err)
{
	unsigned long mask[16] = { 0 };
	unsigned bits = 8 * sizeof(mask[0]);

	if (node >= 0)
		mask[(unsigned)node / bits % 16] = 1ul << (unsigned)node % bits;
	if (!syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND,
		     node < 0 ? NULL : mask, node < 0 ? 0 : 8 * sizeof(mask)))
		return 0;
	return errno == EINVAL
		       ? zsr_err_usage(err, "--numa %d: there is no such node",
				       node)
		       : zsr_err_sys(err, errno, "memory of node %d", node);
}

int zsr_host_player_run(const struct zsr_host_setup *setup, struct zsr_run *r,
			struct zsr_err *err)
{
	const struct zsr_conditions *c = setup->common.conditions;
	const struct zsr_host_opts opts = {
		.cpus = setup->common.cpus,
		.pin = setup->pin != ZSR_PIN_NONE,
		.worker_nice = setup->worker_nice,
		.pcp_batch = (unsigned)setup->common.profile->pcp_batch,
		.pcp_high = (unsigned)setup->common.profile->pcp_high,
		.clock = setup->clock,
		.probes = setup->probes,
		.queued = setup->queued,
		.worker_cpus = setup->worker_cpus,
		.wake = c && c->wake_set ? &c->wake : NULL,
		.worker = c && c->worker_set ? &c->worker : NULL,
	};
	struct zsr_host_thread self = { .home = ZSR_HOST_NO_CPU };
	struct host_player p = { .s = setup, .run = r };
	int ret = 0;

	if (setup->numa_node)
		ret = memory_from(setup->numa_node - 1, err);
	if (ret)
		return ret;
	ret = zsr_host_create(&p.h, &opts, err);
	if (!ret) {
		zsr_host_enter(p.h, &self);
		ret = run(&p, err);
		r->cpus = p.h->m.nr_cpus;
		player_free(&p);
		zsr_host_leave(&self);
		zsr_host_destroy(p.h);
	}
	if (setup->numa_node)
		memory_from(-1, &(struct zsr_err){ 0 });
	return ret ? zsr_err_wrap(err, ret, "replay %s under %s on the host",
				  setup->common.trace->name,
				  setup->common.policy->name)
		   : 0;
}
