// SPDX-License-Identifier: GPL-2.0-only
/* Twins that are tables: g1, g4, g6, g8 to g12. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/txt.h"

static char *ns_or_0(char buf[ZSR_FMT_LEN], uint64_t ns)
{
	return ns ? zsr_fmt_ns(buf, ns) : zsr_fmt_count(buf, 0);
}

/* A name in `width` columns of text, cut or filled up. */
static char *fit(char buf[200], const char *name, size_t width)
{
	size_t n = 0, w = 0;

	while (name[n] && n < 150) {
		w += ((unsigned char)name[n] & 0xc0) != 0x80;
		if (w > width)
			break;
		n++;
	}
	w = zsr_min(w, width);
	snprintf(buf, 200, "%.*s%*s", (int)n, name, (int)(width - w), "");
	return buf;
}

/* ---- g1 ---- */

static void add_lines(struct text_page *t, int ret, struct zsr_lines *l)
{
	size_t i;

	t->nomem |= ret != 0;
	for (i = 0; i < l->nr; i++)
		txt_line(t, "%s", l->line[i]);
	zsr_lines_free(l);
}

void g1_text(struct text_page *t)
{
	struct zsr_lines l = { 0 };
	struct zsr_err err = { 0 };
	const char *why;
	size_t i;

	txt_head(t, 1, "");
	if (t->opts->title)
		txt_flow(t, 0, "%s", t->opts->title);
	txt_line(t, "%s", "");
	for (i = 0; i < t->cmp->verdict.nr; i++)
		txt_flow(t, 2, "%s", t->cmp->verdict.line[i]);
	txt_line(t, "%s", "");
	add_lines(t, zsr_compare_head(t->cmp, ZSR_MAIL_WIDTH, &l, &err), &l);
	txt_line(t, "%s", "");
	add_lines(t, zsr_compare_table(t->cmp, ZSR_MAIL_WIDTH, &l, &err), &l);
	txt_line(t, "%s", "");
	txt_line(t, "How far to believe it");
	for (i = 0; i < t->cmp->truth.stamp.nr; i++) {
		const char *s = t->cmp->truth.stamp.line[i];
		int key = (int)strcspn(s, "\t");

		txt_flow(t, 10, "%.*s%*s%s", key, s, 10 - key, "", s + key + 1);
	}
	txt_line(t, "%s", "");
	add_lines(t, zsr_compare_notes(t->cmp, ZSR_MAIL_WIDTH, &l, &err), &l);
	for (i = 0; i < nr_figures; i++) {
		why = figures[i].missing ? figures[i].missing(t->cmp) : NULL;
		if (why)
			txt_flow(t, 2, "g%u is left out: %s.", figures[i].nr,
				 why);
	}
}

/* ---- g4 ---- */

void g4_text(struct text_page *t)
{
	char name[200], ns[ZSR_FMT_LEN], line[200];
	size_t i, k, at;

	txt_head(t, 4, "");
	at = (size_t)snprintf(line, sizeof(line), "%-20s",
			      "at most, for a share");
	for (k = 0; k < NR_QUANTILES; k++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%9s",
				       quantiles[k].name);
	txt_line(t, "%s", line);
	for (i = 0; i < t->cmp->nr_cols; i++) {
		const struct zsr_column *col = &t->cmp->col[i];

		if (!col->latency.nr)
			continue;
		if (zsr_text_width(col->label) > 20)
			txt_flow(t, 2, "%s", col->label);
		at = (size_t)snprintf(
			line, sizeof(line), "%s",
			fit(name,
			    zsr_text_width(col->label) > 20 ? "" : col->label,
			    20));
		for (k = 0; k < NR_QUANTILES; k++)
			at += (size_t)snprintf(
				line + at, sizeof(line) - at, "%9s",
				ns_or_0(ns, zsr_latency_at(&col->latency,
							   quantiles[k].nines)));
		txt_line(t, "%s", line);
	}
}

/* ---- g6 ---- */

static void stack(struct text_page *t, const struct zsr_column *col,
		  uint64_t max)
{
	static const char letters[NR_CPU_PARTS + 1] = "cCwWqsf";
	char line[ZSR_MAIL_WIDTH + 1], ns[ZSR_FMT_LEN];
	uint64_t sum = 0, total = zsr_column_value(col, "cpu_total_ns");
	size_t i, at = 0, to;

	txt_flow(t, 4, "  %s: %s", col->label, ns_or_0(ns, total));
	for (i = 0; i < NR_CPU_PARTS; i++) {
		uint64_t part = zsr_column_value(col, cpu_parts[i].key);

		sum = sum > UINT64_MAX - part ? UINT64_MAX : sum + part;
		to = (size_t)((double)sum / (double)max * (ZSR_MAIL_WIDTH - 4) +
			      0.5);
		while (at < zsr_min(to, ZSR_MAIL_WIDTH - 4))
			line[at++] = letters[i];
	}
	line[at] = '\0';
	txt_line(t, "    %s", line);
}

void g6_text(struct text_page *t)
{
	const struct zsr_compare *cmp = t->cmp;
	uint64_t max = 1;
	size_t i, k;

	for (i = 0; i < cmp->nr_cols; i++)
		max = zsr_max(max,
			      zsr_column_value(&cmp->col[i], "cpu_total_ns"));
	txt_head(t, 6, "");
	txt_flow(
		t, 0,
		"c callers free, C wait; w workers free, W wait; q queueing; s "
		"stores; f flush at the end");
	for (i = 0; i < cmp->nr_cols; i++) {
		if (!first_of_load(cmp, i))
			continue;
		txt_flow(t, 2, "%s", load_name(&cmp->col[i]));
		for (k = i; k < cmp->nr_cols; k++)
			if (!strcmp(cmp->col[k].conditions,
				    cmp->col[i].conditions))
				stack(t, &cmp->col[k], max);
	}
}

/* ---- g8 ---- */

void g8_text(struct text_page *t)
{
	char name[200], indented[40], n[4][ZSR_FMT_LEN];
	size_t i, k;

	txt_head(t, 8, "");
	txt_line(t, "%-24s%10s%10s%11s%11s", "lock", "taken", "contended",
		 "waited", "held");
	for (i = 0; i < t->cmp->nr_cols; i++) {
		const struct zsr_column *col = &t->cmp->col[i];

		if (col->nr_locks)
			txt_flow(t, 2, "%s", col->label);
		for (k = 0; k < col->nr_locks; k++) {
			const struct zsr_lock *l = &col->lock[k];

			snprintf(indented, sizeof(indented), "%s%s",
				 l->part ? "    " : "  ", l->name);
			txt_line(t, "%s%10s%10s%11s%11s",
				 fit(name, indented, 24),
				 zsr_fmt_count(n[0], l->acquired),
				 zsr_fmt_percent(n[1], l->contended, l->acquired),
				 ns_or_0(n[2], l->wait_ns),
				 ns_or_0(n[3], l->hold_ns));
		}
	}
}

/* ---- g9 ---- */

/* The run whose policy worked the posted value out. */
static void sweep_default(struct text_page *t, const struct zsr_column *col)
{
	char n[3][ZSR_FMT_LEN];

	txt_line(t, "%12s%14s%12s%12s", "as posted",
		 ns_or_0(n[0], zsr_column_value(col, "caller_mean_ns")),
		 zsr_fmt_count(n[1], zsr_column_value(col, "fallbacks")),
		 zsr_fmt_size(n[2], zsr_column_value(col, "held_peak_bytes")));
}

void g9_text(struct text_page *t)
{
	char n[3][ZSR_FMT_LEN];
	size_t i, k;

	txt_head(t, 9, "");
	for (i = 0; i < t->cmp->nr_sweeps; i++) {
		const struct zsr_sweep *s = &t->cmp->sweep[i];

		txt_flow(t, 2, "%s, by %s", s->policy, s->param);
		txt_line(t, "%12s%14s%12s%12s", "value", "caller, mean",
			 "fallbacks", "held back");
		for (k = 0; k < s->nr; k++) {
			const struct zsr_column *col = &t->cmp->col[s->col[k]];

			txt_line(t, "%12" PRIu64 "%14s%12s%12s%s%s", s->x[k],
				 ns_or_0(n[0], zsr_column_value(
						       col, "caller_mean_ns")),
				 zsr_fmt_count(n[1], zsr_column_value(
							     col, "fallbacks")),
				 zsr_fmt_size(n[2],
					      zsr_column_value(
						      col, "held_peak_bytes")),
				 k == s->knee ? "  knee" : "",
				 s->has_posted && s->x[k] == s->posted
					 ? "  posted"
					 : "");
		}
		if (s->by_default != SIZE_MAX)
			sweep_default(t, &t->cmp->col[s->by_default]);
	}
}

/* ---- g10 ---- */

/* What is less than a hundredth of the whole is not listed. */
void g10_text(struct text_page *t)
{
	char n[2][ZSR_FMT_LEN], name[200], indented[64];
	size_t i, k;

	txt_head(t, 10, "");
	for (i = 0; i < t->cmp->nr_cols; i++) {
		const struct zsr_column *col = &t->cmp->col[i];

		if (!col->nr_parts)
			continue;
		txt_line(t, "%s", "");
		txt_flow(t, 2, "%s", col->label);
		for (k = 0; k < col->nr_parts; k++) {
			const struct zsr_part *p = &col->part[k];

			if (p->ns < col->part[0].ns / 100)
				continue;
			snprintf(indented, sizeof(indented), "%*s%s",
				 (int)(2 + 2 * p->depth), "", p->name);
			txt_line(t, "%s%11s%9s", fit(name, indented, 34),
				 ns_or_0(n[0], p->ns),
				 zsr_fmt_percent(n[1], p->ns, col->part[0].ns));
		}
	}
}

/* ---- g11 ---- */

static void captured_times(struct text_page *t)
{
	const struct zsr_fidelity *f = &t->cmp->truth;
	struct held row[NR_HELD];
	char n[3][ZSR_FMT_LEN];
	size_t i;

	if (f->untimed || f->own == SIZE_MAX) {
		txt_flow(t, 2, "Times of frees cannot be compared: %s%s.",
			 f->untimed ? f->untimed : "no run has policy ",
			 f->untimed ? "" : f->own_policy);
		return;
	}
	txt_flow(t, 2,
		 "Time of one free, of a task's release, and until memory was "
		 "back, captured and replayed as %s:",
		 f->own_policy);
	held_against(t->cmp, row);
	for (i = 0; i < NR_HELD; i++) {
		bool both = row[i].is != ZSR_NEVER && row[i].was != ZSR_NEVER;

		txt_line(t, "  %-16s%14s%14s%10s", row[i].name,
			 row[i].is == ZSR_NEVER ? "-" : ns_or_0(n[0], row[i].is),
			 row[i].was == ZSR_NEVER ? "-"
						 : ns_or_0(n[1], row[i].was),
			 both ? zsr_fmt_ratio(n[2], row[i].was, row[i].is)
			      : "-");
	}
}

void g11_text(struct text_page *t)
{
	const struct zsr_fidelity *f = &t->cmp->truth;
	char name[200], n[2][ZSR_FMT_LEN];
	uint64_t total = 0;
	size_t i;

	txt_head(t, 11, "");
	captured_times(t);
	if (f->nr_snaps)
		txt_flow(t, 2,
			 "Pages of the pool at marks: kernel, replay as %s",
			 t->cmp->col[f->col].label);
	for (i = 0; i < f->nr_snaps; i++)
		txt_line(t, "  %s%12s%12s%+10" PRId64,
			 fit(name, f->snap[i].name, 24),
			 zsr_fmt_count(n[0], f->snap[i].kernel),
			 zsr_fmt_count(n[1], f->snap[i].replayed),
			 (int64_t)(f->snap[i].replayed - f->snap[i].kernel));
	if (f->odd.nr)
		txt_line(t, "What the capture holds and what it lost");
	for (i = 0; i < f->odd.nr; i++)
		txt_flow(t, 12, "%10.*s  %s", (int)strcspn(f->odd.line[i], "\t"),
			 f->odd.line[i], strchr(f->odd.line[i], '\t') + 1);
	if (f->nr_evidence)
		txt_flow(t, 2, "What the CPU time of %s rests on, profile %s:",
			 t->cmp->col[f->col].label, t->cmp->col[f->col].profile);
	for (i = 0; i < f->nr_evidence; i++)
		total += f->evidence[i].ns;
	for (i = 0; i < f->nr_evidence; i++)
		txt_flow(t, 12, "  %8s  %s%s%s: %s, %u values",
			 zsr_fmt_percent(n[0], f->evidence[i].ns, total),
			 *f->evidence[i].name ? "[" : "", f->evidence[i].name,
			 *f->evidence[i].name ? "]" : "none",
			 evidence_text(f->evidence[i].name), f->evidence[i].nr);
}

/* ---- g12 ---- */

static void put_command(struct text_page *t, const struct zsr_column *col,
			const char *verb)
{
	struct zsr_lines l = { 0 };
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f) {
		t->nomem = true;
		return;
	}
	if (col)
		replay_command(f, t->cmp, t->opts, col);
	else
		other_commands(f, t->cmp, t->opts, verb);
	if (fclose(f) || zsr_lines_wrap(&l, ZSR_MAIL_WIDTH - 4, 4, text))
		t->nomem = true;
	for (i = 0; i < l.nr; i++)
		txt_line(t, "  %s%s", l.line[i], i + 1 < l.nr ? " \\" : "");
	zsr_lines_free(&l);
	free(text);
}

void g12_text(struct text_page *t)
{
	size_t i;

	txt_head(t, 12, "");
	txt_line(t, "trace  %.60s", t->cmp->trace_digest);
	for (i = 0; i < t->cmp->nr_cols; i++) {
		const struct zsr_column *col = &t->cmp->col[i];

		txt_line(t, "%s", "");
		txt_flow(t, 2, "#%" PRId64 "  %s", col->id, col->label);
		txt_line(t, "  %.64s", col->digest);
		put_command(t, col, NULL);
	}
	txt_line(t, "%s", "");
	put_command(t, NULL, "compare");
	put_command(t, NULL, "report");
}
