/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces small enough to play by hand, and their runs. A case calls start(),
 * sets costs (all others are 0), adds events in order of time, and play()s.
 */
#ifndef ZSR_REPLAY_T_MADE_H
#define ZSR_REPLAY_T_MADE_H

#include <string.h>
#include <unistd.h>

#include "replay/player.h"
#include "tests/check.h"

#define US      1000ull /* in ns */
#define MS      1000000ull
#define PS(ns)  ((ns)*ZSR_PS_PER_NS)
#define HUGE_SZ 4096 /* an object of this size has a zspage of one page */

/* ---- making traces ------------------------------------------------------- */

static struct {
	struct zsr_event ev[1024];
	size_t nr;
	uint64_t objects;
	const char *text[8];
	unsigned texts, tasks, pools;
} made;

static char db_path[] = "/tmp/zsr-player.XXXXXX/zsr.db";
static struct zsr_db *db;
static struct zsr_profile profile;
static struct zsr_player_setup setup;
static struct zsr_run run;
static struct zsr_err err;

static inline void remove_db(void)
{
	zsr_db_close(db);
	unlink(db_path);
	*strrchr(db_path, '/') = '\0';
	rmdir(db_path);
}

static inline void start(unsigned tasks)
{
	char *slash = strrchr(db_path, '/');

	if (!db) {
		*slash = '\0';
		ck_assert_ptr_nonnull(mkdtemp(db_path));
		*slash = '/';
		ck_assert_int_eq(zsr_db_open(&db, db_path, ZSR_DB_CREATE, &err),
				 0);
		atexit(remove_db);
	}
	memset(&made, 0, sizeof(made));
	made.tasks = tasks;
	made.pools = 1;
	memset(&profile, 0, sizeof(profile));
	profile.slice = PS(3 * MS);
	profile.pause = PS(MS);
	profile.pcp_batch = 63;
	profile.pcp_high = 378;
	profile.memory = 1 << 30;
	setup = (struct zsr_player_setup){
		.policy = &zsr_policy_class_idx,
		.cpus = 4,
		.seed = 1,
		.gaps = ZSR_GAPS_RECORDED,
		.outer = ZSR_OUTER_NONE,
	};
}

static inline struct zsr_event *event(unsigned kind, uint64_t t_ns,
				      unsigned task)
{
	struct zsr_event *ev = &made.ev[made.nr++];

	ck_assert_uint_le(made.nr, ZSR_ARRAY_SIZE(made.ev));
	*ev = (struct zsr_event){ .kind = kind,
				  .t_ns = t_ns,
				  .task = task,
				  .obj = ZSR_OBJ_NONE,
				  .slot = -1,
				  .cgroup = -1 };
	return ev;
}

static inline uint64_t store(uint64_t t_ns, unsigned task, uint32_t size)
{
	struct zsr_event *ev = event(ZSR_EV_MALLOC, t_ns, task);

	ev->obj = made.objects++;
	ev->size = size;
	return ev->obj;
}

static inline struct zsr_event *release(uint64_t t_ns, unsigned task,
					uint64_t obj)
{
	struct zsr_event *ev = event(ZSR_EV_FREE, t_ns, task);

	ev->obj = obj;
	ev->dur_ns = 1;
	ev->caller = ZSR_CALLER_SWAP_RELEASE;
	return ev;
}

static inline void mark(uint64_t t_ns, unsigned task, const char *text)
{
	struct zsr_event *ev = event(ZSR_EV_MARK, t_ns, task);

	made.text[made.texts] = text;
	ev->aux = made.texts++;
}

/* ---- playing them ---------------------------------------------------------- */

static inline void write_trace(struct zsr_trace *t)
{
	struct zsr_task task = { .comm = "task" };
	struct zsr_writer *w;
	unsigned i;

	*t = (struct zsr_trace){ .name = "made",
				 .kernel = "6.12",
				 .page_size = 4096,
				 .chain_size = 8 };
	ck_assert_msg(!zsr_writer_begin(db, t, &w, &err), "%s", err.msg);
	for (i = 0; i < made.tasks; i++) {
		task.row = i;
		task.pid = (int32_t)i + 1;
		ck_assert_int_eq(zsr_writer_task(w, &task, &err), 0);
	}
	for (i = 0; i < made.pools; i++)
		ck_assert_int_eq(
			zsr_writer_row(w, ZSR_TABLE_POOLS, i, "", "zram", &err),
			0);
	for (i = 0; i < made.texts; i++)
		ck_assert_int_eq(zsr_writer_row(w, ZSR_TABLE_MARKS, i, "",
						made.text[i], &err),
				 0);
	ck_assert_msg(!zsr_writer_add(w, made.ev, made.nr, &err), "%s", err.msg);
	ck_assert_msg(!zsr_writer_commit(w, t, &err), "%s", err.msg);
}

static inline void param(uint64_t *params, const char *name, uint64_t value)
{
	unsigned i = 0;

	while (strcmp(setup.policy->params[i].name, name))
		i++;
	params[i] = value;
}

/* The policy is `deferred`, with PAGES pages of ENTRIES handles, all drained by
 * one run of the worker. */
static inline void defer(uint64_t pages, uint64_t entries)
{
	static uint64_t params[ZSR_MAX_PARAMS];
	unsigned i;

	setup.policy = &zsr_policy_deferred;
	for (i = 0; i < setup.policy->nr_params; i++)
		params[i] = setup.policy->params[i].def;
	param(params, "pool-pages", pages);
	param(params, "page-entries", entries);
	param(params, "run-pages", 32);
	setup.params = params;
}

static inline int play_trace(const struct zsr_trace *trace)
{
	uint64_t params[ZSR_MAX_PARAMS];
	struct zsr_releases releases = { 0 };
	unsigned i;
	int ret;

	setup.db = db;
	setup.trace = trace;
	setup.profile = &profile;
	setup.model = zsr_model_find("6.12");
	if (!setup.params) {
		for (i = 0; i < setup.policy->nr_params; i++)
			params[i] = setup.policy->params[i].def;
		setup.params = params;
	}
	if (setup.policy->flags & ZSR_POLICY_GATED)
		ck_assert_int_eq(zsr_releases_scan(&releases, db, trace,
						   profile.pause / PS(1), &err),
				 0);
	setup.releases = &releases;
	ck_assert_int_eq(zsr_run_init(&run, &err), 0);
	ret = zsr_player_run(&setup, &run, &err);
	zsr_releases_free(&releases);
	setup.params = NULL;
	return ret;
}

static inline int try_play(void)
{
	struct zsr_trace trace;

	write_trace(&trace);
	return play_trace(&trace);
}

static inline void play(void)
{
	ck_assert_msg(!try_play(), "%s", err.msg);
}

/* The series' value at T, 0 before its first point. */
static inline uint64_t at(const struct zsr_series *s, uint64_t t_ns)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < s->nr && s->points[i].t_ns <= t_ns; i++)
		value = s->points[i].value;
	return value;
}

#define AT(name, t_ns) at(&run.series[ZSR_SERIES_##name], t_ns)

#endif
