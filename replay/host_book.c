// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "replay/host_book.h"

#define SLOT_BATCH 64
#define SERIAL     ((1u << 28) - 1)

static struct zsr_host_book *book_of(struct zsr_pool *p)
{
	return (struct zsr_host_book *)p->account;
}

/* ---- records ------------------------------------------------------------- */

static void record_link(struct zsr_host_book *b, struct zsr_record *r)
{
	pthread_mutex_lock(&b->lock);
	r->next = b->records;
	b->records = r;
	pthread_mutex_unlock(&b->lock);
}

struct zsr_record *zsr_host_record(struct zsr_host_book *b, size_t slots)
{
	struct zsr_record *r =
		calloc(1, sizeof(*r) + b->nr_pools * sizeof(r->leaf[0]));
	unsigned i;

	if (!r)
		return NULL;
	r->book = b;
	record_link(b, r);
	for (i = 0; slots && i < b->nr_pools; i++) {
		r->leaf[i].slot = malloc(slots * sizeof(uint32_t));
		if (!r->leaf[i].slot)
			return NULL;
		memset(r->leaf[i].slot, 0, slots * sizeof(uint32_t));
		r->leaf[i].cap_slots = slots;
	}
	return r;
}

/* A worker's, at its first use of a pool; it has no slots. */
static struct zsr_record *record_make(struct zsr_pool *p)
{
	struct zsr_host_book *b = book_of(p);
	struct zsr_record *r = zsr_host_record(b, 0);

	if (!r)
		abort(); /* nothing can be written down any more */
	zsr_host_self->record = r;
	return r;
}

static struct zsr_leaf *leaf_of(struct zsr_pool *p)
{
	struct zsr_record *r = zsr_host_self->record;

	if (__builtin_expect(!r, 0))
		r = record_make(p);
	return &r->leaf[p - r->book->pool];
}

/* ---- notes ------------------------------------------------------------------ */

static struct zsr_notes *notes_take(struct zsr_host_book *b)
{
	struct zsr_notes *n;

	pthread_mutex_lock(&b->lock);
	n = b->spare;
	if (n)
		b->spare = n->next;
	else
		b->late++;
	pthread_mutex_unlock(&b->lock);
	return n ? n : malloc(sizeof(*n));
}

static __attribute__((noinline, cold)) bool notes_add(struct zsr_pool *p,
						      struct zsr_leaf *l)
{
	struct zsr_notes *n = notes_take(book_of(p));

	if (!n) {
		zsr_account_fail(p->account, -ENOMEM);
		return false;
	}
	n->next = NULL;
	if (l->last) {
		l->last->end = l->at;
		l->last->next = n;
	} else {
		l->first = n;
	}
	l->last = n;
	l->at = n->note;
	l->end = n->note + ZSR_NOTES;
	return true;
}

static uint64_t now_ticks(void)
{
	struct zsr_host_thread *t = zsr_host_self;

	if (t->stamp)
		return t->stamp;
	t->counts.stamps++;
	return zsr_ticks();
}

static void write_at(struct zsr_pool *p, uint64_t at, enum zsr_note_kind kind,
		     uint32_t h, uint64_t value)
{
	struct zsr_leaf *l = leaf_of(p);

	if (__builtin_expect(l->at == l->end, 0) && !notes_add(p, l))
		return;
	*l->at++ = (struct zsr_note){ .at = at,
				      .h = h,
				      .kind = (unsigned)kind & 15,
				      .value = value & SERIAL };
}

static void write_now(struct zsr_pool *p, enum zsr_note_kind kind, uint32_t h,
		      uint64_t value)
{
	write_at(p, now_ticks(), kind, h, value);
}

/* It has no number yet: written down with its first object. */
static void grown(struct zsr_pool *p, struct zsr_zspage *z)
{
	leaf_of(p)->grown = z;
}

static void stored(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z)
{
	struct zsr_leaf *l = leaf_of(p);

	if (l->grown)
		write_now(p, ZSR_NOTE_GROWN, zsr_zspage_class(z),
			  zsr_zspage_serial(z));
	l->grown = NULL;
	write_now(p, ZSR_NOTE_STORED, h, zsr_zspage_serial(z));
}

static void queued(struct zsr_pool *p, zsr_handle h)
{
	write_now(p, ZSR_NOTE_QUEUED, h, 0);
}

static void freed(struct zsr_pool *p, unsigned class, zsr_handle h,
		  struct zsr_zspage *z)
{
	(void)class;
	(void)z;
	write_now(p, ZSR_NOTE_FREED, h, 0);
}

static void back(struct zsr_pool *p, struct zsr_zspage *z)
{
	write_now(p, ZSR_NOTE_BACK, 0, zsr_zspage_serial(z));
}

static void vanished(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z,
		     uint64_t now)
{
	(void)now;
	write_now(p, ZSR_NOTE_FREED, h, 0);
	if (z)
		back(p, z);
}

static void moved(struct zsr_pool *p, unsigned class, zsr_handle h,
		  struct zsr_zspage *from, struct zsr_zspage *to)
{
	(void)class;
	(void)from;
	write_now(p, ZSR_NOTE_MOVED, h, zsr_zspage_serial(to));
}

static void compacted(struct zsr_pool *p, unsigned nr)
{
	write_now(p, ZSR_NOTE_COMPACTED, nr, 0);
}

static uint64_t zspage_queued(struct zsr_pool *p)
{
	uint64_t at = now_ticks();

	write_at(p, at, ZSR_NOTE_ZSPAGE_QUEUED, 0, 0);
	return at;
}

static void zspage_dequeued(struct zsr_pool *p, uint64_t queued_at)
{
	const struct zsr_clock *clock = &zsr_host_of(p->m)->clock;
	uint64_t at = now_ticks();
	uint64_t ps = at > queued_at ? zsr_ticks_ps(clock, at - queued_at) : 0;

	write_at(p, at, ZSR_NOTE_ZSPAGE_DEQUEUED,
		 (uint32_t)zsr_min(ps / 1000000, (uint64_t)UINT32_MAX), 0);
}

static void buffer_pages(struct zsr_pool *p, int64_t nr)
{
	write_now(p, ZSR_NOTE_BUFFER, (uint32_t)nr, 0);
}

static void fell_back(struct zsr_pool *p)
{
	leaf_of(p)->fallbacks++;
}

static void slot_reused(struct zsr_pool *p)
{
	leaf_of(p)->reused++;
}

/* ---- handed out ---------------------------------------------------------------- */

static zsr_handle handle_get(struct zsr_pool *p)
{
	return zsr_engine_handle_alloc_cached(p->e, &leaf_of(p)->handles);
}

static void handle_put(struct zsr_pool *p, zsr_handle h)
{
	zsr_engine_handle_free_cached(p->e, &leaf_of(p)->handles, h);
}

static int64_t slot_get(struct zsr_pool *p)
{
	struct zsr_leaf *l = leaf_of(p);
	size_t first;

	if (l->nr_slots)
		return l->slot[--l->nr_slots];
	if (l->next_slot == l->end_slot) {
		first = __atomic_fetch_add(&p->nr_slots, SLOT_BATCH,
					   __ATOMIC_RELAXED);
		if (first + SLOT_BATCH > p->cap_slots)
			return -ENOSPC;
		l->next_slot = (uint32_t)first;
		l->end_slot = (uint32_t)first + SLOT_BATCH;
	}
	return l->next_slot++;
}

static void slot_put(struct zsr_pool *p, uint32_t slot)
{
	zsr_host_slot_put(leaf_of(p), slot);
}

const struct zsr_book zsr_book_host = {
	.engine_flags = ZSR_ENGINE_SHARED | ZSR_ENGINE_BACKED,
	.grown = grown,
	.stored = stored,
	.queued = queued,
	.freed = freed,
	.back = back,
	.vanished = vanished,
	.moved = moved,
	.compacted = compacted,
	.zspage_queued = zspage_queued,
	.zspage_dequeued = zspage_dequeued,
	.buffer_pages = buffer_pages,
	.fell_back = fell_back,
	.slot_reused = slot_reused,
	.handle_get = handle_get,
	.handle_put = handle_put,
	.slot_get = slot_get,
	.slot_put = slot_put,
};

/* ---- life ----------------------------------------------------------------------- */

int zsr_host_slots_init(struct zsr_pool *p, uint64_t nr, unsigned nr_threads)
{
	nr += (uint64_t)SLOT_BATCH * (nr_threads + 1);
	if (nr > UINT32_MAX)
		return -ENOMEM;
	p->slot = malloc(nr * sizeof(*p->slot));
	if (!p->slot)
		return -ENOMEM;
	memset(p->slot, 0, nr * sizeof(*p->slot));
	p->cap_slots = nr;
	return 0;
}

int zsr_host_book_init(struct zsr_host_book *b, struct zsr_pool *pool,
		       unsigned nr_pools, uint64_t notes)
{
	size_t i, nr = notes / ZSR_NOTES + 1;
	struct zsr_notes *n;

	b->account.book = &zsr_book_host;
	b->pool = pool;
	b->nr_pools = nr_pools;
	pthread_mutex_init(&b->lock, NULL);
	b->len = nr * sizeof(*n);
	b->memory = mmap(NULL, b->len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->memory == MAP_FAILED) {
		b->memory = NULL;
		return -ENOMEM;
	}
	for (i = nr; i--;) {
		n = (struct zsr_notes *)b->memory + i;
		n->next = b->spare;
		b->spare = n;
	}
	return 0;
}

static bool is_spare(const struct zsr_host_book *b, const struct zsr_notes *n)
{
	return (const char *)n >= b->memory &&
	       (const char *)n < b->memory + b->len;
}

static void leaf_free(const struct zsr_host_book *b, struct zsr_leaf *l)
{
	struct zsr_notes *n;

	while ((n = l->first)) {
		l->first = n->next;
		if (!is_spare(b, n))
			free(n);
	}
	free(l->slot);
}

void zsr_host_book_destroy(struct zsr_host_book *b)
{
	struct zsr_record *r;
	unsigned i;

	while ((r = b->records)) {
		b->records = r->next;
		for (i = 0; i < b->nr_pools; i++)
			leaf_free(b, &r->leaf[i]);
		free(r);
	}
	if (b->memory)
		munmap(b->memory, b->len);
	if (b->pool)
		pthread_mutex_destroy(&b->lock);
}

static void leaf_close(struct zsr_pool *p, struct zsr_leaf *l)
{
	zsr_engine_handle_drain(p->e, &l->handles);
	p->fallbacks += l->fallbacks;
	p->slots_reused += l->reused;
	if (l->last)
		l->last->end = l->at;
}

void zsr_host_book_close(struct zsr_host_book *b)
{
	struct zsr_record *r;
	unsigned i;

	for (r = b->records; r; r = r->next)
		for (i = 0; i < b->nr_pools; i++)
			leaf_close(&b->pool[i], &r->leaf[i]);
}
