// SPDX-License-Identifier: GPL-2.0-only
/* How true a comparison is: what was captured beside what was replayed, and
 * what the machine profile rests on. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

/* contracts: the policy a kernel already has, by its generation of locks. */
static const char *own_policy(const struct zsr_trace *t)
{
	if (!strcmp(t->lock_gen, "7.3"))
		return "class-idx";
	return !strcmp(t->lock_gen, "6.12") ? "sync" : "sync-6.1";
}

static size_t find_own(const struct zsr_compare *c, const char *policy)
{
	size_t i, found = SIZE_MAX;

	for (i = 0; i < c->nr_cols; i++)
		if (!strcmp(c->col[i].policy, policy) &&
		    (found == SIZE_MAX || !*c->col[i].conditions)) {
			found = i;
			if (!*c->col[i].conditions)
				break;
		}
	return found;
}

/* ---- captured pages ------------------------------------------------------ */

struct snaps {
	struct zsr_fidelity *f;
	const struct zsr_grid *grid;
	uint32_t page_size;
	size_t cap;
};

/* "snap:NAME" of the marks the run has been at. */
static int on_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct snaps *s = ctx;
	struct zsr_fidelity *f = s->f;
	uint32_t i;

	(void)key;
	if (strncmp(value, "snap:", 5))
		return 0;
	for (i = 0; i < s->grid->nr_rows; i++)
		if (s->grid->row[i] == (uint64_t)nr)
			break;
	if (i == s->grid->nr_rows)
		return 0;
	if (zsr_grow(&f->snap, &s->cap, f->nr_snaps + 1, sizeof(*f->snap)))
		return -ENOMEM;
	f->snap[f->nr_snaps] = (struct zsr_snap){
		.name = zsr_clean(value + 5),
		.kernel = UINT64_MAX,
		.replayed = s->grid->cell[(size_t)i * s->grid->nr_cols],
	};
	return f->snap[f->nr_snaps++].name ? 0 : -ENOMEM;
}

/* "snap.NAME.mm_stat": its third number are the bytes of the pool's pages. */
static int on_meta(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct snaps *s = ctx;
	uint64_t bytes;
	size_t i, len;

	(void)nr;
	if (strncmp(key, "snap.", 5) ||
	    sscanf(value, "%*u %*u %" SCNu64, &bytes) != 1)
		return 0;
	key += 5;
	for (i = 0; i < s->f->nr_snaps; i++) {
		len = strlen(s->f->snap[i].name);
		if (!strncmp(key, s->f->snap[i].name, len) &&
		    !strcmp(key + len, ".mm_stat"))
			s->f->snap[i].kernel = bytes / s->page_size;
	}
	return 0;
}

static int pages(struct zsr_fidelity *f, const struct zsr_run *run,
		 const struct zsr_trace *t, struct zsr_db *db,
		 struct zsr_err *err)
{
	struct snaps s = { f, &run->grid[ZSR_GRID_marks], run->page_size, 0 };
	size_t i, n = 0;
	int ret;

	if (!s.grid->nr_rows || !s.page_size)
		return 0;
	ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, on_mark, &s, err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_META, on_meta, &s,
				     err);
	/* Those the kernel's numbers are not there for. */
	for (i = 0; i < f->nr_snaps; i++) {
		if (f->snap[i].kernel == UINT64_MAX)
			free(f->snap[i].name);
		else
			f->snap[n++] = f->snap[i];
	}
	f->nr_snaps = n;
	return ret;
}

/* ---- what the import counted ------------------------------------------------- */

static int on_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	static const struct {
		const char *name, *text;
	} known[] = {
#define X(name, text) { #name, text },
		ZSR_ODD_COUNTS(X)
#undef X
	};
	struct zsr_fidelity *f = ctx;
	size_t i;

	(void)nr;
	for (i = 0; i < ZSR_ARRAY_SIZE(known); i++)
		if (!strcmp(key, known[i].name))
			return zsr_lines_add(&f->odd, "%s\t%s", value,
					     known[i].text);
	return 0;
}

/* ---- what the profile rests on --------------------------------------------- */

static struct zsr_evidence *evidence(struct zsr_fidelity *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->nr_evidence; i++)
		if (!strcmp(f->evidence[i].name, name))
			return &f->evidence[i];
	if (f->nr_evidence == ZSR_MOST_EVIDENCE)
		return &f->evidence[ZSR_MOST_EVIDENCE - 1];
	snprintf(f->evidence[f->nr_evidence].name, sizeof(f->evidence[0].name),
		 "%s", name);
	return &f->evidence[f->nr_evidence++];
}

/* "[pub]" and the like of a comment, joined to those of the lines before. */
static void add_tags(char *tags, size_t n, const char *line)
{
	const char *p, *end;

	for (p = line; (p = strchr(p, '[')); p = end) {
		size_t at = strlen(tags), len;

		p++;
		end = p + strspn(p, "abcdefghijklmnopqrstuvwxyz");
		len = (size_t)(end - p);
		if (*end != ']' || !len || at + len + 2 > n)
			continue;
		snprintf(tags + at, n - at, "%s%.*s", at ? "+" : "", (int)len,
			 p);
	}
}

static uint64_t time_of(const struct zsr_run *run, const char *step, size_t len)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < run->nr_steps; i++)
		if (strlen(run->steps[i].step) == len &&
		    !memcmp(run->steps[i].step, step, len))
			sum += zsr_min(run->steps[i].ns, UINT64_MAX / 1024);
	return sum;
}

/* A comment stands for the values up to the next comment or empty line. */
static void weigh(struct zsr_fidelity *f, const struct zsr_lines *profile,
		  const struct zsr_run *run)
{
	char tags[sizeof(f->evidence[0].name)] = "";
	bool in_comment = false;
	size_t i;

	for (i = 0; i < profile->nr; i++) {
		const char *l = profile->line[i] + strspn(profile->line[i], " ");
		struct zsr_evidence *e;

		if (*l == '#') {
			if (!in_comment)
				*tags = '\0';
			in_comment = true;
			add_tags(tags, sizeof(tags), l);
			continue;
		}
		in_comment = false;
		if (!*l)
			*tags = '\0';
		if (!strchr(l, '='))
			continue;
		e = evidence(f, tags);
		e->nr++;
		e->ns += time_of(run, l, strcspn(l, " ="));
	}
}

int zsr_fidelity_build(struct zsr_compare *c, const struct zsr_run *const *run,
		       const struct zsr_trace *t,
		       const struct zsr_analyze_opts *opts, struct zsr_err *err)
{
	struct zsr_fidelity *f = &c->truth;
	int ret;

	f->own = SIZE_MAX;
	if (t) {
		f->own_policy = own_policy(t);
		f->own = find_own(c, f->own_policy);
	}
	f->col = f->own == SIZE_MAX ? 0 : f->own;
	ret = zsr_captured_build(f, t, &c->col[f->col].profile_text, opts->db,
				 err);
	if (ret)
		return ret;
	if (t && opts->db)
		ret = pages(f, run[f->col], t, opts->db, err);
	if (!ret && t && opts->db)
		ret = zsr_trace_rows(opts->db, t->id, ZSR_TABLE_ODD, on_odd, f,
				     err);
	if (!ret && !strcmp(c->clock, "virtual"))
		weigh(f, &c->col[f->col].profile_text, run[f->col]);
	return ret ? ret : zsr_stamp_build(c, t);
}
