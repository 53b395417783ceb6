// SPDX-License-Identifier: GPL-2.0-only
/* Rows of a CSV: events of a trace, or calls as probes see them. */
#include <inttypes.h>
#include <string.h>

#include "capture/decode/csv.h"

static bool is(const struct csv_field *f, const char *word)
{
	return strlen(word) == f->len && !memcmp(f->s, word, f->len);
}

static int empty(enum csv_column col, struct zsr_err *err)
{
	return zsr_err_input(err, "column %s is empty", csv_name(col));
}

static int unknown(struct csv *c, enum csv_column col, struct zsr_err *err)
{
	char shown[40];

	dec_printable(shown, sizeof(shown), c->field[col].s, c->field[col].len);
	return zsr_err_input(err, "column %s: unknown '%s'", csv_name(col),
			     shown);
}

/* ---- facts: the text is KEY=VALUE ---------------------------------------- */

static int fact(struct csv *c, struct zsr_err *err)
{
	const struct csv_field *f = &c->field[CSV_text];
	const char *eq = f->len ? memchr(f->s, '=', f->len) : NULL;
	char key[200], value[8192];

	if (!eq || eq == f->s || eq - f->s >= (ptrdiff_t)sizeof(key) ||
	    f->len >= sizeof(value))
		return zsr_err_input(err, "a fact that is no KEY=VALUE");
	dec_printable(key, sizeof(key), f->s, (size_t)(eq - f->s));
	dec_printable(value, sizeof(value), eq + 1,
		      f->len - (size_t)(eq - f->s) - 1);
	return dec_whole_fact(c->d, &c->whole, key, value, err);
}

/* ---- rows that are events ------------------------------------------------- */

static int numbers(struct csv *c, struct zsr_event *ev, struct zsr_err *err)
{
	uint64_t v[CSV_NR];
	unsigned i;

	for (i = 0; i < CSV_NR; i++) {
		bool none = i == CSV_obj || i == CSV_slot || i == CSV_cgroup;

		if (i == CSV_time || i == CSV_pid || i == CSV_comm ||
		    i == CSV_kind || i == CSV_caller || i == CSV_text)
			continue;
		if (csv_number(c, i, none ? UINT64_MAX : 0, &v[i], err))
			return -EINVAL;
	}
	if (v[CSV_pool] >= UINT16_MAX)
		return zsr_err_input(err,
				     "column pool: beside obj it is a number of"
				     " at most %u",
				     UINT16_MAX - 1);
	ev->dur_ns = v[CSV_dur_ns];
	ev->cpu = (uint16_t)v[CSV_cpu];
	ev->task = (uint32_t)v[CSV_task];
	ev->pool = (uint16_t)v[CSV_pool];
	ev->obj = v[CSV_obj];
	ev->size = (uint32_t)v[CSV_size];
	ev->slot = (int64_t)v[CSV_slot];
	ev->cgroup = (int32_t)v[CSV_cgroup];
	ev->gfp = (uint32_t)v[CSV_gfp];
	ev->flags = (uint8_t)v[CSV_flags];
	ev->aux = v[CSV_aux];
	return 0;
}

static int names(struct csv *c, struct zsr_event *ev, struct zsr_err *err)
{
	const struct csv_field *caller = &c->field[CSV_caller];
	unsigned i;

	for (i = 0; i < ZSR_EV_NR; i++)
		if (is(&c->field[CSV_kind], zsr_event_kind_name(i)))
			break;
	if (i == ZSR_EV_NR)
		return unknown(c, CSV_kind, err);
	ev->kind = (uint8_t)i;
	for (i = 0; caller->len && i < ZSR_CALLER_NR; i++)
		if (is(caller, zsr_caller_name(i)))
			break;
	if (i == ZSR_CALLER_NR)
		return unknown(c, CSV_caller, err);
	ev->caller = (uint8_t)i;
	return 0;
}

static int words(struct csv *c, const struct zsr_event *ev,
		 struct dec_words *said, struct zsr_err *err)
{
	const struct csv_field *comm = &c->field[CSV_comm];
	const struct csv_field *text = &c->field[CSV_text];
	uint64_t pid = 0;
	int ret = 0;

	if (!c->field[CSV_task].len)
		return empty(CSV_task, err);
	if (ev->kind == ZSR_EV_MALLOC && !c->field[CSV_size].len)
		return empty(CSV_size, err);
	/* The pid of a task that is known says nothing. */
	if (ev->task >= c->whole.next_task)
		ret = csv_number(c, CSV_pid, 0, &pid, err);
	*said = (struct dec_words){
		.pid = (int32_t)pid,
		.comm = comm->s,
		.comm_len = comm->len,
		.text = text->s,
		.text_len = text->len,
		.no_aux = !c->field[CSV_aux].len,
	};
	return ret;
}

static int event(struct csv *c, uint64_t t_ns, struct zsr_err *err)
{
	struct zsr_event ev = { .t_ns = t_ns };
	struct dec_words said;
	int ret = names(c, &ev, err);

	if (!ret)
		ret = numbers(c, &ev, err);
	if (!ret)
		ret = words(c, &ev, &said, err);
	if (ret)
		return ret;
	if (c->lost)
		ev.flags |= ZSR_EVF_AFTER_LOSS;
	c->lost = 0;
	ret = dec_whole_event(c->d, &c->whole, &ev, &said, err);
	return ret ? zsr_err_wrap(err, ret, "column") : 0;
}

/* ---- rows that are calls --------------------------------------------------- */

static const uint8_t rec_kinds[DEC_NR_MEANINGS] = {
	[DEC_IS_NONE] = ZSR_REC_OTHER,
	[DEC_IS_MALLOC] = ZSR_REC_MALLOC,
	[DEC_IS_MALLOC_RET] = ZSR_REC_MALLOC_RET,
	[DEC_IS_MALLOC_DONE] = ZSR_REC_MALLOC_DONE,
	[DEC_IS_FREE] = ZSR_REC_FREE,
	[DEC_IS_FREE_RET] = ZSR_REC_FREE_RET,
	[DEC_IS_FREE_DONE] = ZSR_REC_FREE,
	[DEC_IS_COMPACT] = ZSR_REC_COMPACT,
	[DEC_IS_COMPACT_RET] = ZSR_REC_COMPACT_RET,
	[DEC_IS_CREATE] = ZSR_REC_POOL_CREATE,
	[DEC_IS_DESTROY] = ZSR_REC_POOL_DESTROY,
	[DEC_IS_PAGE_FREE] = ZSR_REC_ZSPAGE_FREE,
	[DEC_IS_PAGE_FREE_RET] = ZSR_REC_ZSPAGE_FREE_RET,
	[DEC_IS_EMPTY] = ZSR_REC_EMPTY,
	[DEC_IS_EMPTY_RET] = ZSR_REC_EMPTY_RET,
	[DEC_IS_MUNMAP] = ZSR_REC_MUNMAP,
	[DEC_IS_MUNMAP_RET] = ZSR_REC_MUNMAP_RET,
	[DEC_IS_EXIT] = ZSR_REC_EXIT,
	[DEC_IS_EXIT_RET] = ZSR_REC_EXIT_RET,
	[DEC_IS_MARK] = ZSR_REC_MARK,
	[DEC_IS_LOST] = ZSR_REC_LOST,
};

/* What a row is, by the map's line for it or its column "kind", whose words are
 * looked up once; -1: unknown. */
static int meaning(struct csv *c)
{
	const struct csv_field *f = &c->field[CSV_kind];
	size_t i;

	if (c->row)
		return c->row->is;
	for (i = 0; i < ZSR_ARRAY_SIZE(c->kinds) && c->kinds[i].len; i++)
		if (c->kinds[i].len == f->len &&
		    !memcmp(c->kinds[i].name, f->s, f->len))
			return c->kinds[i].is;
	if (!f->len)
		return -1;
	if (i == ZSR_ARRAY_SIZE(c->kinds) || f->len > sizeof(c->kinds[i].name))
		return dec_meaning_of_kind(c->d->map, f->s, f->len);
	memcpy(c->kinds[i].name, f->s, f->len);
	c->kinds[i].len = f->len;
	c->kinds[i].is = dec_meaning_of_kind(c->d->map, f->s, f->len);
	return c->kinds[i].is;
}

static int add(struct csv *c, const struct zsr_rec *rec, struct zsr_err *err)
{
	return dec_sort_add(&c->sort, c->d->out, rec, err);
}

static int add_lost(struct csv *c, const struct zsr_rec *at, uint64_t count,
		    struct zsr_err *err)
{
	const struct zsr_rec rec = {
		.t_ns = at->t_ns,
		.value = count,
		.cpu = at->cpu,
		.kind = ZSR_REC_LOST,
	};

	return add(c, &rec, err);
}

/* A call and its return DUR later. */
static int add_pair(struct csv *c, struct zsr_rec rec, unsigned ret_kind,
		    uint64_t ret_ns, struct zsr_err *err)
{
	int ret = add(c, &rec, err);

	rec.kind = (uint8_t)ret_kind;
	rec.t_ns = ret_ns;
	return ret ? ret : add(c, &rec, err);
}

/* DUR is behind a call's entry, and before what is done. */
static int put_call(struct csv *c, struct zsr_rec *rec, bool is_done,
		    uint64_t dur_ns, uint64_t aux, struct zsr_err *err)
{
	uint64_t end_ns = rec->t_ns + dur_ns;

	switch (rec->kind) {
	case ZSR_REC_MALLOC_DONE:
		rec->has |= ZSR_REC_HAS_SIZE;
		if (!dur_ns)
			return add(c, rec, err);
		end_ns = rec->t_ns;
		rec->t_ns -= zsr_min(dur_ns, end_ns);
		rec->kind = ZSR_REC_MALLOC;
		return add_pair(c, *rec, ZSR_REC_MALLOC_RET, end_ns, err);
	case ZSR_REC_FREE:
		if (is_done) {
			end_ns = rec->t_ns;
			rec->t_ns -= zsr_min(dur_ns, end_ns);
		}
		return dur_ns ? add_pair(c, *rec, ZSR_REC_FREE_RET, end_ns, err)
			      : add(c, rec, err);
	case ZSR_REC_MALLOC:
		rec->has |= ZSR_REC_HAS_SIZE;
		return add(c, rec, err);
	case ZSR_REC_COMPACT_RET:
		rec->value = aux;
		return add(c, rec, err);
	case ZSR_REC_COMPACT:
		rec->value = aux;
		return add_pair(c, *rec, ZSR_REC_COMPACT_RET, end_ns, err);
	case ZSR_REC_LOST:
		return add_lost(c, rec, aux, err);
	case ZSR_REC_MARK:
		dec_sort_release(&c->sort, c->d->out, rec->t_ns);
		dec_mark(c->d, rec, c->field[CSV_text].s,
			 c->field[CSV_text].len);
		return 0;
	default:
		return add(c, rec, err);
	}
}

static int needs(const struct csv *c, unsigned kind, struct zsr_err *err)
{
	static const uint32_t columns[] = {
		[ZSR_REC_MALLOC] = 1u << CSV_size,
		[ZSR_REC_MALLOC_RET] = 1u << CSV_handle,
		[ZSR_REC_MALLOC_DONE] = 1u << CSV_handle | 1u << CSV_size,
		[ZSR_REC_FREE] = 1u << CSV_handle,
		[ZSR_REC_POOL_CREATE] = 1u << CSV_pool,
		[ZSR_REC_POOL_DESTROY] = 1u << CSV_pool,
		[ZSR_REC_OTHER] = 0,
	};
	enum csv_column i;

	for (i = 0; columns[kind] && i < CSV_NR; i++)
		if (columns[kind] >> i & 1 && !c->field[i].len)
			return empty(i, err);
	return 0;
}

static int call(struct csv *c, uint64_t t_ns, bool coarse, struct zsr_err *err)
{
	static const enum csv_column numbers[] = { CSV_cpu,    CSV_pid,
						   CSV_pool,   CSV_handle,
						   CSV_size,   CSV_gfp,
						   CSV_dur_ns, CSV_aux };
	struct zsr_rec rec = { .t_ns = t_ns };
	uint64_t v[CSV_NR];
	size_t i;
	int ret, means = meaning(c);

	if (means < 0)
		return unknown(c, CSV_kind, err);
	rec.kind = rec_kinds[means];
	ret = needs(c, rec.kind, err);
	for (i = 0; i < ZSR_ARRAY_SIZE(numbers) && !ret; i++)
		ret = csv_number(c, numbers[i], 0, &v[numbers[i]], err);
	if (ret)
		return ret;
	rec.cpu = (uint16_t)v[CSV_cpu];
	rec.pid = (int32_t)v[CSV_pid];
	rec.pool = v[CSV_pool];
	rec.handle = v[CSV_handle];
	rec.value = v[CSV_size];
	rec.gfp = (uint32_t)v[CSV_gfp];
	rec.has = (c->field[CSV_pool].len ? ZSR_REC_HAS_POOL : 0) |
		  (c->field[CSV_gfp].len ? ZSR_REC_HAS_GFP : 0) |
		  (coarse ? ZSR_REC_COARSE_TIME : 0);
	if (c->field[CSV_comm].len)
		dec_tasks_see(c->d, &c->tasks, rec.pid, c->field[CSV_comm].s,
			      c->field[CSV_comm].len);
	if (c->lost)
		ret = add_lost(c, &rec, c->lost, err);
	c->lost = 0;
	c->last_ns = zsr_max(c->last_ns, t_ns);
	c->last_cpu = rec.cpu;
	return ret ? ret
		   : put_call(c, &rec, means == DEC_IS_FREE_DONE, v[CSV_dur_ns],
			      v[CSV_aux], err);
}

/* ---- any row --------------------------------------------------------------- */

/* SECONDS.FRACTION */
static int seconds(const struct csv_field *f, uint64_t *t_ns, bool *coarse,
		   struct zsr_err *err)
{
	uint64_t unit = 1000000000, v = 0;
	bool point = false;
	size_t i;

	for (i = 0; i < f->len; i++) {
		if (f->s[i] == '.' && !point && i) {
			point = true;
			continue;
		}
		if (f->s[i] < '0' || f->s[i] > '9' || unit == 1 ||
		    v > (INT64_MAX / 10000000000ull))
			break;
		v = v * 10 + (unsigned)(f->s[i] - '0');
		unit /= point ? 10 : 1;
	}
	if (!f->len || i < f->len)
		return zsr_err_input(err,
				     "column time: '%.*s' is no time in "
				     "seconds",
				     (int)zsr_min(f->len, (size_t)40), f->s);
	*t_ns = v * unit;
	*coarse = unit >= 1000;
	return 0;
}

int csv_row(struct csv *c, struct zsr_err *err)
{
	uint64_t t_ns = 0;
	bool coarse = false;
	int ret;

	if (is(&c->field[CSV_kind], "fact"))
		return fact(c, err);
	c->nr_rows++;
	if (c->has >> CSV_time & 1)
		ret = seconds(&c->field[CSV_time], &t_ns, &coarse, err);
	else if (!c->field[CSV_t_ns].len)
		ret = empty(CSV_t_ns, err);
	else
		ret = csv_number(c, CSV_t_ns, 0, &t_ns, err);
	if (ret)
		return ret;
	return c->is_events ? event(c, t_ns, err) : call(c, t_ns, coarse, err);
}

int csv_rows_end(struct csv *c, struct zsr_err *err)
{
	const struct zsr_rec at = { .t_ns = c->last_ns,
				    .cpu = (uint16_t)c->last_cpu };
	int ret = 0;

	dec_whole_flush(c->d, &c->whole);
	if (c->lost && !c->is_events)
		ret = add_lost(c, &at, c->lost, err);
	dec_sort_release(&c->sort, c->d->out, UINT64_MAX);
	return ret;
}
