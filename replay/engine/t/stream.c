// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine against the naive one on random streams: all models, page sizes
 * and chain sizes, with compactions, page locks and the free worker. After
 * every op its outcome, its events and its counters must be equal, after a
 * compaction the places of all objects. A difference is shrunk to a minimal
 * sequence and printed in a form that `zsr engine run` takes.
 *
 * Streams of a tenth the length run in pools with memory. Every object is full
 * of bytes of its own there, read again at its free and after compactions.
 *
 * ZSR_STREAM_OPS sets the ops of a stream (30000), ZSR_STREAM_SEED the seed.
 */
#include <stdarg.h>

#include "replay/engine/engine.h"
#include "replay/engine/t/bytes.h"
#include "replay/engine/t/naive.h"
#include "tests/check.h"

enum { MAX_LIVE = 500, MAX_LOCKS = 60 };

struct op {
	char op; /* as in op sequences; 0: taken out */
	int id;
	long size; /* m: bytes, l: k */
};

struct stream {
	const char *kernel;
	unsigned flags; /* of the engine */
	struct naive_rules rules;
	struct op *op;
	int nr;
	int nr_ids;
};

/* ---- making streams ------------------------------------------------------ */

struct maker {
	struct zsr_rng rng;
	long sizes[8]; /* favourites */
	int nr_sizes;
	int uniform; /* percent of sizes that are any */
	int target; /* live objects aimed at */
	int live[MAX_LIVE + 1], nr_live;
	int locks[MAX_LOCKS], nr_locks;
};

static int below(struct maker *m, int n)
{
	return (int)zsr_rng_below(&m->rng, (uint64_t)n);
}

static void add(struct stream *s, char op, int id, long size)
{
	s->op[s->nr++] = (struct op){ op, id, size };
}

static long any_size(struct maker *m, const struct stream *s)
{
	int page = s->rules.page_size;

	if (below(m, 200) == 0)
		return below(m, 2) ? 0 : page + 1 + below(m, 100);
	if (below(m, 100) < m->uniform)
		return 1 + below(m, page);
	return m->sizes[below(m, m->nr_sizes)];
}

static void add_malloc(struct maker *m, struct stream *s)
{
	long size = any_size(m, s);

	if (size > 0 && size <= s->rules.page_size)
		m->live[m->nr_live++] = s->nr_ids;
	add(s, 'm', s->nr_ids++, size);
}

static void add_free(struct maker *m, struct stream *s, int at)
{
	add(s, 'f', m->live[at], 0);
	m->live[at] = m->live[--m->nr_live];
}

static void add_unlocks(struct maker *m, struct stream *s)
{
	while (m->nr_locks)
		add(s, 'u', m->locks[--m->nr_locks], 0);
}

static void add_some(struct maker *m, struct stream *s)
{
	int dice = below(m, 1000), i;

	if (dice < 8) {
		add(s, 'c', 0, 0);
	} else if (dice < 40 && m->nr_locks < MAX_LOCKS && m->nr_live) {
		i = m->live[below(m, m->nr_live)];
		m->locks[m->nr_locks++] = i;
		add(s, 'l', i, below(m, 16));
	} else if (dice < 60 && m->nr_locks) {
		i = below(m, m->nr_locks);
		add(s, 'u', m->locks[i], 0);
		m->locks[i] = m->locks[--m->nr_locks];
	} else if (dice < 68) {
		add_unlocks(m, s);
		add(s, 'w', 0, 0);
	} else if (dice < 76) { /* a burst of frees, newest or any */
		for (i = below(m, 60); i && m->nr_live; i--)
			add_free(m, s,
				 below(m, 2) ? m->nr_live - 1
					     : below(m, m->nr_live));
	} else if (m->nr_live < MAX_LIVE &&
		   (!m->nr_live || below(m, 2 * m->target) >= m->nr_live)) {
		add_malloc(m, s);
	} else {
		add_free(m, s, below(m, m->nr_live));
	}
}

static void make(struct stream *s, uint64_t seed, int nr_ops)
{
	struct maker m = { .rng = { seed } };
	int i;

	s->op = malloc((size_t)(nr_ops + 200) * sizeof(*s->op));
	s->nr = s->nr_ids = 0;
	m.nr_sizes = 1 + below(&m, 8);
	m.uniform = below(&m, 3) * 45;
	m.target = 5 + below(&m, MAX_LIVE - 100);
	for (i = 0; i < m.nr_sizes; i++)
		m.sizes[i] = 1 + below(&m, s->rules.page_size);
	while (s->nr < nr_ops)
		add_some(&m, s);
}

/* ---- playing them ----------------------------------------------------------- */

struct id {
	zsr_handle h;
	uint32_t size;
	struct zsr_zspage *locked; /* the engine's page lock */
	bool *naive_locked; /* the naive one's */
	unsigned page;
};

struct play {
	const struct stream *s;
	struct zsr_engine *e;
	struct naive *n;
	struct id *id;
	int nr_locks;
	int nr_events; /* the engine's, of the op at hand */
	bool events_differ;
	char why[200];
};

static void see(struct play *p, bool new, const struct zsr_zspage *z,
		uint64_t pages)
{
	struct naive_event *want = &p->n->event[p->nr_events++];

	if (p->nr_events > p->n->nr_events || want->new != new ||
	    want->serial != (long)zsr_zspage_serial(z) ||
	    want->pages_now != (long)pages)
		p->events_differ = true;
}

static void on_new(void *ctx, const struct zsr_zspage *z, uint64_t pages)
{
	see(ctx, true, z, pages);
}

static void on_free(void *ctx, const struct zsr_zspage *z, uint64_t pages)
{
	see(ctx, false, z, pages);
}

/* The driver's word counts the zspage's objects here, whoever brings them. */
static void on_moved(void *ctx, zsr_handle h, struct zsr_zspage *from,
		     struct zsr_zspage *to)
{
	--*zsr_zspage_queued(from);
	++*zsr_zspage_queued(to);
}

/* Note why and be false. */
static bool differ(struct play *p, const char *fmt, ...) ZSR_PRINTF(2, 3);

static bool differ(struct play *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool same_place(struct play *p, int id)
{
	const struct naive_place *want = &p->n->place[id];
	struct zsr_place got;

	zsr_engine_place(p->e, p->id[id].h, &got);
	if (got.zspage != (uint64_t)want->z->serial ||
	    got.class != (unsigned)want->z->class ||
	    got.obj != (unsigned)want->slot)
		return differ(p,
			      "id %d is in zspage %llu, slot %u, not zspage "
			      "%ld, slot %d",
			      id, (unsigned long long)got.zspage, got.obj,
			      want->z->serial, want->slot);
	if (*zsr_zspage_queued(zsr_engine_handle_zspage(p->e, p->id[id].h)) !=
	    (uint32_t)want->z->inuse)
		return differ(p, "the driver's word of id %d's zspage changed",
			      id);
	return true;
}

static bool same_bytes(struct play *p, int id)
{
	static char got[BYTES_MAX_SIZE];
	size_t size = p->id[id].size;

	if (!(p->s->flags & ZSR_ENGINE_BACKED))
		return true;
	if (zsr_engine_obj_read(p->e, p->id[id].h, got, size) ||
	    memcmp(got, bytes_of_id((unsigned)id), size))
		return differ(p, "bytes of id %d", id);
	return true;
}

static bool write_bytes(struct play *p, int id, size_t size)
{
	p->id[id].size = (uint32_t)size;
	if (!(p->s->flags & ZSR_ENGINE_BACKED))
		return true;
	if (zsr_engine_obj_write(p->e, p->id[id].h, bytes_of_id((unsigned)id),
				 size))
		return differ(p, "no room for id %d", id);
	return true;
}

static bool same_class(struct play *p, int i)
{
	const struct naive_class *c = &p->n->class[i];
	struct zsr_class_info info;
	struct zsr_class_stats s;
	unsigned g;

	if (zsr_engine_class_info(p->e, (unsigned)i, &info) != c->real)
		return differ(p, "class %d exists in one only", i);
	if (!c->real)
		return true;
	zsr_engine_class_stats(p->e, (unsigned)i, &s);
	if (info.size != (unsigned)c->size || info.objs != (unsigned)c->objs ||
	    info.pages != (unsigned)c->pages)
		return differ(p, "class %d: shape", i);
	if (s.obj_allocated != (uint64_t)c->allocated ||
	    s.obj_used != (uint64_t)c->used ||
	    s.freeable != (uint64_t)naive_freeable(c))
		return differ(p, "class %d: objects", i);
	for (g = 0; g < s.nr_groups; g++)
		if (s.group[g] !=
		    (uint64_t)c->len[g] + (g ? 0 : (uint64_t)c->drift))
			return differ(p, "class %d: group %u", i, g);
	return true;
}

static bool same_pool(struct play *p)
{
	int i;

	if (zsr_engine_pages(p->e) != (uint64_t)p->n->pages)
		return differ(p, "pages");
	if (zsr_engine_worker_scheduled(p->e) != p->n->scheduled)
		return differ(p, "worker scheduled");
	for (i = 0; i < p->n->nr_raw; i++)
		if (!same_class(p, i))
			return false;
	for (i = 0; i < p->s->nr_ids; i++)
		if (p->id[i].h && (!same_place(p, i) || !same_bytes(p, i)))
			return false;
	return true;
}

static bool play_malloc(struct play *p, const struct op *op)
{
	struct id *id = &p->id[op->id];
	int want = naive_malloc(p->n, op->size, op->id);
	int got = zsr_engine_malloc(p->e, (size_t)op->size, &id->h);

	if (got != want)
		return differ(p, "malloc of %ld: %d, not %d", op->size, got,
			      want);
	if (got)
		return true;
	++*zsr_zspage_queued(zsr_engine_handle_zspage(p->e, id->h));
	return same_place(p, op->id) && write_bytes(p, op->id, (size_t)op->size);
}

static bool play_free(struct play *p, const struct op *op)
{
	struct id *id = &p->id[op->id];
	bool got, want;

	if (!same_place(p, op->id) || !same_bytes(p, op->id))
		return false;
	--*zsr_zspage_queued(zsr_engine_handle_zspage(p->e, id->h));
	want = naive_free(p->n, op->id);
	got = zsr_engine_free(p->e, id->h);
	id->h = 0;
	if (got != want)
		return differ(p, "free of id %d: %sreturned", op->id,
			      got ? "" : "not ");
	return true;
}

static bool play_lock(struct play *p, const struct op *op)
{
	struct naive_zspage *nz = p->n->place[op->id].z;
	struct id *id = &p->id[op->id];
	struct zsr_zspage *z = zsr_engine_handle_zspage(p->e, id->h);
	unsigned page = (unsigned)(op->size % zsr_zspage_pages(z));
	bool got = zsr_engine_page_trylock(p->e, z, page);

	if (got == nz->locked[page])
		return differ(p, "page lock");
	if (!got)
		return true;
	nz->locked[page] = true;
	p->nr_locks++;
	id->locked = z;
	id->naive_locked = &nz->locked[page];
	id->page = page;
	return true;
}

static void play_unlock(struct play *p, const struct op *op)
{
	struct id *id = &p->id[op->id];

	zsr_engine_page_unlock(p->e, id->locked, id->page);
	*id->naive_locked = false;
	id->locked = NULL;
	p->nr_locks--;
}

static bool play_compact(struct play *p)
{
	long want = naive_compact(p->n);
	uint64_t got = zsr_engine_compact(p->e);

	if (got != (uint64_t)want)
		return differ(p, "compaction: %llu pages, not %ld",
			      (unsigned long long)got, want);
	return same_pool(p);
}

/* Shrinking takes ops out: what makes no sense without them is passed over. */
static bool makes_sense(const struct play *p, const struct op *op)
{
	const struct id *id = &p->id[op->id];

	switch (op->op) {
	case 'f':
		return id->h;
	case 'l':
		return id->h && !id->locked;
	case 'u':
		return id->locked;
	case 'w':
		return !p->nr_locks;
	}
	return op->op;
}

static bool play_op(struct play *p, const struct op *op)
{
	switch (op->op) {
	case 'm':
		return play_malloc(p, op);
	case 'f':
		return play_free(p, op);
	case 'l':
		return play_lock(p, op);
	case 'u':
		play_unlock(p, op);
		return true;
	case 'c':
		return play_compact(p);
	}
	naive_worker(p->n);
	zsr_engine_run_worker(p->e);
	return same_pool(p);
}

static bool same_events(struct play *p)
{
	if (p->events_differ || p->nr_events != p->n->nr_events)
		return differ(p, "events");
	if (zsr_engine_pages(p->e) != (uint64_t)p->n->pages)
		return differ(p, "pages");
	return true;
}

/* The op at which the engines differ, -1 if they do not. */
static int play(const struct stream *s, char why[200])
{
	const struct zsr_model *model = zsr_model_find(s->kernel);
	struct play p = { .s = s };
	struct zsr_obj_layout layout = { .handle_size = 8, .min_size = 32 };
	struct zsr_err err = { 0 };
	int i, bad = -1;

	p.n = naive_create(&s->rules, s->nr_ids);
	p.id = calloc((size_t)s->nr_ids + 1, sizeof(*p.id));
	ck_assert_msg(!zsr_engine_create_layout(
			      &p.e, model, (unsigned)s->rules.page_size,
			      (unsigned)s->rules.chain, &layout, s->flags, &err),
		      "%s", err.msg);
	zsr_engine_observe(
		p.e, &(struct zsr_engine_observer){ .ctx = &p,
						    .zspage_new = on_new,
						    .zspage_free = on_free,
						    .moved = on_moved });
	for (i = 0; i < s->nr && bad < 0; i++) {
		if (!makes_sense(&p, &s->op[i]))
			continue;
		p.n->nr_events = p.nr_events = 0;
		if (!play_op(&p, &s->op[i]) || !same_events(&p) ||
		    (i % 500 == 0 && !same_pool(&p)))
			bad = i;
	}
	if (bad < 0 && !same_pool(&p))
		bad = s->nr - 1;
	if (why)
		memcpy(why, p.why, sizeof(p.why));
	naive_destroy(p.n);
	zsr_engine_destroy(p.e);
	free(p.id);
	return bad;
}

/* ---- shrinking ------------------------------------------------------------- */

#define SHRINK_NS 60000000000ull

/*
 * Take out runs of ops, halving their length, as long as what is left still
 * shows a difference; once more from the start when that helped.
 */
static void shrink(struct stream *s)
{
	struct op *kept = malloc((size_t)s->nr * sizeof(*kept));
	uint64_t end = zsr_clock_ns() + SHRINK_NS;
	size_t n;
	int len, at, before;

	do {
		before = s->nr = play(s, NULL) + 1;
		for (len = s->nr / 2 + 1; len; len /= 2)
			for (at = 0; at < s->nr && zsr_clock_ns() < end;
			     at += len) {
				n = (size_t)zsr_min(len, s->nr - at);
				memcpy(kept, &s->op[at], n * sizeof(*kept));
				memset(&s->op[at], 0, n * sizeof(*kept));
				if (play(s, NULL) < 0)
					memcpy(&s->op[at], kept,
					       n * sizeof(*kept));
			}
		for (at = n = 0; at < s->nr; at++)
			if (s->op[at].op)
				s->op[n++] = s->op[at];
		s->nr = (int)n;
	} while (s->nr < before && zsr_clock_ns() < end);
	free(kept);
}

static void print(const struct stream *s, const char *why)
{
	int *number = calloc((size_t)s->nr_ids + 1, sizeof(*number));
	int i, ids = 0;

	printf("# differs: %s\n# kernel %s, page size %d, chain size %d; "
	       "minimal sequence:\n# op,id,size\n",
	       why, s->kernel, s->rules.page_size, s->rules.chain);
	for (i = 0; i < s->nr; i++) {
		const struct op *op = &s->op[i];

		if (op->op == 'm')
			number[op->id] = ids++;
		if (op->op == 'c' || op->op == 'w')
			printf("# %c,,\n", op->op);
		else if (op->op == 'm' || op->op == 'l')
			printf("# %c,%d,%ld\n", op->op, number[op->id],
			       op->size);
		else
			printf("# %c,%d,\n", op->op, number[op->id]);
	}
	fflush(stdout);
	free(number);
}

/* ---- the tests ------------------------------------------------------------- */

static long env(const char *name, long otherwise)
{
	const char *s = getenv(name);

	return s ? atol(s) : otherwise;
}

static void compare(struct stream *s, uint64_t seed)
{
	char why[200];

	int nr_ops = (int)env("ZSR_STREAM_OPS", 30000);

	make(s, seed, s->flags & ZSR_ENGINE_BACKED ? nr_ops / 10 : nr_ops);
	if (play(s, NULL) >= 0) {
		shrink(s);
		play(s, why);
		print(s, why);
		ck_abort_msg("engines differ at seed %llu",
			     (unsigned long long)seed);
	}
	free(s->op);
}

static void all_pools(const char *kernel, struct naive_rules rules)
{
	static const int page_sizes[] = { 4096, 16384, 65536 };
	uint64_t seed = (uint64_t)env("ZSR_STREAM_SEED", 1);
	size_t i;

	rules.handle_size = 8;
	rules.min_size = 32;
	for (i = 0; i < ZSR_ARRAY_SIZE(page_sizes); i++)
		for (rules.chain = 4; rules.chain <= 16; rules.chain++) {
			struct stream s = { .kernel = kernel };

			rules.page_size = page_sizes[i];
			s.rules = rules;
			compare(&s, seed++);
			s.flags = ZSR_ENGINE_BACKED;
			compare(&s, seed);
		}
}

START_TEST(rules_of_5_10)
{
	all_pools("5.10", (struct naive_rules){ .percent = true,
						.quad = true,
						.src_driven = true,
						.err_zero = -ENOMEM,
						.err_large = -ENOMEM,
						.drift = true });
}
END_TEST

START_TEST(rules_of_6_1)
{
	all_pools("6.1", (struct naive_rules){ .percent = true,
					       .quad = true,
					       .src_driven = true,
					       .err_zero = -EINVAL,
					       .err_large = -EINVAL,
					       .drift = true });
}
END_TEST

START_TEST(rules_of_6_3)
{
	all_pools("6.3", (struct naive_rules){ .quad = true,
					       .src_driven = true,
					       .err_zero = -EINVAL,
					       .err_large = -EINVAL,
					       .drift = true });
}
END_TEST

START_TEST(rules_of_6_12)
{
	all_pools("6.12", (struct naive_rules){ .err_zero = -EINVAL,
						.err_large = -ENOSPC });
}
END_TEST

ZSR_TEST_MAIN("engine streams", rules_of_5_10, rules_of_6_1, rules_of_6_3,
	      rules_of_6_12)
