// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace of a pack into a database: into one of its own first, where it is
 * looked at.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pack/reader.h"

#define MAX_SEGMENT (32u << 20) /* bytes */
#define MAX_ROWS    1000000

static int string_of(const struct zsr_pack *p, const char *key, char *to,
		     size_t size, struct zsr_err *err)
{
	const char *v = zsr_manifest_get(&p->manifest, key);

	if (!v)
		return zsr_err_input(err, "manifest.txt: no %s", key);
	if (strlen(v) >= size)
		return zsr_err_input(err, "manifest.txt: %s is too long", key);
	strcpy(to, v);
	return 0;
}

static int times_of(const struct zsr_pack *p, struct zsr_trace *t,
		    struct zsr_err *err)
{
	char text[20];
	int ret = string_of(p, "times", text, sizeof(text), err);

	for (t->times = 0; !ret && t->times < ZSR_TIMES_NR; t->times++)
		if (!strcmp(text, zsr_times_name(t->times)))
			return 0;
	return ret ? ret
		   : zsr_err_input(err, "manifest.txt: unknown times '%s'",
				   text);
}

static int facts_of(const struct zsr_pack *p, struct zsr_trace *t,
		    struct zsr_err *err)
{
	uint64_t page = 0, chain = 0, flags = 0, empty = 0;
	int ret = times_of(p, t, err);

	if (!ret)
		ret = string_of(p, "name", t->name, 101, err);
	if (!ret)
		ret = string_of(p, "kernel", t->kernel, sizeof(t->kernel), err);
	if (!ret)
		ret = string_of(p, "format", t->format, sizeof(t->format), err);
	if (!ret)
		ret = string_of(p, "clock", t->clock, sizeof(t->clock), err);
	if (ret)
		return ret;
	ret = pk_manifest_number(&p->manifest, "page-size", 65536, &page, err);
	if (!ret)
		ret = pk_manifest_number(&p->manifest, "chain-size", 16, &chain,
					 err);
	if (!ret)
		ret = pk_manifest_number(&p->manifest, "fact-flags", 63, &flags,
					 err);
	if (!ret)
		ret = pk_manifest_number(&p->manifest, "from-empty", 1, &empty,
					 err);
	t->page_size = (uint32_t)page;
	t->chain_size = (uint32_t)chain;
	t->fact_flags = (uint32_t)flags;
	t->from_empty = empty;
	return ret ? zsr_err_wrap(err, ret, "manifest.txt") : 0;
}

struct rows {
	struct zsr_writer *w;
	int64_t next[128]; /* least number a table's next row may have */
	char last[128][256]; /* key that a table's next must be behind */
	uint64_t nr;
};

static int add_fact(void *ctx, const struct pk_fact *f, struct zsr_err *err)
{
	static const enum zsr_trace_table tables[] = {
		['p'] = ZSR_TABLE_POOLS,
		['m'] = ZSR_TABLE_MARKS,
		['f'] = ZSR_TABLE_META,
		['o'] = ZSR_TABLE_ODD,
	};
	unsigned table = (unsigned char)f->table;
	struct rows *r = ctx;
	struct zsr_task task;

	if (++r->nr > MAX_ROWS || f->nr >= MAX_ROWS)
		return zsr_err_input(err, "more than %d rows", MAX_ROWS);
	if (f->nr < 0 && strchr("tpm", f->table))
		return zsr_err_input(err, "a row without number");
	if (strchr("tpm", f->table) ? f->nr < r->next[table]
				    : strcmp(f->key, r->last[table]) <= 0)
		return zsr_err_input(err, "a row is there twice, or not in "
					  "order");
	r->next[table] = f->nr + 1;
	if (strlen(f->key) >= sizeof(r->last[table]))
		return zsr_err_input(err, "a key that is too long");
	strcpy(r->last[table], f->key);
	if (f->table != 't')
		return zsr_writer_row(r->w, tables[table], f->nr, f->key,
				      f->value, err);
	if (strlen(f->value) >= sizeof(task.comm))
		return zsr_err_input(err, "a command that is too long");
	task = (struct zsr_task){ .row = (uint32_t)f->nr, .pid = f->pid };
	strcpy(task.comm, f->value);
	return zsr_writer_task(r->w, &task, err);
}

static int add_facts(struct zsr_pack *p, struct zsr_writer *w,
		     struct zsr_err *err)
{
	struct rows *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return zsr_err_nomem(err, "facts");
	r->w = w;
	ret = pk_facts_parse(p->text[PK_FACTS].s, add_fact, r, err);
	free(r);
	return ret ? zsr_err_wrap(err, ret, "facts.txt") : 0;
}

/* One segment: its number of events, 0 when there is none any more. */
static int add_segment(struct zsr_pack *p, uint64_t *left,
		       struct pk_decoder *dec, struct pk_text *buf,
		       struct zsr_writer *w, struct zsr_err *err)
{
	const struct zsr_event *ev;
	uint8_t head[4], block[16384];
	size_t len, n;
	int nr, ret = 0;

	if (!*left)
		return 0;
	if (*left < sizeof(head))
		return zsr_err_input(err, "the last segment is cut");
	ret = pk_read(p, head, sizeof(head), err);
	if (ret)
		return ret;
	zsr_sha_bytes(&p->sha, head, sizeof(head));
	len = head[0] | head[1] << 8 | head[2] << 16 | (size_t)head[3] << 24;
	*left -= sizeof(head);
	if (len > *left || len > MAX_SEGMENT)
		return zsr_err_input(err, "a segment of %zu bytes", len);
	*left -= len;
	for (buf->len = 0; buf->len < len && !ret;) {
		n = zsr_min(len - buf->len, sizeof(block));
		ret = pk_read(p, block, n, err);
		if (!ret)
			ret = pk_text_add(buf, block, n, err);
	}
	if (ret)
		return ret;
	zsr_sha_bytes(&p->sha, buf->s, len);
	nr = pk_decode(dec, buf->s, len, &ev, err);
	if (nr > 0)
		ret = zsr_writer_add(w, ev, (size_t)nr, err);
	return ret ? ret : nr;
}

static int add_events(struct zsr_pack *p, struct zsr_writer *w,
		      struct zsr_err *err)
{
	struct pk_decoder *dec = pk_decoder_new();
	uint64_t left = p->nr_events_bytes, nr = 0, done = 0, total = 0;
	struct zsr_err ignored = { 0 };
	struct pk_text buf = { 0 };
	struct zsr_progress progress;
	int ret = dec ? 1 : zsr_err_nomem(err, "events");

	zsr_sha_init(&p->sha);
	pk_manifest_number(&p->manifest, "events", UINT64_MAX, &total, &ignored);
	zsr_progress_start(&progress, p->name, "events", total);
	for (; ret > 0; nr++) {
		ret = add_segment(p, &left, dec, &buf, w, err);
		zsr_progress_at(&progress, done += (uint64_t)zsr_max(ret, 0));
	}
	zsr_progress_finish(&progress);
	if (ret)
		zsr_err_wrap(err, ret, "events: segment %" PRIu64, nr - 1);
	else
		ret = pk_check_sha(p, PK_EVENTS, &p->sha, err);
	pk_decoder_free(dec);
	free(buf.s);
	return ret;
}

static int check_trace(struct zsr_pack *p, const struct zsr_trace *t,
		       struct zsr_err *err)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "events", t->nr_events },
		{ "mallocs", t->nr_mallocs },
		{ "frees", t->nr_frees },
		{ "tasks", t->nr_tasks },
		{ "pools", t->nr_pools },
		{ "cpus", t->nr_cpus },
		{ "duration-ns", t->duration_ns },
		{ "lost", t->nr_lost },
		{ "lost-places", t->nr_lost_places },
	};
	const char *digest = zsr_manifest_get(&p->manifest, "digest");
	const char *gen = zsr_manifest_get(&p->manifest, "lock-generation");
	uint64_t want;
	size_t i;
	int ret;

	for (i = 0; i < ZSR_ARRAY_SIZE(counts); i++) {
		ret = pk_manifest_number(&p->manifest, counts[i].key,
					 UINT64_MAX, &want, err);
		if (ret)
			return zsr_err_wrap(err, ret, "manifest.txt");
		if (want != counts[i].value)
			return zsr_err_input(err,
					     "manifest.txt: %s is %" PRIu64
					     ", the pack has %" PRIu64,
					     counts[i].key, want,
					     counts[i].value);
	}
	if (!gen || strcmp(gen, t->lock_gen))
		return zsr_err_input(err,
				     "manifest.txt: lock-generation is "
				     "not that of kernel %s, %s",
				     t->kernel, t->lock_gen);
	if (!digest || strcmp(digest, t->digest))
		return zsr_err_input(err, "the trace's digest is not that of "
					  "the manifest");
	return 0;
}

/* Into a database of its own, where it is looked at first. */
static int take_apart(struct zsr_pack *p, struct zsr_db *db,
		      struct zsr_trace *t, struct zsr_err *err)
{
	struct zsr_trace facts = { 0 };
	struct zsr_writer *w;
	uint64_t size;
	int ret = facts_of(p, &facts, err);

	if (!ret)
		ret = zsr_writer_begin(db, &facts, &w, err);
	if (ret)
		return ret;
	ret = add_facts(p, w, err);
	if (!ret)
		ret = add_events(p, w, err);
	if (!ret)
		ret = pk_enter(p, PK_NR_MEMBERS, &size, err);
	if (ret) {
		zsr_writer_abort(w);
		return ret;
	}
	ret = zsr_writer_commit(w, t, err);
	return ret ? ret : check_trace(p, t, err);
}

struct twin {
	const char *digest;
	struct zsr_trace *t;
};

static int is_twin(void *ctx, const struct zsr_trace *t)
{
	struct twin *twin = ctx;

	if (strcmp(t->digest, twin->digest))
		return 0;
	*twin->t = *t;
	return 1;
}

int zsr_pack_import(struct zsr_pack *p, struct zsr_db *db, const char *name,
		    bool force, struct zsr_trace *t, struct zsr_err *err)
{
	static const struct zsr_change none;
	struct zsr_scratch scratch;
	struct zsr_trace trace;
	struct twin twin = { trace.digest, t };
	int ret = zsr_scratch_open(&scratch, err);

	if (ret)
		return ret;
	ret = take_apart(p, scratch.db, &trace, err);
	/* Whatever is wrong with it, the command line is not. */
	if (ret && err->kind == ZSR_ERR_USAGE)
		err->kind = ZSR_ERR_INPUT;
	if (ret && strncmp(err->msg, p->name, strlen(p->name)))
		zsr_err_wrap(err, ret, "%s", p->name);
	if (!ret && !force)
		ret = zsr_trace_list(db, is_twin, &twin, err);
	if (ret > 0)
		ret = -EEXIST;
	else if (!ret)
		ret = zsr_trace_change(scratch.db, &trace, &none, db,
				       name ? name : trace.name, t, err);
	if (ret == -EEXIST)
		zsr_err_input(err, "%s: it is in the database already, as '%s'",
			      p->name, t->name);
	zsr_scratch_close(&scratch);
	return ret;
}
