// SPDX-License-Identifier: GPL-2.0-only
/* The notes of all threads in the order of their times, told to the account:
 * what the ordered book does as it happens. */
#include <stdlib.h>

#include "replay/host_book.h"

struct object {
	uint64_t queued_at; /* ps + 1; 0: not queued */
	uint32_t zspage; /* + 1; 0: free */
};

struct zspage {
	uint16_t class;
	uint16_t inuse;
	uint16_t queued;
	bool held;
};

/* One pool as told so far. */
struct state {
	struct zsr_pool *pool;
	struct object *object; /* by handle */
	struct zspage *zspage;
	size_t nr_objects, nr_zspages;
};

/* One thread's notes of one pool that are not told yet. */
struct stream {
	const struct zsr_notes *notes;
	const struct zsr_note *at;
	struct state *state;
};

struct zsr_told {
	struct zsr_host_book *book;
	const struct zsr_clock *clock;
	struct zsr_account *account;
	struct state *state;
	struct stream *stream;
	size_t nr_streams;
	uint64_t first; /* ticks; when releases begin */
	uint64_t ps; /* of the last note */
	bool begun;
};

/* ---- what a note means ------------------------------------------------------ */

static unsigned pages_of(const struct state *s, const struct zspage *z)
{
	return s->pool->class[z->class].pages;
}

static void held_update(struct zsr_told *t, struct state *s, struct zspage *z)
{
	bool held = z->queued == z->inuse;

	if (held == z->held)
		return;
	z->held = held;
	zsr_account_held(t->account, t->ps,
			 held ? (int64_t)pages_of(s, z)
			      : -(int64_t)pages_of(s, z));
}

static void object_gone(struct zsr_told *t, struct state *s, struct object *o)
{
	struct zspage *z = &s->zspage[o->zspage - 1];

	z->inuse--;
	if (o->queued_at) {
		z->queued--;
		zsr_account_dequeued(t->account, t->ps,
				     zsr_min(o->queued_at - 1, t->ps),
				     s->pool->class[z->class].size);
	}
	*o = (struct object){ 0 };
	held_update(t, s, z);
}

static void tell_queued(struct zsr_told *t, struct state *s, struct object *o)
{
	struct zspage *z = &s->zspage[o->zspage - 1];

	o->queued_at = t->ps + 1;
	z->queued++;
	zsr_account_queued(t->account, t->ps, s->pool->class[z->class].size);
	held_update(t, s, z);
}

static void tell_stored(struct zsr_told *t, struct state *s, struct object *o,
			uint32_t serial)
{
	struct zspage *z = &s->zspage[serial];

	if (o->zspage) {
		t->book->unordered++;
		object_gone(t, s, o);
	}
	o->zspage = serial + 1;
	z->inuse++;
	held_update(t, s, z);
}

static void tell_moved(struct zsr_told *t, struct state *s, struct object *o,
		       uint32_t serial)
{
	struct zspage *from = &s->zspage[o->zspage - 1];
	struct zspage *to = &s->zspage[serial];
	unsigned size = s->pool->class[from->class].size;

	from->inuse--;
	to->inuse++;
	if (o->queued_at) {
		from->queued--;
		to->queued++;
		s->pool->compact.dead_moved++;
		s->pool->compact.dead_bytes += size;
	}
	o->zspage = serial + 1;
	held_update(t, s, from);
	held_update(t, s, to);
}

static void tell_back(struct zsr_told *t, struct state *s, struct zspage *z)
{
	unsigned pages = pages_of(s, z);

	if (z->held)
		zsr_account_held(t->account, t->ps, -(int64_t)pages);
	z->held = false;
	zsr_account_back(t->account, t->ps, pages);
}

/* Of an object that is not there, by the notes told so far. */
static bool is_unordered(const struct zsr_note *n, const struct object *o)
{
	if (n->kind == ZSR_NOTE_QUEUED)
		return !o->zspage || o->queued_at;
	return (n->kind == ZSR_NOTE_FREED || n->kind == ZSR_NOTE_MOVED) &&
	       !o->zspage;
}

static void tell_object(struct zsr_told *t, struct state *s,
			const struct zsr_note *n)
{
	struct object *o = &s->object[n->h];

	if (is_unordered(n, o))
		t->book->unordered++;
	else if (n->kind == ZSR_NOTE_QUEUED)
		tell_queued(t, s, o);
	else if (n->kind == ZSR_NOTE_FREED)
		object_gone(t, s, o);
	else if (n->kind == ZSR_NOTE_MOVED)
		tell_moved(t, s, o, n->value);
	else
		tell_stored(t, s, o, n->value);
}

static void tell(struct zsr_told *t, struct state *s, const struct zsr_note *n)
{
	struct zsr_account *a = t->account;
	uint64_t waited;

	switch (n->kind) {
	case ZSR_NOTE_GROWN:
		s->zspage[n->value] = (struct zspage){ .class = (uint16_t)n->h };
		zsr_account_grown(a, t->ps, pages_of(s, &s->zspage[n->value]));
		break;
	case ZSR_NOTE_BACK:
		tell_back(t, s, &s->zspage[n->value]);
		break;
	case ZSR_NOTE_COMPACTED:
		zsr_account_held(a, t->ps, -(int64_t)n->h);
		zsr_account_back(a, t->ps, n->h);
		break;
	case ZSR_NOTE_ZSPAGE_QUEUED:
		zsr_account_queued(a, t->ps, 0);
		break;
	case ZSR_NOTE_ZSPAGE_DEQUEUED:
		waited = zsr_min((uint64_t)n->h * 1000000, t->ps);
		zsr_account_dequeued(a, t->ps, t->ps - waited, 0);
		break;
	case ZSR_NOTE_BUFFER:
		zsr_account_buffer(a, (int32_t)n->h);
		break;
	default:
		tell_object(t, s, n);
	}
}

/* ---- in order ------------------------------------------------------------------ */

static void skip_ended(struct stream *s)
{
	while (s->notes && s->at == s->notes->end) {
		s->notes = s->notes->next;
		s->at = s->notes ? s->notes->note : NULL;
	}
}

static bool before(const struct zsr_note *a, const struct zsr_note *b)
{
	return a->at != b->at ? a->at < b->at : a->kind < b->kind;
}

static struct stream *next_stream(struct zsr_told *t)
{
	struct stream *first = NULL;
	size_t i;

	for (i = 0; i < t->nr_streams; i++)
		if (t->stream[i].notes &&
		    (!first || before(t->stream[i].at, first->at)))
			first = &t->stream[i];
	return first;
}

void zsr_host_tell(struct zsr_told *t, uint64_t cut)
{
	struct stream *s;

	while ((s = next_stream(t)) && s->at->at <= cut) {
		t->ps = zsr_max(t->ps, zsr_clock_ps(t->clock, s->at->at));
		if (!t->begun && s->at->at >= t->first) {
			t->begun = true;
			zsr_account_release_begins(
				t->account, zsr_clock_ps(t->clock, t->first));
		}
		tell(t, s->state, s->at++);
		skip_ended(s);
	}
}

/* ---- life ------------------------------------------------------------------------ */

/* How much of both there is to know of. */
static void measure(struct state *s, const struct zsr_leaf *l)
{
	const struct zsr_notes *n;
	const struct zsr_note *note;

	for (n = l->first; n; n = n->next)
		for (note = n->note; note < n->end; note++) {
			if (note->kind <= ZSR_NOTE_MOVED ||
			    note->kind == ZSR_NOTE_STORED)
				s->nr_objects = zsr_max(s->nr_objects,
							note->h + 1ul);
			s->nr_zspages = zsr_max(s->nr_zspages,
						note->value + 1ul);
		}
}

static int state_init(struct state *s, struct zsr_host_book *b, unsigned pool)
{
	const struct zsr_record *r;

	s->pool = &b->pool[pool];
	for (r = b->records; r; r = r->next)
		measure(s, &r->leaf[pool]);
	s->object = calloc(s->nr_objects + 1, sizeof(*s->object));
	s->zspage = calloc(s->nr_zspages + 1, sizeof(*s->zspage));
	return s->object && s->zspage ? 0 : -ENOMEM;
}

static int streams_init(struct zsr_told *t)
{
	const struct zsr_record *r;
	size_t nr = 0;
	unsigned i;

	for (r = t->book->records; r; r = r->next)
		nr += t->book->nr_pools;
	t->stream = calloc(nr + 1, sizeof(*t->stream));
	if (!t->stream)
		return -ENOMEM;
	for (r = t->book->records; r; r = r->next)
		for (i = 0; i < t->book->nr_pools; i++) {
			struct stream *s = &t->stream[t->nr_streams];

			s->notes = r->leaf[i].first;
			s->at = s->notes ? s->notes->note : NULL;
			s->state = &t->state[i];
			skip_ended(s);
			t->nr_streams += s->notes != NULL;
		}
	return 0;
}

int zsr_host_told_new(struct zsr_told **out, struct zsr_host_book *b,
		      const struct zsr_clock *clock, uint64_t first)
{
	struct zsr_told *t = calloc(1, sizeof(*t));
	int ret = t ? 0 : -ENOMEM;
	unsigned i;

	*out = t;
	if (ret)
		return ret;
	t->book = b;
	t->clock = clock;
	t->account = &b->account;
	t->first = first;
	t->state = calloc(b->nr_pools + 1ul, sizeof(*t->state));
	if (!t->state)
		return -ENOMEM;
	for (i = 0; !ret && i < b->nr_pools; i++)
		ret = state_init(&t->state[i], b, i);
	return ret ? ret : streams_init(t);
}

void zsr_host_told_free(struct zsr_told *t)
{
	unsigned i;

	for (i = 0; t && t->state && i < t->book->nr_pools; i++) {
		free(t->state[i].object);
		free(t->state[i].zspage);
	}
	if (t) {
		free(t->state);
		free(t->stream);
	}
	free(t);
}
