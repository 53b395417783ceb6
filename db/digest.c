// SPDX-License-Identifier: GPL-2.0-only
#include "db/columns.h"
#include "db/digest.h"
#include "db/private.h"

/* An event's longest form: mask, and 13 varints of at most 10 bytes. */
#define EVENT_MAX (2 + 13 * 10)

void zsr_digest_init(struct zsr_digest *d)
{
	zsr_sha_init(&d->sha);
	zsr_sha_str(&d->sha, "zsr trace 1");
	d->before = (struct zsr_event){ .slot = -1, .cgroup = -1 };
	d->next_obj = 0;
	d->len = 0;
}

static void flush(struct zsr_digest *d)
{
	zsr_sha_bytes(&d->sha, d->buf, d->len);
	d->len = 0;
}

static uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

#define FIELD(nr, field, value)                                                \
	do {                                                                   \
		if (ev->field != b->field) {                                   \
			mask |= 1u << (nr);                                    \
			p = put(p, (value));                                   \
		}                                                              \
	} while (0)

/*
 * A mask of two bytes says which fields differ from the event before; their
 * values follow as varints. The time is a step, an object its distance from
 * the newest plus 1; a free's size is its malloc's and left out.
 */
void zsr_digest_event(struct zsr_digest *d, const struct zsr_event *ev)
{
	const struct zsr_event *b = &d->before;
	uint8_t *start = d->buf + d->len, *p = start + 2;
	unsigned mask = 0;

	FIELD(0, t_ns, ev->t_ns - b->t_ns);
	FIELD(1, dur_ns, ev->dur_ns);
	FIELD(2, kind, ev->kind);
	FIELD(3, cpu, ev->cpu);
	FIELD(4, task, ev->task);
	FIELD(5, pool, ev->pool);
	FIELD(6, gfp, ev->gfp);
	FIELD(7, caller, ev->caller);
	FIELD(8, flags, ev->flags);
	FIELD(9, aux, ev->aux);
	FIELD(10, slot, zsr_zigzag(ev->slot));
	FIELD(11, cgroup, zsr_zigzag(ev->cgroup));
	if (ev->kind == ZSR_EV_MALLOC)
		d->next_obj++;
	if (ev->kind != ZSR_EV_FREE || ev->obj == ZSR_OBJ_NONE)
		p = put(p, ev->size);
	if (ev->kind == ZSR_EV_FREE)
		p = put(p, ev->obj == ZSR_OBJ_NONE ? 0 : d->next_obj - ev->obj);
	start[0] = (uint8_t)mask;
	start[1] = (uint8_t)(mask >> 8);
	d->len = (size_t)(p - d->buf);
	d->before = *ev;
	if (d->len > sizeof(d->buf) - EVENT_MAX)
		flush(d);
}

static void add_facts(struct zsr_digest *d, const struct zsr_trace *t)
{
	flush(d);
	zsr_sha_str(&d->sha, t->kernel);
	zsr_sha_u64(&d->sha, t->page_size);
	zsr_sha_u64(&d->sha, t->chain_size);
	zsr_sha_u64(&d->sha, t->times);
	zsr_sha_u64(&d->sha, t->from_empty);
}

static int add_rows(struct zsr_digest *d, struct zsr_db *db, int64_t trace,
		    const char *sql, struct zsr_err *err)
{
	sqlite3_stmt *stmt;
	char text[4096];
	int ret = zsr_sql_prepare(db, &stmt, sql, err);

	if (ret)
		return ret;
	zsr_sql_bind(stmt, "i", trace);
	while ((ret = zsr_sql_step(db, stmt, err)) == 1) {
		zsr_sql_text(stmt, 1, text, sizeof(text));
		zsr_sha_u64(&d->sha, (uint64_t)sqlite3_column_int64(stmt, 0));
		zsr_sha_str(&d->sha, text);
	}
	sqlite3_finalize(stmt);
	return ret;
}

int zsr_digest_end(struct zsr_digest *d, struct zsr_db *db,
		   const struct zsr_trace *t, char hex[ZSR_SHA_HEX],
		   struct zsr_err *err)
{
	static const char *const tables[] = {
		"SELECT pid, comm FROM task WHERE trace = ? ORDER BY nr",
		"SELECT nr, name FROM pool WHERE trace = ? ORDER BY nr",
		"SELECT nr, text FROM mark WHERE trace = ? ORDER BY nr",
	};
	size_t i;
	int ret = 0;

	add_facts(d, t);
	for (i = 0; i < ZSR_ARRAY_SIZE(tables) && !ret; i++)
		ret = add_rows(d, db, t->id, tables[i], err);
	zsr_sha_hex(&d->sha, hex);
	return ret;
}
