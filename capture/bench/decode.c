// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast captures decode, child process and pipe included:
 *
 *	decode [-v] FILE...	records by kind, seconds, M records/s
 */
#include <inttypes.h>
#include <string.h>

#include "capture/capture.h"

struct count {
	uint64_t kind[ZSR_REC_OTHER + 1];
	uint64_t lost;
	bool verbose;
};

static int recs(void *ctx, const struct zsr_rec *r, size_t n,
		struct zsr_err *err)
{
	struct count *c = ctx;
	size_t i;

	for (i = 0; i < n; i++) {
		c->kind[r[i].kind]++;
		if (r[i].kind == ZSR_REC_LOST)
			c->lost += r[i].value;
	}
	return 0;
}

static int mark(void *ctx, const struct zsr_rec *r, const char *text,
		struct zsr_err *err)
{
	struct count *c = ctx;

	c->kind[ZSR_REC_MARK]++;
	if (c->verbose)
		printf("%12" PRIu64 " cpu %u pid %d mark %s\n", r->t_ns, r->cpu,
		       r->pid, text);
	return 0;
}

static int task(void *ctx, int32_t pid, const char *comm, struct zsr_err *err)
{
	struct count *c = ctx;

	if (c->verbose)
		printf("task %d %s\n", pid, comm);
	return 0;
}

static int meta(void *ctx, const char *key, const char *value,
		struct zsr_err *err)
{
	struct count *c = ctx;

	if (c->verbose || !strcmp(key, "partial"))
		printf("%s = %.*s\n", key, (int)strcspn(value, "\n"), value);
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {
		"malloc",   "malloc_ret", "malloc_done", "free",
		"free_ret", "compact",    "compact_ret", "create",
		"destroy",  "place",      "zspage_free", "mark",
		"lost",     "other",
	};
	struct zsr_decode_opts opts = { 0 };
	bool verbose = false;
	int i, failed = 0;
	unsigned k;

	for (i = 1; i < argc; i++) {
		struct count c = { .verbose = verbose };
		struct zsr_sink sink = { &c, recs, mark, task, meta };
		struct zsr_err err = { 0 };
		uint64_t t, total = 0;

		if (!strcmp(argv[i], "-v") || !strcmp(argv[i], "-p")) {
			verbose |= argv[i][1] == 'v';
			opts.partial |= argv[i][1] == 'p';
			continue;
		}
		t = zsr_clock_ns();
		if (zsr_decode(argv[i], &opts, &sink, &err)) {
			printf("error %d: %s\n", err.kind, err.msg);
			failed = 1;
			continue;
		}
		t = zsr_clock_ns() - t;
		printf("%s:", argv[i]);
		for (k = 0; k <= ZSR_REC_OTHER; k++) {
			total += c.kind[k];
			if (c.kind[k])
				printf(" %s %" PRIu64, names[k], c.kind[k]);
		}
		printf(" (%" PRIu64 " lost); %.1f ms, %.2f M records/s\n",
		       c.lost, (double)t / 1e6, (double)total * 1e3 / (double)t);
	}
	return failed;
}
