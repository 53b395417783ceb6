// SPDX-License-Identifier: GPL-2.0-only
/* zsr compare --clocks: the virtual machine held against this one. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/clocks.h"
#include "cmd/runs.h"
#include "replay/replay.h"

/* No bound, and no policy with more workers than there are CPUs. */
#define POLICIES                                                               \
	"sync,sync-6.1,unlock-first,class-idx,class-batch,defer-zspage,array," \
	"deferred,deferred-slot,exit-gather,zram-gc"
#define REPEAT 10
#define BUSY   0.5

/* ---- runs that are made ----------------------------------------------------- */

struct made {
	struct zsr_db *db;
	char (*id)[24];
	size_t nr, cap;
	unsigned cpus; /* of the host's runs */
};

static int on_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	struct made *m = ctx;
	int ret = zsr_run_store(m->db, run, err);

	if (ret)
		return ret;
	if (zsr_grow(&m->id, &m->cap, m->nr + 1, sizeof(*m->id)))
		return zsr_err_nomem(err, "runs");
	snprintf(m->id[m->nr++], sizeof(*m->id), "#%" PRId64, run->id);
	m->cpus = run->cpus;
	return 0;
}

static int on_host(struct made *m, const struct zsr_trace *t,
		   const struct zsr_clocks_args *a, unsigned repeat,
		   struct zsr_err *err)
{
	const struct zsr_replay_opts o = { .policies = a->policies ?: POLICIES,
					   .host = true,
					   .arrival = ZSR_ARRIVAL_ASAP,
					   .pin = ZSR_PIN_SPREAD,
					   .repeat = repeat,
					   .warmup = 1,
					   .interleave = true };

	return zsr_replay(m->db, t, &o, on_run, m, err);
}

/* On as many CPUs. */
static int on_virtual(struct made *m, const struct zsr_trace *t,
		      const struct zsr_clocks_args *a, struct zsr_err *err)
{
	const struct zsr_replay_opts o = { .policies = a->policies ?: POLICIES,
					   .machine = a->machine,
					   .arrival = ZSR_ARRIVAL_ASAP,
					   .cpus = m->cpus,
					   .seed = 1 };

	return zsr_replay(m->db, t, &o, on_run, m, err);
}

/* Threads that wait for somebody else's make a host figure of that. */
static void look_around(void)
{
	double load;

	if (getloadavg(&load, 1) == 1 && load >= BUSY)
		fprintf(stderr,
			"zsr compare: the load average is %.2f: what others do "
			"here is in the host's times\n",
			load);
}

static int make(struct made *m, const struct zsr_clocks_args *a,
		struct zsr_err *err)
{
	uint64_t repeat = REPEAT;
	struct zsr_trace trace;
	int ret;

	if (a->nr_rest != 1)
		return zsr_err_usage(err, "--machine: expected one TRACE");
	ret = a->repeat ? zsr_parse_u64(a->repeat, "--repeat", 1, 1000, &repeat,
					err)
			: 0;
	if (!ret)
		ret = zsr_cmd_open_db(&m->db, "compare", a->db,
				      zsr_cmd_trace_flags(a->rest[0]), err);
	if (!ret)
		ret = zsr_cmd_trace(m->db, a->rest[0], &trace, err);
	if (!ret)
		look_around();
	if (!ret)
		ret = on_host(m, &trace, a, (unsigned)repeat, err);
	if (!ret)
		ret = on_virtual(m, &trace, a, err);
	zsr_db_close(m->db);
	return ret;
}

/* ---- what they say ------------------------------------------------------------ */

static int build(void *ctx, const struct zsr_run *const *run,
		 const struct zsr_trace *const *trace, size_t nr,
		 struct zsr_db *db, struct zsr_err *err)
{
	(void)trace;
	(void)db;
	return zsr_clocks_build(run, nr, ctx, err);
}

static int print_text(const struct zsr_clocks *c, struct zsr_err *err)
{
	struct zsr_lines l = { 0 };
	int ret = zsr_clocks_print(c, ZSR_MAIL_WIDTH, &l, err);
	size_t i;

	for (i = 0; i < l.nr && !ret; i++)
		puts(l.line[i]);
	zsr_lines_free(&l);
	return ret;
}

static int print_json(const struct zsr_clocks *c, struct zsr_err *err)
{
	char *text = NULL;
	int ret = zsr_clocks_json(c, &text, err);

	if (!ret)
		puts(text);
	free(text);
	return ret;
}

int zsr_cmd_clocks(const struct zsr_clocks_args *a, bool *met,
		   struct zsr_err *err)
{
	const char *const *args = a->rest;
	struct zsr_clocks c = { 0 };
	struct made m = { 0 };
	const char **ids = NULL;
	int ret = 0, nr = a->nr_rest;
	size_t i;

	if (a->machine)
		ret = make(&m, a, err);
	else if (a->policies || a->repeat)
		ret = zsr_err_usage(err,
				    "--policy and --repeat want --machine");
	if (!ret && m.nr) {
		ids = calloc(m.nr + 1, sizeof(*ids));
		for (i = 0; ids && i < m.nr; i++)
			ids[i] = m.id[i];
		args = ids;
		nr = (int)m.nr;
		if (!ids)
			ret = zsr_err_nomem(err, "runs");
	}
	if (!ret)
		ret = zsr_cmd_with_runs("compare", zsr_db_path(a->db), args, nr,
					NULL, build, &c, err);
	if (!ret)
		ret = a->json ? print_json(&c, err) : print_text(&c, err);
	*met = c.met;
	zsr_clocks_free(&c);
	free(ids);
	free(m.id);
	return ret ? ret : zsr_cmd_flush(err);
}
