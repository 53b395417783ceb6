// SPDX-License-Identifier: GPL-2.0-only
/* Locks and atomics that nobody contends for, lines that another CPU has, loads
 * that miss. */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "replay/calibrate.h"

enum { PAIRS = 256, LINES = 64, HOPS = 4096 };

/* ---- locks -------------------------------------------------------------------- */

struct locks {
	struct zsr_cal *c;
	struct zsr_host *h;
	struct zsr_host_thread self;
	_Alignas(128) struct zsr_spinlock spin;
	_Alignas(128) struct zsr_rwlock rw;
	_Alignas(128) struct zsr_line line;
};

/* PAIRS times one op and its opposite, back to back. */
#define PAIR_ROUND(name, first, second)                                        \
	static int name##_round(void *ctx, int64_t *v)                         \
	{                                                                      \
		struct locks *l = ctx;                                         \
		struct zsr_machine *m = &l->h->m;                              \
		uint64_t begin = zsr_ticks();                                  \
		unsigned i;                                                    \
                                                                               \
		for (i = 0; i < PAIRS; i++) {                                  \
			first;                                                 \
			second;                                                \
		}                                                              \
		*v = zsr_cal_each(l->c, zsr_ticks() - begin, PAIRS);           \
		return 0;                                                      \
	}

PAIR_ROUND(spin, zsr_spin_lock(m, &l->spin), zsr_spin_unlock(m, &l->spin))
PAIR_ROUND(read, zsr_read_lock(m, &l->rw), zsr_read_unlock(m, &l->rw))
PAIR_ROUND(write, zsr_write_lock(m, &l->rw), zsr_write_unlock(m, &l->rw))
PAIR_ROUND(atomic, zsr_line_atomic(m, &l->line), (void)0)

/* The part of a pair that its first op is, each timed by itself. */
#define SHARE_ROUND(name, first, second)                                       \
	static int name##_share_round(void *ctx, int64_t *v)                   \
	{                                                                      \
		struct locks *l = ctx;                                         \
		struct zsr_machine *m = &l->h->m;                              \
		uint64_t at[3], one = 0, two = 0;                              \
		unsigned i;                                                    \
                                                                               \
		for (i = 0; i < PAIRS; i++) {                                  \
			at[0] = zsr_ticks();                                   \
			first;                                                 \
			at[1] = zsr_ticks();                                   \
			second;                                                \
			at[2] = zsr_ticks();                                   \
			one += at[1] - at[0];                                  \
			two += at[2] - at[1];                                  \
		}                                                              \
		*v = share(l->c, one, two);                                    \
		return 0;                                                      \
	}

/* Of 1000, clock readings taken off. */
static int64_t share(const struct zsr_cal *c, uint64_t one, uint64_t two)
{
	uint64_t clock = PAIRS * c->clock.overhead;

	one -= zsr_min(one, clock);
	two -= zsr_min(two, clock);
	return one + two ? (int64_t)(one * 1000 / (one + two)) : 500;
}

SHARE_ROUND(spin, zsr_spin_lock(m, &l->spin), zsr_spin_unlock(m, &l->spin))
SHARE_ROUND(read, zsr_read_lock(m, &l->rw), zsr_read_unlock(m, &l->rw))
SHARE_ROUND(write, zsr_write_lock(m, &l->rw), zsr_write_unlock(m, &l->rw))

static void scale(struct zsr_figure *to, const struct zsr_figure *pair,
		  int64_t permille)
{
	*to = *pair;
	to->q1 = pair->q1 * permille / 1000;
	to->median = pair->median * permille / 1000;
	to->q3 = pair->q3 * permille / 1000;
}

/* Two figures from a pair and the share of its first op, which comes in the
 * place of the first figure. */
static int pair(struct locks *l, unsigned first, unsigned second,
		int (*whole)(void *ctx, int64_t *v),
		int (*part)(void *ctx, int64_t *v))
{
	struct zsr_figure both, *f = l->c->figure;
	int ret = zsr_cal_rounds(l->c, second, whole, l);
	int64_t permille;

	if (!ret)
		ret = zsr_cal_rounds(l->c, first, part, l);
	if (ret)
		return ret;
	both = f[second];
	permille = f[first].median;
	scale(&f[first], &both, permille);
	scale(&f[second], &both, 1000 - permille);
	return 0;
}

static int uncontended(struct zsr_cal *c, struct zsr_err *err)
{
	const struct zsr_host_opts opts = { .pin = true, .clock = &c->clock };
	struct locks *l = aligned_alloc(_Alignof(struct locks), sizeof(*l));
	int ret;

	if (!l)
		return zsr_err_nomem(err, "locks");
	*l = (struct locks){ .c = c, .self.home = 0 };
	ret = zsr_host_create(&l->h, &opts, err);
	if (ret)
		goto out;
	c->pcp_batch = l->h->opts.pcp_batch;
	c->pcp_high = l->h->opts.pcp_high;
	zsr_host_enter(l->h, &l->self);
	ret = pair(l, ZSR_COST_spin_lock, ZSR_COST_spin_unlock, spin_round,
		   spin_share_round) ?:
	      pair(l, ZSR_COST_read_lock, ZSR_COST_read_unlock, read_round,
		   read_share_round) ?:
	      pair(l, ZSR_COST_write_lock, ZSR_COST_write_unlock, write_round,
		   write_share_round) ?:
	      zsr_cal_rounds(c, ZSR_COST_atomic, atomic_round, l);
	zsr_host_leave(&l->self);
	zsr_host_destroy(l->h);
	if (ret)
		zsr_err_nomem(err, "rounds");
out:
	free(l);
	return ret;
}

/* ---- lines of another CPU --------------------------------------------------------- */

/* Every second line, so that fetching one does not bring the next. */
struct far_line {
	_Alignas(256) struct zsr_line line;
};

struct far {
	struct zsr_cal *c;
	struct zsr_machine m; /* only for its lines */
	struct far_line line[LINES];
	_Alignas(128) unsigned turn; /* odd: the other thread writes them */
	bool stop;
	pthread_t thread;
};

static void await_turn(struct far *f, unsigned turn)
{
	unsigned spins = 0;

	while (__atomic_load_n(&f->turn, __ATOMIC_ACQUIRE) != turn) {
		if (++spins % 4096)
			zsr_host_relax();
		else
			sched_yield();
	}
}

static void touch(struct far *f)
{
	unsigned i;

	/* 29 and 64 have no common factor: all lines, in no order that a
	 * prefetcher knows. */
	for (i = 0; i < LINES; i++)
		__atomic_fetch_add(&f->line[i * 29 % LINES].line.host, 1,
				   __ATOMIC_RELAXED);
}

static void *other_main(void *arg)
{
	struct far *f = arg;
	unsigned turn = 1;

	zsr_cal_pin(f->c, 1);
	for (;; turn += 2) {
		await_turn(f, turn);
		if (__atomic_load_n(&f->stop, __ATOMIC_RELAXED))
			return NULL;
		touch(f);
		__atomic_store_n(&f->turn, turn + 1, __ATOMIC_RELEASE);
	}
}

static uint64_t timed_touch(struct far *f)
{
	uint64_t begin = zsr_ticks();

	touch(f);
	return zsr_ticks() - begin;
}

/* What the lines take from there more than from here. */
static int far_round(void *ctx, int64_t *v)
{
	struct far *f = ctx;
	unsigned theirs = f->turn + 1;
	uint64_t away, here;

	__atomic_store_n(&f->turn, theirs, __ATOMIC_RELEASE);
	await_turn(f, theirs + 1);
	away = timed_touch(f);
	here = timed_touch(f);
	*v = zsr_cal_each(f->c, away, LINES) - zsr_cal_each(f->c, here, LINES);
	return 0;
}

static int lines(struct zsr_cal *c, struct zsr_err *err)
{
	struct far *f;
	int ret;

	if (c->nr_cpus < 2) {
		c->figure[ZSR_COST_line_transfer].why = "there is one CPU";
		return 0;
	}
	f = aligned_alloc(_Alignof(struct far), sizeof(*f));
	if (!f)
		return zsr_err_nomem(err, "lines");
	*f = (struct far){ .c = c };
	ret = pthread_create(&f->thread, NULL, other_main, f);
	if (ret) {
		free(f);
		return zsr_err_sys(err, ret, "thread");
	}
	zsr_cal_pin(c, 0);
	ret = zsr_cal_rounds(c, ZSR_COST_line_transfer, far_round, f);
	__atomic_store_n(&f->stop, true, __ATOMIC_RELAXED);
	__atomic_store_n(&f->turn, f->turn + 1, __ATOMIC_RELEASE);
	pthread_join(f->thread, NULL);
	zsr_cal_unpin(c);
	free(f);
	return ret ? zsr_err_nomem(err, "rounds") : 0;
}

/* ---- misses ----------------------------------------------------------------------- */

/* A ring of lines, each of which says where the next one is. */
struct chase {
	struct zsr_cal *c;
	char *memory;
	size_t len;
	void **at;
};

#define LINE       64u
#define CHASE_PAGE 4096u
#define FAR_BYTES  (128ul << 20) /* no cache holds them */
#define TLB_PAGES  8192ul /* more than a TLB knows, and 512 KiB of lines */

/*
 * A ring through NR lines in random order: number I is at I times STRIDE, with
 * the line in the page chosen so that they do not fall into one set of a cache.
 */
static int ring(struct chase *c, size_t nr, size_t stride)
{
	uint32_t *order = malloc(nr * sizeof(*order)), with;
	struct zsr_rng rng = { 1 };
	size_t i, k, page = CHASE_PAGE / LINE;
	void **line, **first = NULL;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		order[i] = (uint32_t)i;
	for (i = nr; i > 1; i--) {
		k = zsr_rng_below(&rng, i);
		with = order[i - 1];
		order[i - 1] = order[k];
		order[k] = with;
	}
	for (i = 0; i < nr; i++) {
		k = order[i] * stride;
		if (stride >= CHASE_PAGE)
			k += order[i] % page * LINE;
		line = (void **)(c->memory + k);
		if (first)
			*c->at = line;
		else
			first = line;
		c->at = line;
	}
	*c->at = first;
	c->at = first;
	free(order);
	return 0;
}

static int chase_round(void *ctx, int64_t *v)
{
	struct chase *c = ctx;
	uint64_t begin = zsr_ticks();
	void **at = c->at;
	unsigned i;

	for (i = 0; i < HOPS; i++)
		at = *at;
	c->at = at;
	__asm__ volatile("" : : "r"(at));
	*v = zsr_cal_each(c->c, zsr_ticks() - begin, HOPS);
	return 0;
}

/* Once around before it counts. */
static int chase(struct chase *c, unsigned figure, size_t nr, size_t stride)
{
	int64_t ignored;
	size_t i;
	int ret = ring(c, nr, stride);

	for (i = 0; !ret && i < nr; i += HOPS)
		ret = chase_round(c, &ignored);
	return ret ? ret : zsr_cal_rounds(c->c, figure, chase_round, c);
}

static void subtract(struct zsr_figure *f, int64_t ps)
{
	f->q1 -= ps;
	f->median -= ps;
	f->q3 -= ps;
}

static int misses(struct zsr_cal *c, struct zsr_err *err)
{
	struct zsr_figure *tlb = &c->figure[ZSR_CAL_tlb_miss], *far;
	struct chase k = { .c = c, .len = FAR_BYTES };
	int64_t near = 0;
	int ret;

	far = &c->figure[ZSR_CAL_cache_miss];
	k.memory = mmap(NULL, k.len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (k.memory == MAP_FAILED)
		return zsr_err_sys(err, errno, "memory");
	madvise(k.memory, k.len, MADV_NOHUGEPAGE);
	zsr_cal_pin(c, 0);
	/* As many lines, side by side, then each in a page of its own. */
	ret = chase(&k, ZSR_CAL_tlb_miss, TLB_PAGES, LINE);
	near = tlb->median;
	if (!ret)
		ret = chase(&k, ZSR_CAL_tlb_miss, TLB_PAGES, CHASE_PAGE);
	subtract(tlb, near);
	if (!ret)
		ret = chase(&k, ZSR_CAL_cache_miss, FAR_BYTES / LINE, LINE);
	subtract(far, tlb->median);
	zsr_cal_unpin(c);
	munmap(k.memory, k.len);
	return ret ? zsr_err_nomem(err, "rounds") : 0;
}

int zsr_cal_locks(struct zsr_cal *c, struct zsr_err *err)
{
	const struct zsr_clock *clock = &c->clock;
	int ret = uncontended(c, err);

	c->figure[ZSR_CAL_clock_read].known = true;
	c->figure[ZSR_CAL_clock_read].median =
		(int64_t)zsr_ticks_ps(clock, clock->overhead);
	if (!ret)
		ret = lines(c, err);
	return ret ? ret : misses(c, err);
}
