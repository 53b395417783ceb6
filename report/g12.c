// SPDX-License-Identifier: GPL-2.0-only
/* g12: where every number comes from, and how to get it again. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

#define TITLE      "Provenance"
#define MONO       7.4
#define MONO_LINE  9.2
#define MONO_CHAR  (MONO * 0.602) /* advance of the family's digits */
#define NAME_CHARS 21
#define CELL_CHARS 22 /* an uint64_t and a gap */

static void heading(struct canvas *c, const char *text, unsigned *part)
{
	const struct style s = { .size = 9.5, .bold = true };

	page_need(c, 50, part);
	c->y += 18;
	text_at(c, PAGE_LEFT, c->y, LEFT, &s, text);
	c->y += 3;
}

static void flow(struct canvas *c, double indent, const struct style *s,
		 const char *text, unsigned *part)
{
	page_need(c, text_flow_height(c, PAGE_INNER - indent, s, text), part);
	text_flow(c, PAGE_LEFT + indent, PAGE_INNER - indent, s, text);
}

/* Lines that a shell takes as one when they are pasted. */
static void put_command(struct canvas *c, double indent, const char *text,
			unsigned *part)
{
	const struct style mono = { .size = MONO, .mono = true };
	struct zsr_lines l = { 0 };
	char line[256];
	size_t i;

	if (zsr_lines_wrap(&l, (size_t)((PAGE_INNER - indent) / MONO_CHAR) - 3,
			   4, text))
		c->nomem = true;
	for (i = 0; i < l.nr; i++) {
		snprintf(line, sizeof(line), "%s%s", l.line[i],
			 i + 1 < l.nr ? " \\" : "");
		page_need(c, MONO_LINE, part);
		c->y += MONO_LINE;
		text_at(c, PAGE_LEFT + indent, c->y, LEFT, &mono, line);
	}
	zsr_lines_free(&l);
}

static void command(struct canvas *c, const struct zsr_column *col,
		    const char *verb, unsigned *part)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f) {
		c->nomem = true;
		return;
	}
	if (col)
		replay_command(f, c->cmp, c->opts, col);
	else
		other_commands(f, c->cmp, c->opts, verb);
	if (fclose(f))
		c->nomem = true;
	else
		put_command(c, col ? 12 : 0, text, part);
	free(text);
}

static void trace_and_versions(struct canvas *c, unsigned *part)
{
	const struct style s = { .size = 8.5 };
	char text[300];

	snprintf(text, sizeof(text), "Trace %.128s, digest %s.", c->cmp->trace,
		 c->cmp->trace_digest);
	flow(c, 0, &s, text, part);
	snprintf(text, sizeof(text),
		 "Drawn by zsr %s with cairo %s and pango %s.", ZSR_VERSION,
		 cairo_version_string(), pango_version_string());
	flow(c, 0, &s, text, part);
}

static void runs(struct canvas *c, unsigned *part)
{
	const struct style s = { .size = 8.5 },
			   bold = { .size = 8.5, .bold = true };
	char text[1000];
	size_t i;

	heading(c, "Runs, and how to play each again", part);
	for (i = 0; i < c->cmp->nr_cols; i++) {
		const struct zsr_column *col = &c->cmp->col[i];

		page_need(c, 60, part);
		c->y += 3;
		if (col->id)
			snprintf(text, sizeof(text), "#%" PRId64 "  %s",
				 col->id, col->label);
		else
			snprintf(text, sizeof(text), "%s", col->label);
		flow(c, 0, &bold, text, part);
		snprintf(text, sizeof(text),
			 "engine %s, profile %s, %" PRIu32
			 " cpus, seed %" PRIu64
			 ", arrival %s, gaps %s, outer lock %s; "
			 "parameters: %s",
			 col->engine, col->profile, col->cpus, col->seed,
			 col->arrival, col->gaps,
			 *col->outer_lock ? col->outer_lock : "not known",
			 *col->params ? col->params : "none");
		flow(c, 12, &s, text, part);
		snprintf(text, sizeof(text), "result digest %s", col->digest);
		flow(c, 12, &s, text, part);
		command(c, col, NULL, part);
	}
	heading(c, "This comparison", part);
	command(c, NULL, "compare", part);
	command(c, NULL, "report", part);
}

/* One line of the table of integers: of value v, or (v = -1) of names. */
static void value_line(struct canvas *c, ssize_t v, size_t from, size_t to)
{
	const struct style mono = { .size = MONO, .mono = true };
	const struct style bold = { .size = MONO, .mono = true, .bold = true };
	double width = CELL_CHARS * MONO_CHAR;
	double x = PAGE_LEFT + NAME_CHARS * MONO_CHAR;
	size_t i;

	c->y += MONO_LINE;
	if (v >= 0)
		text_at(c, PAGE_LEFT, c->y, LEFT, &mono,
			zsr_value_info((size_t)v)->name);
	for (i = from; i < to; i++) {
		char text[32];

		x += width;
		if (v < 0) {
			text_fit(c, x, c->y, width - 8, RIGHT, &bold,
				 c->cmp->col[i].label);
			continue;
		}
		zsr_value_print(text, (size_t)v, c->cmp->col[i].value[v]);
		text_at(c, x, c->y, RIGHT, &mono, text);
	}
}

static void integers(struct canvas *c, unsigned *part)
{
	const struct style s = { .size = 8.5 };
	size_t per = (size_t)((PAGE_INNER / MONO_CHAR - NAME_CHARS) / CELL_CHARS);
	size_t n = c->cmp->nr_cols, blocks = (n + per - 1) / per, from, v;

	per = (n + blocks - 1) / blocks;
	heading(c, "Every value as it is stored", part);
	flow(c, 0, &s, "The integers `zsr compare --json` prints; times in ns.",
	     part);
	for (from = 0; from < n; from += per) {
		size_t to = zsr_min(from + per, n);

		page_need(c, 12 * MONO_LINE, part);
		c->y += 4;
		value_line(c, -1, from, to);
		for (v = 0; v < zsr_nr_values(); v++) {
			unsigned before = *part;

			page_need(c, MONO_LINE, part);
			if (*part != before)
				value_line(c, -1, from, to);
			value_line(c, (ssize_t)v, from, to);
		}
	}
}

static bool same_text(const struct zsr_lines *a, const struct zsr_lines *b)
{
	size_t i;

	for (i = 0; i < a->nr && i < b->nr; i++)
		if (strcmp(a->line[i], b->line[i]))
			return false;
	return a->nr == b->nr;
}

/* Every profile once, as it was when it was used. */
static void profiles(struct canvas *c, unsigned *part)
{
	const struct style mono = { .size = 6.8, .mono = true };
	const struct zsr_column *col = c->cmp->col;
	char text[200];
	size_t i, k;

	for (i = 0; i < c->cmp->nr_cols; i++) {
		const struct zsr_lines *l = &col[i].profile_text;

		for (k = 0; k < i && !same_text(l, &col[k].profile_text); k++)
			;
		if (k < i || !l->nr)
			continue;
		snprintf(text, sizeof(text), "Profile %s, used by %s%s",
			 col[i].profile, col[i].label,
			 c->cmp->nr_cols > 1 ? " and others" : "");
		for (k = i + 1;
		     k < c->cmp->nr_cols && !same_text(l, &col[k].profile_text);
		     k++)
			;
		if (k == c->cmp->nr_cols)
			snprintf(text, sizeof(text), "Profile %s, used by %s",
				 col[i].profile, col[i].label);
		heading(c, text, part);
		for (k = 0; k < l->nr; k++)
			flow(c, 0, &mono, *l->line[k] ? l->line[k] : " ", part);
	}
}

void g12_draw(struct canvas *c)
{
	unsigned part = 0;

	page_begin(c, 12, TITLE, 0);
	trace_and_versions(c, &part);
	runs(c, &part);
	heading(c, "The table of `zsr compare`", &part);
	table_draw(c, &part);
	integers(c, &part);
	profiles(c, &part);
	page_end(c);
}
