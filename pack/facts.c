// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks, pools, marks, facts and odd counts of a trace as lines of fields with
 * tabs between them. In a field \t, \n and \\ stand for tab, line feed and
 * backslash.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pack/private.h"

struct print {
	struct pk_text *to;
	struct zsr_err *err;
};

static int put(struct print *p, const char *s)
{
	return pk_text_add(p->to, s, strlen(s), p->err);
}

static int put_field(struct print *p, const char *s)
{
	int ret = put(p, "\t");

	for (; *s && !ret; s++) {
		const char *as = *s == '\t'   ? "\\t"
				 : *s == '\n' ? "\\n"
				 : *s == '\\' ? "\\\\"
					      : NULL;

		ret = as ? put(p, as) : pk_text_add(p->to, s, 1, p->err);
	}
	return ret;
}

static int put_number(struct print *p, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, v);
	return put_field(p, text);
}

static int put_task(void *ctx, const struct zsr_task *t)
{
	struct print *p = ctx;
	int ret = put(p, "task");

	if (!ret)
		ret = put_number(p, t->row);
	if (!ret)
		ret = put_number(p, t->pid);
	if (!ret)
		ret = put_field(p, t->comm);
	return ret ? ret : put(p, "\n");
}

static int put_row(struct print *p, const char *table, int64_t nr,
		   const char *key, const char *value)
{
	int ret = put(p, table);

	if (!ret)
		ret = *key ? put_field(p, key) : put_number(p, nr);
	if (!ret)
		ret = put_field(p, value);
	return ret ? ret : put(p, "\n");
}

static int put_pool(void *ctx, int64_t nr, const char *key, const char *value)
{
	return put_row(ctx, "pool", nr, "", value);
}

static int put_mark(void *ctx, int64_t nr, const char *key, const char *value)
{
	return put_row(ctx, "mark", nr, "", value);
}

static int put_fact(void *ctx, int64_t nr, const char *key, const char *value)
{
	return put_row(ctx, "fact", nr, key, value);
}

static int put_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	return put_row(ctx, "odd", nr, key, value);
}

int pk_facts_print(struct zsr_db *db, const struct zsr_trace *t,
		   struct pk_text *to, struct zsr_err *err)
{
	struct print p = { to, err };
	int ret = zsr_trace_tasks(db, t->id, put_task, &p, err);

	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_POOLS, put_pool, &p,
				     err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_MARKS, put_mark, &p,
				     err);
	if (!ret)
		ret = zsr_trace_rows(db, t->id, ZSR_TABLE_META, put_fact, &p,
				     err);
	return ret ? ret
		   : zsr_trace_rows(db, t->id, ZSR_TABLE_ODD, put_odd, &p, err);
}

/* ---- back ------------------------------------------------------------------ */

/* The field at *P, its end made a NUL; *P is then behind it. NULL for one that
 * is not as put_field() makes it. */
static char *field(char **p)
{
	char *start = *p, *to = start, *s;

	for (s = start; *s && *s != '\t'; s++) {
		char c = *s;

		if ((unsigned char)c < ' ' || c == 127)
			return NULL;
		if (c == '\\') {
			c = *++s == 't'  ? '\t'
			    : *s == 'n'  ? '\n'
			    : *s == '\\' ? '\\'
					 : '\0';
			if (!c)
				return NULL;
		}
		*to++ = c;
	}
	*p = *s ? s + 1 : s;
	*to = '\0';
	return start;
}

static int number(const char *text, int64_t max, int64_t *v, struct zsr_err *err)
{
	struct zsr_err why = { 0 };
	uint64_t u;
	bool minus = text && *text == '-';

	if (!text ||
	    zsr_parse_u64(text + minus, "number", 0, (uint64_t)max, &u, &why))
		return zsr_err_input(err, "%s",
				     text ? why.msg : "a number is missing");
	*v = minus ? -(int64_t)u : (int64_t)u;
	return 0;
}

static int parse_line(char *line, struct pk_fact *f, struct zsr_err *err)
{
	static const struct {
		const char *name;
		char table;
		bool numbered;
	} tables[] = {
		{ "task", 't', true }, { "pool", 'p', true },
		{ "mark", 'm', true }, { "fact", 'f', false },
		{ "odd", 'o', false },
	};
	const char *name = field(&line), *pid;
	int64_t v = 0;
	size_t i;
	int ret = 0;

	for (i = 0; name && i < ZSR_ARRAY_SIZE(tables); i++)
		if (!strcmp(name, tables[i].name))
			break;
	if (!name || i == ZSR_ARRAY_SIZE(tables))
		return zsr_err_input(err, "no line of a known table");
	*f = (struct pk_fact){ .table = tables[i].table, .nr = -1, .key = "" };
	if (tables[i].numbered)
		ret = number(field(&line), UINT32_MAX, &f->nr, err);
	else
		f->key = field(&line);
	if (!ret && f->table == 't') {
		pid = field(&line);
		ret = number(pid, INT32_MAX, &v, err);
		f->pid = (int32_t)v;
	}
	f->value = field(&line);
	if (!ret && (!f->key || !f->value || *line ||
		     (!tables[i].numbered && !*f->key)))
		ret = zsr_err_input(err, "too few or too many fields");
	return ret;
}

int pk_facts_parse(const char *text,
		   int (*fn)(void *ctx, const struct pk_fact *fact,
			     struct zsr_err *err),
		   void *ctx, struct zsr_err *err)
{
	char *copy = strdup(text), *line, *end;
	struct pk_fact f;
	size_t nr = 0;
	int ret = 0;

	if (!copy)
		return zsr_err_nomem(err, "facts");
	for (line = copy; *line && !ret; line = end + 1) {
		nr++;
		end = strchr(line, '\n');
		if (!end) {
			ret = zsr_err_input(err, "line %zu has no end", nr);
			break;
		}
		*end = '\0';
		ret = parse_line(line, &f, err);
		if (!ret)
			ret = fn(ctx, &f, err);
		if (ret)
			zsr_err_wrap(err, ret, "line %zu", nr);
	}
	free(copy);
	return ret;
}
