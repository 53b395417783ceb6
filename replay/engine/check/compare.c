// SPDX-License-Identifier: GPL-2.0-only
/*
 * Op by op through both: the engine's run makes rows, the kernel's allocator
 * is taken through the same op and makes rows of the same kind, and the two
 * lists must be equal. The engine goes first, so that an op that makes no sense
 * never gets to the kernel's code.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "replay/engine/check/private.h"
#include "replay/engine/run.h"

#define CHECKPOINT_EVERY 1000

enum { GONE, LIVE, QUEUED };

struct id {
	unsigned long handle;
	void *locked; /* a page */
	struct zsr_place place; /* as of the last row of it */
	uint8_t state;
};

struct rows {
	struct zsr_run_row *row;
	size_t nr, cap;
};

struct side_by_side {
	struct zsr_check_compare *c;
	const struct zsr_kernel *k;
	struct zsr_engine *engine;
	struct rows ours, theirs;
	struct id *ids;
	size_t nr_ids, ids_cap;
	uint32_t *queue;
	size_t head, tail, queue_cap;
	uint64_t events_freed,
		events_made; /* of the kernel, in the op at hand */
	bool nomem;
	const struct zsr_seq_op *op;
	uint64_t nr;
};

/* The kernel's events come without a context. */
static struct side_by_side *current;

int zsr_check_load(const struct zsr_check_build *b, const char *name,
		   const struct zsr_kernel_host *host,
		   const struct zsr_kernel **k, struct zsr_err *err)
{
	char path[ZSR_CHECK_PATH + 256];
	zsr_kernel_load_fn *load;
	void *so;

	snprintf(path, sizeof(path), "%s/%s.so", b->dir, name);
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return zsr_err_sys(err, ENOEXEC, "%s", dlerror());
	*(void **)&load = dlsym(so, ZSR_KERNEL_LOAD);
	*k = load ? load(host) : NULL;
	return *k ? 0 : zsr_err_nomem(err, "the kernel's pages");
}

/* ---- rows -------------------------------------------------------------------- */

static void add_row(struct side_by_side *s, struct rows *to,
		    const struct zsr_run_row *row)
{
	if (zsr_grow(&to->row, &to->cap, to->nr + 1, sizeof(*to->row))) {
		s->nomem = true;
		return;
	}
	to->row[to->nr++] = *row;
}

static void our_row(void *ctx, const struct zsr_run_row *row)
{
	struct side_by_side *s = ctx;

	add_row(s, &s->ours, row);
}

static void their_row(struct side_by_side *s, enum zsr_run_file file,
		      const char *kind, unsigned nr, ...)
{
	struct zsr_run_row row = { .file = file, .kind = kind, .nr = nr };
	va_list ap;
	unsigned i;

	va_start(ap, nr);
	for (i = 0; i < nr; i++)
		row.value[i] = va_arg(ap, int64_t);
	va_end(ap);
	add_row(s, &s->theirs, &row);
}

#define V(x) ((int64_t)(x))

void zsr_check_event(int made, unsigned long zspage, unsigned class_index,
		     unsigned zspage_pages, unsigned long pages)
{
	struct side_by_side *s = current;

	if (!s)
		return;
	if (made)
		s->events_made++;
	else
		s->events_freed++;
	their_row(s, ZSR_FILE_EVENTS, made ? "new" : "free", 4, V(zspage),
		  V(class_index), V(zspage_pages), V(pages));
}

const char *zsr_check_at(char buf[64])
{
	buf[0] = '\0';
	if (current && current->op)
		snprintf(buf, 64, "op %" PRIu64 " (%c)", current->nr,
			 current->op->op);
	return buf;
}

/* ---- the kernel's side of an op ------------------------------------------------- */

static void their_place(const struct side_by_side *s, unsigned long handle,
			struct zsr_place *p)
{
	struct zsr_kernel_place k;

	s->k->place(handle, &k);
	*p = (struct zsr_place){ .zspage = k.zspage,
				 .class = k.class_index,
				 .obj = k.obj };
}

static void place_row(struct side_by_side *s, const char *kind, uint64_t id,
		      const struct zsr_place *p, bool event, long ret)
{
	their_row(s, ZSR_FILE_PLACEMENT, kind, 6, V(id), V(p->class),
		  V(p->zspage), V(p->obj), V(event), V(ret));
}

static int their_malloc(struct side_by_side *s, uint64_t id, uint64_t size,
			struct zsr_err *err)
{
	struct id *i;
	long ret;

	if (zsr_grow(&s->ids, &s->ids_cap, id + 1, sizeof(*s->ids)))
		return zsr_err_nomem(err, "table of ids");
	i = &s->ids[id];
	*i = (struct id){ 0 };
	s->nr_ids = id + 1;
	ret = s->k->malloc(size, &i->handle);
	if (ret == -ENOMEM && size && size <= s->c->page_size)
		return zsr_err_nomem(err, "the kernel's pages");
	if (ret) {
		their_row(s, ZSR_FILE_PLACEMENT, "m", 6, V(id), V(-1), V(-1),
			  V(-1), V(0), V(ret));
		return 0;
	}
	i->state = LIVE;
	their_place(s, i->handle, &i->place);
	place_row(s, "m", id, &i->place, s->events_made, 0);
	return 0;
}

static void their_free(struct side_by_side *s, const char *kind, uint64_t id)
{
	struct id *i = &s->ids[id];
	uint64_t before = s->events_freed;

	/* One that our side has and theirs refused was a difference. */
	their_place(s, i->handle, &i->place);
	s->k->free(i->handle);
	i->state = GONE;
	place_row(s, kind, id, &i->place, s->events_freed != before, 0);
}

static int their_queue(struct side_by_side *s, uint64_t id, struct zsr_err *err)
{
	if (zsr_grow(&s->queue, &s->queue_cap, s->tail + 1, sizeof(*s->queue)))
		return zsr_err_nomem(err, "queue of frees");
	s->queue[s->tail++] = (uint32_t)id;
	s->ids[id].state = QUEUED;
	return 0;
}

static void their_drain(struct side_by_side *s, uint64_t n)
{
	if (!n)
		n = s->tail - s->head;
	while (n--)
		their_free(s, "d", s->queue[s->head++]);
	if (s->head == s->tail)
		s->head = s->tail = 0;
}

static void their_lock(struct side_by_side *s, uint64_t id, uint64_t page)
{
	struct id *i = &s->ids[id];
	struct zsr_kernel_place k;
	struct zsr_place p;
	void *locked;

	s->k->place(i->handle, &k);
	their_place(s, i->handle, &p);
	p.obj = (unsigned)(page % k.pages);
	locked = s->k->page_trylock(i->handle, p.obj);
	if (locked)
		i->locked = locked;
	place_row(s, "l", id, &p, false, locked ? 0 : -EBUSY);
}

static void their_unlock(struct side_by_side *s, uint64_t id)
{
	if (s->ids[id].locked)
		s->k->page_unlock(s->ids[id].locked);
	s->ids[id].locked = NULL;
}

static void their_compact(struct side_by_side *s)
{
	uint64_t before = s->k->pages(), freed = s->k->compact(), moves = 0;
	size_t id;

	for (id = 0; id < s->nr_ids; id++) {
		struct id *i = &s->ids[id];
		struct zsr_place was = i->place;

		if (i->state == GONE)
			continue;
		their_place(s, i->handle, &i->place);
		if (was.zspage == i->place.zspage && was.obj == i->place.obj)
			continue;
		their_row(s, ZSR_FILE_MOVES, NULL, 3, V(id), V(i->place.zspage),
			  V(i->place.obj));
		moves++;
	}
	their_row(s, ZSR_FILE_COMPACT, NULL, 5, V(freed),
		  V(s->k->pages_compacted()), V(before), V(s->k->pages()),
		  V(moves));
}

static void their_checkpoint(struct side_by_side *s)
{
	struct zsr_kernel_class k;
	struct zsr_run_row row;
	unsigned i, g;

	for (i = 0; i < s->k->nr_raw_classes; i++) {
		int64_t any;

		if (!s->k->class_stats(i, &k))
			continue;
		row = (struct zsr_run_row){
			.file = ZSR_FILE_CHECKPOINTS,
			.nr = 6,
			.value = { k.index, k.size, V(k.obj_allocated),
				   V(k.obj_used), V(k.pages_used), V(k.freeable) }
		};
		any = row.value[2] | row.value[3];
		for (g = 0; g < k.nr_groups; g++)
			any |= row.value[row.nr++] = V(k.group[g]);
		if (any)
			add_row(s, &s->theirs, &row);
	}
}

static int their_op(struct side_by_side *s, const struct zsr_seq_op *op,
		    struct zsr_err *err)
{
	s->events_made = s->events_freed = 0;
	switch (op->op) {
	case 'm':
		return their_malloc(s, op->id, op->size, err);
	case 'f':
		their_free(s, "f", op->id);
		return 0;
	case 'c':
		their_compact(s);
		return 0;
	case 'q':
		return their_queue(s, op->id, err);
	case 'r':
		their_drain(s, op->id);
		return 0;
	case 'l':
		their_lock(s, op->id, op->size);
		return 0;
	case 'u':
		their_unlock(s, op->id);
		return 0;
	}
	s->k->run_worker();
	return 0;
}

/* ---- the comparison ------------------------------------------------------------------ */

static bool same_row(const struct zsr_run_row *a, const struct zsr_run_row *b)
{
	return a->file == b->file && a->nr == b->nr &&
	       !strcmp(a->kind ? a->kind : "", b->kind ? b->kind : "") &&
	       !memcmp(a->value, b->value, a->nr * sizeof(*a->value));
}

static const char *const row_text[] = {
	[ZSR_FILE_EVENTS] = "event",         [ZSR_FILE_PLACEMENT] = "placement",
	[ZSR_FILE_MOVES] = "move",           [ZSR_FILE_COMPACT] = "compaction",
	[ZSR_FILE_CHECKPOINTS] = "counters",
};

/* "placement m,17,30,4,2,0,0", or "nothing". */
static void print_row(const struct rows *rows, size_t i, char *out, size_t len)
{
	const struct zsr_run_row *row = &rows->row[i];
	unsigned v;
	size_t n;

	if (i >= rows->nr) {
		snprintf(out, len, "nothing");
		return;
	}
	n = (size_t)snprintf(out, len, "%s %s", row_text[row->file],
			     row->kind ? row->kind : "");
	for (v = 0; v < row->nr && n < len; v++)
		n += (size_t)snprintf(out + n, len - n, "%s%" PRId64,
				      v || row->kind ? "," : "", row->value[v]);
}

/* What a row is about, as far as the columns before the Vth tell. */
static void print_subject(const struct side_by_side *s,
			  const struct zsr_run_row *row, unsigned v, char *out,
			  size_t len)
{
	char name[ZSR_COLUMN_LEN];
	size_t n;

	n = (size_t)snprintf(out, len, "%s%s%s", row_text[row->file],
			     row->kind ? " " : "", row->kind ? row->kind : "");
	if (v &&
	    (row->file == ZSR_FILE_CHECKPOINTS || row->file == ZSR_FILE_MOVES))
		snprintf(out + n, len - n, " of %s %" PRId64,
			 zsr_files_column(row->file, s->c->model->group, 0, name),
			 row->value[0]);
}

static void describe(struct side_by_side *s, size_t i)
{
	const struct zsr_run_row *our = &s->ours.row[i];
	const struct zsr_run_row *their = &s->theirs.row[i];
	char a[160], b[160], name[ZSR_COLUMN_LEN], *out = s->c->difference;
	size_t len = sizeof(s->c->difference), n;
	unsigned v;

	n = (size_t)snprintf(out, len, "op %" PRIu64 " (%c", s->nr, s->op->op);
	if (strchr("mfqrlu", s->op->op))
		n += (size_t)snprintf(out + n, len - n, " %" PRIu64, s->op->id);
	if (strchr("ml", s->op->op))
		n += (size_t)snprintf(out + n, len - n, ", %" PRIu64,
				      s->op->size);
	if (i < s->ours.nr && i < s->theirs.nr && our->file == their->file &&
	    our->nr == their->nr && our->kind == their->kind) {
		for (v = 0; our->value[v] == their->value[v]; v++)
			;
		print_subject(s, our, v, a, sizeof(a));
		snprintf(out + n, len - n,
			 "): %s: %s: kernel %" PRId64 ", ours %" PRId64, a,
			 zsr_files_column(our->file, s->c->model->group, v, name),
			 their->value[v], our->value[v]);
		return;
	}
	print_row(&s->theirs, i, a, sizeof(a));
	print_row(&s->ours, i, b, sizeof(b));
	snprintf(out + n, len - n, "): kernel: %s, ours: %s", a, b);
}

/* Ends the run at the first difference. */
static int op_done(void *ctx, const struct zsr_seq_op *op, uint64_t nr,
		   bool checkpoint, struct zsr_err *err)
{
	struct side_by_side *s = ctx;
	size_t i;
	int ret;

	s->op = op;
	s->nr = nr;
	s->c->ops = nr;
	ret = their_op(s, op, err);
	if (ret)
		return ret;
	if (checkpoint)
		their_checkpoint(s);
	if (s->nomem)
		return zsr_err_nomem(err, "rows");
	for (i = 0; i < s->ours.nr && i < s->theirs.nr; i++)
		if (!same_row(&s->ours.row[i], &s->theirs.row[i]))
			break;
	s->c->rows += i;
	if (i < s->ours.nr || i < s->theirs.nr) {
		describe(s, i);
		return -ECANCELED;
	}
	if (s->k->pages() != zsr_engine_pages(s->engine)) {
		snprintf(s->c->difference, sizeof(s->c->difference),
			 "op %" PRIu64 " (%c): pages of the pool: kernel %lu, "
			 "ours %" PRIu64,
			 nr, op->op, s->k->pages(), zsr_engine_pages(s->engine));
		return -ECANCELED;
	}
	s->ours.nr = s->theirs.nr = 0;
	return 0;
}

/* The size classes, before anything is in them. */
static bool same_classes(struct side_by_side *s)
{
	unsigned ours = zsr_engine_nr_raw_classes(s->engine), i;
	char *out = s->c->difference;
	size_t len = sizeof(s->c->difference);

	if (ours != s->k->nr_raw_classes) {
		snprintf(out, len, "raw size classes: kernel %u, ours %u",
			 s->k->nr_raw_classes, ours);
		return false;
	}
	for (i = 0; i < ours; i++) {
		struct zsr_kernel_class k = { 0 };
		struct zsr_class_info our = { 0 };

		s->k->class_stats(i, &k);
		zsr_engine_class_info(s->engine, i, &our);
		if (k.size == our.size && k.objs == our.objs &&
		    k.pages == our.pages)
			continue;
		snprintf(out, len,
			 "size class %u: kernel %u bytes, %u objects in %u "
			 "pages, ours %u bytes, %u objects in %u pages",
			 i, k.size, k.objs, k.pages, our.size, our.objs,
			 our.pages);
		return false;
	}
	return true;
}

/* Leaves the kernel's pool as empty as it was. */
static void give_back(struct side_by_side *s)
{
	size_t id;

	for (id = 0; id < s->nr_ids; id++)
		their_unlock(s, id);
	for (id = 0; id < s->nr_ids; id++)
		if (s->ids[id].state != GONE)
			s->k->free(s->ids[id].handle);
	s->k->run_worker();
}

int zsr_check_compare(struct zsr_check_compare *c, const char *path,
		      struct zsr_err *err)
{
	struct side_by_side s = { .c = c, .k = c->kernel };
	struct zsr_run_tap tap = { .ctx = &s,
				   .row = our_row,
				   .op_done = op_done };
	struct zsr_seq_run run = { .sequence = path,
				   .checkpoint_every = CHECKPOINT_EVERY };
	int ret;

	c->ops = c->rows = 0;
	c->difference[0] = '\0';
	ret = zsr_engine_create(&s.engine, c->model, c->page_size,
				c->chain_size, err);
	if (ret)
		return ret;
	if (s.k->create()) {
		zsr_engine_destroy(s.engine);
		return zsr_err_nomem(err, "the kernel's pool");
	}
	current = &s;
	if (same_classes(&s))
		ret = zsr_run_tapped(s.engine, &run, &tap, err);
	if (c->difference[0])
		ret = 0;
	current = NULL;
	if (!ret && !c->difference[0])
		give_back(&s);
	s.k->destroy();
	zsr_engine_destroy(s.engine);
	free(s.ours.row);
	free(s.theirs.row);
	free(s.ids);
	free(s.queue);
	return ret;
}
