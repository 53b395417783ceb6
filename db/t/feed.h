/* SPDX-License-Identifier: GPL-2.0-only */
/* Records written as text, for the tests of the import pass. */
#ifndef ZSR_DB_T_FEED_H
#define ZSR_DB_T_FEED_H

#include <inttypes.h>

#include "db/t/gen.h"
#include "tests/check.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

#define HANDLE(n) (0xffff888100000000ull + 8ull * (uint64_t)(n))
#define POOL(n)   (0xffff888000001000ull * (uint64_t)(n))

/*
 * One record a line: time, cpu, pid, and
 *	M pool size	malloc entered		R handle	returned
 *	D pool size handle	both in one	F pool handle	free entered
 *	f		free returned		C pool		compact entered
 *	c pages		compact returned	P pool		pool created
 *	O handle	object placed		Z		zspage freed
 *	L count		records lost		K text		mark
 *	N comm		the task's name		? 		something else
 *	z		zspage was freed	g ns		free took so long
 *	b m		free, malloc entered, without arguments; r returned
 *	e E u U x X	a function of nothing, munmap, exit: entered, returned
 * Handles and pools are small numbers; handle 0 is null, -n an error; pool 0
 * means that it was not recorded.
 */
static inline int feed_line(struct zsr_sink *sink, const char *line,
			    struct zsr_err *e)
{
	struct zsr_rec r = { .has = ZSR_REC_HAS_SIZE | ZSR_REC_HAS_GFP,
			     .gfp = 7 };
	long long a = 0, b = 0, c = 0;
	unsigned cpu;
	char op;
	int at;

	ck_assert_int_eq(sscanf(line, "%" SCNu64 " %u %d %c%n", &r.t_ns, &cpu,
				&r.pid, &op, &at),
			 4);
	r.cpu = (uint16_t)cpu;
	if (op == 'K')
		r.kind = ZSR_REC_MARK;
	if (op == 'K')
		return sink->mark(sink->ctx, &r, line + at + 1, e);
	if (op == 'N')
		return sink->task(sink->ctx, r.pid, line + at + 1, e);
	sscanf(line + at, "%lld %lld %lld", &a, &b, &c);
	if (strchr("MDFCP", op)) {
		r.pool = POOL(a);
		r.has |= a ? ZSR_REC_HAS_POOL : 0;
		a = b;
		b = c;
	}
	if (strchr("MD", op)) {
		r.value = (uint64_t)a;
		a = b;
	}
	if (strchr("RDFO", op))
		r.handle = a > 0 ? HANDLE(a) : (uint64_t)a;
	if (strchr("bmr", op))
		r.has = ZSR_REC_NO_ARGS;
	if (op == 'g')
		r.has = ZSR_REC_HAS_DUR;
	if (strchr("cLg", op))
		r.value = (uint64_t)a;
	r.kind = op == 'M'   ? ZSR_REC_MALLOC
		 : op == 'R' ? ZSR_REC_MALLOC_RET
		 : op == 'D' ? ZSR_REC_MALLOC_DONE
		 : op == 'm' ? ZSR_REC_MALLOC
		 : op == 'r' ? ZSR_REC_MALLOC_RET
		 : op == 'F' ? ZSR_REC_FREE
		 : op == 'b' ? ZSR_REC_FREE
		 : op == 'f' ? ZSR_REC_FREE_RET
		 : op == 'g' ? ZSR_REC_FREE_RET
		 : op == 'z' ? ZSR_REC_ZSPAGE_FREE_RET
		 : op == 'e' ? ZSR_REC_EMPTY
		 : op == 'E' ? ZSR_REC_EMPTY_RET
		 : op == 'u' ? ZSR_REC_MUNMAP
		 : op == 'U' ? ZSR_REC_MUNMAP_RET
		 : op == 'x' ? ZSR_REC_EXIT
		 : op == 'X' ? ZSR_REC_EXIT_RET
		 : op == 'C' ? ZSR_REC_COMPACT
		 : op == 'c' ? ZSR_REC_COMPACT_RET
		 : op == 'P' ? ZSR_REC_POOL_CREATE
		 : op == 'O' ? ZSR_REC_PLACE
		 : op == 'Z' ? ZSR_REC_ZSPAGE_FREE
		 : op == 'L' ? ZSR_REC_LOST
			     : ZSR_REC_OTHER;
	return sink->recs(sink->ctx, &r, 1, e);
}

static inline int feed(struct zsr_sink *sink, const char *text,
		       struct zsr_err *e)
{
	char line[200];
	int ret = 0;

	while (*text && !ret) {
		size_t n = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		ret = feed_line(sink, line, e);
		text += n + (text[n] == '\n');
	}
	return ret;
}

static const struct zsr_import_opts some_opts = {
	.name = "t",
	.kernel = "6.12",
	.page_size = 4096,
};

static inline int import_text(struct zsr_db *db,
			      const struct zsr_import_opts *opts,
			      const char *text, struct zsr_trace *t,
			      struct zsr_odd *odd, struct zsr_err *e)
{
	struct zsr_import *imp;
	int ret = zsr_import_begin(db, opts, &imp, e);

	if (ret)
		return ret;
	ret = feed(zsr_import_sink(imp), text, e);
	if (ret) {
		zsr_import_abort(imp);
		return ret;
	}
	return zsr_import_finish(imp, t, odd, e);
}

#endif
