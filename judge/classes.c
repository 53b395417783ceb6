// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's table of size classes beside the engine's. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "judge/internal.h"

#define COLUMNS 24

/* ---- a table: lines of columns ---------------------------------------------- */

struct row {
	char *column[COLUMNS];
	unsigned n;
};

/* The next line that is not empty; n 0 at the end. Cuts the text. */
static struct row next_row(char **text)
{
	struct row r = { .n = 0 };
	char *line, *save = NULL, *word;

	while (*text && !r.n) {
		line = strsep(text, "\n");
		for (word = strtok_r(line, " \t", &save); word && r.n < COLUMNS;
		     word = strtok_r(NULL, " \t", &save))
			r.column[r.n++] = word;
	}
	return r;
}

static bool same(const struct row *a, const struct row *b)
{
	unsigned i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (strcmp(a->column[i], b->column[i]))
			return false;
	return a->n == b->n;
}

struct table {
	struct row head;
	uint64_t sum[COLUMNS]; /* of the kernel's rows */
	bool undecided; /* a row depends on the order of calls */
};

static unsigned column(const struct table *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->head.n && strcmp(t->head.column[i], name); i++)
		;
	return i;
}

static uint64_t value(const struct table *t, const struct row *r,
		      const char *name)
{
	unsigned i = column(t, name);

	return i < r->n ? strtoull(r->column[i], NULL, 10) : 0;
}

/* ---- rows -------------------------------------------------------------------- */

/* A class whose calls overlapped: what the kernel says must be possible for
 * the objects that are live. */
static bool possible(const struct table *t, const struct judge_state *s,
		     const struct row *k, const struct row *e)
{
	unsigned class = (unsigned)strtoul(e->column[0], NULL, 10), i;
	uint64_t used = value(t, k, "obj_used"), zspages, groups = 0;
	struct zsr_class_info c;

	if (class >= s->order->nr_classes || judge_ordered(s->order, class) ||
	    !zsr_engine_class_info(s->e, class, &c) ||
	    strcmp(k->column[0], e->column[0]) ||
	    strcmp(k->column[1], e->column[1]) ||
	    used != value(t, e, "obj_used"))
		return false;
	zspages = value(t, k, "pages_used") / c.pages;
	for (i = 2; i < column(t, "obj_allocated"); i++)
		groups += strtoull(k->column[i], NULL, 10);
	return zspages * c.pages == value(t, k, "pages_used") &&
	       zspages * c.objs == value(t, k, "obj_allocated") &&
	       (groups == zspages || t->head.n < 12) && zspages <= used &&
	       zspages * c.objs >= used &&
	       value(t, k, "pages_per_zspage") == c.pages &&
	       value(t, k, "freeable") ==
		       (zspages - (used + c.objs - 1) / c.objs) * c.pages;
}

static void compare_row(struct judge_result *r, struct table *t,
			const struct judge_state *s, const struct row *k,
			const struct row *e)
{
	unsigned i;

	for (i = 2; i < k->n; i++)
		t->sum[i] += strtoull(k->column[i], NULL, 10);
	if (!same(k, e) && possible(t, s, k, e)) {
		t->undecided = true;
		return;
	}
	for (i = 0; i < k->n; i++) {
		r->j.nr_compared++;
		if (strcmp(k->column[i], e->column[i]))
			judge_differs(r, "class %s: %s: kernel %s, engine %s",
				      e->column[0], t->head.column[i],
				      k->column[i], e->column[i]);
	}
}

/* The last line: the kernel's sums of the kernel's rows. It has no size and no
 * pages a zspage. */
static void compare_total(struct judge_result *r, const struct table *t,
			  const struct row *k, uint64_t pages)
{
	unsigned skip = column(t, "pages_per_zspage"), i, at;
	char name[60];

	r->j.nr_compared++;
	if (strcmp(k->column[0], "Total"))
		judge_differs(r, "class Total: kernel has %s", k->column[0]);
	for (i = 1; i < k->n; i++) {
		at = i + 1 < skip ? i + 1 : i + 2;
		if (at >= t->head.n)
			break;
		snprintf(name, sizeof(name), "class Total: %s",
			 t->head.column[at]);
		judge_value(r, name, strtoull(k->column[i], NULL, 10),
			    t->sum[at]);
	}
	at = column(t, "pages_used");
	if (pages != UINT64_MAX && at < t->head.n)
		judge_value(r, "pages of classes and mm_stat", t->sum[at],
			    pages);
}

static void compare(struct judge_result *r, const struct judge_state *s,
		    char *kernel, char *engine, uint64_t pages)
{
	struct table t = { .head = next_row(&engine) };
	struct row k = next_row(&kernel), e;

	if (!same(&t.head, &k)) {
		judge_remark(r, "other columns than those of the engine");
		return;
	}
	do {
		k = next_row(&kernel);
		e = next_row(&engine);
		if (k.n != e.n) {
			r->j.nr_compared++;
			judge_differs(r, "class %s: %u columns, engine: %u",
				      k.n ? k.column[0] : e.column[0], k.n, e.n);
		} else if (k.n == t.head.n) {
			compare_row(r, &t, s, &k, &e);
		} else if (k.n) {
			compare_total(r, &t, &k, pages);
		}
	} while (k.n && e.n);
	if (t.undecided)
		judge_remark(r, "some depend on the order of calls that "
				"overlapped");
}

int judge_classes(struct judge_result *r, const struct judge_state *s,
		  const char *text, uint64_t pages)
{
	char *kernel = strdup(text), *engine = NULL;
	size_t len;
	FILE *f = open_memstream(&engine, &len);
	int ret = kernel && f ? 0 : -ENOMEM;

	if (f) {
		zsr_engine_write_classes(s->e, f);
		if (fclose(f))
			ret = -ENOMEM;
	}
	if (!ret)
		compare(r, s, kernel, engine, pages);
	free(kernel);
	free(engine);
	return ret;
}
