// SPDX-License-Identifier: GPL-2.0-only
/* Each view of the schema against a computation by hand from all events; size
 * classes against the engine's. */
#include "db/t/query.h"
#include "replay/engine/engine.h"

/* ---- rows as text, a line each ------------------------------------------- */

static int put_line(void *ctx, int ncol, const char *const *names,
		    const char *const *values, const enum zsr_sql_type *types)
{
	FILE *f = ctx;
	int i;

	for (i = 0; values && i < ncol; i++)
		fprintf(f, "%s%s", values[i] ? values[i] : "NULL",
			i + 1 < ncol ? "|" : "\n");
	return 0;
}

static char *rows_of(struct zsr_db *db, const char *sql)
{
	struct zsr_err e = { 0 };
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	ck_assert_msg(!zsr_db_sql(db, sql, put_line, f, &e), "%s: %s", sql,
		      e.msg);
	fclose(f);
	return text;
}

/* All events of a trace. */
struct events {
	struct zsr_event *ev;
	uint64_t *birth;
	size_t nr;
	size_t cap;
	size_t cap_births;
};

static void read_events(struct zsr_db *db, int64_t trace, struct events *all)
{
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	size_t k;
	int n;

	memset(all, 0, sizeof(*all));
	OK(zsr_cursor_open(db, trace, &c, &e));
	OK(zsr_cursor_want_births(c, &e));
	while ((n = zsr_cursor_next(c, &ev, &e)) > 0) {
		k = (size_t)n;
		ck_assert(!zsr_grow(&all->ev, &all->cap, all->nr + k,
				    sizeof(*ev)));
		ck_assert(!zsr_grow(&all->birth, &all->cap_births, all->nr + k,
				    sizeof(*all->birth)));
		memcpy(all->ev + all->nr, ev, k * sizeof(*ev));
		memcpy(all->birth + all->nr, zsr_cursor_births(c),
		       k * sizeof(*all->birth));
		all->nr += k;
	}
	ck_assert_msg(n == 0, "%s", e.msg);
	zsr_cursor_close(c);
}

/* The rows of SQL are those that BY_HAND prints of trace 1 ("a"), then of 2. */
static void compare(const char *sql, void (*by_hand)(FILE *f, const char *name,
						     const struct events *all))
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char *got = rows_of(db, sql), *want = NULL;
	struct events all;
	size_t size;
	FILE *f = open_memstream(&want, &size);
	int64_t trace;

	for (trace = 1; trace <= 2; trace++) {
		read_events(db, trace, &all);
		by_hand(f, trace == 1 ? "a" : "b", &all);
		free(all.ev);
		free(all.birth);
	}
	fclose(f);
	ck_assert_uint_gt(strlen(want), 20);
	ck_assert_str_eq(got, want);
	free(got);
	free(want);
	zsr_db_close(db);
	gen_cleanup(path);
}

/* ---- views over events ---------------------------------------------------- */

static void hand_live(FILE *f, const char *name, const struct events *all)
{
	uint64_t step, t, before = 0;
	int64_t objects = 0, bytes = 0;
	const struct zsr_event *ev;
	bool any = false;
	size_t i;

	step = (all->ev[all->nr - 1].t_ns - all->ev[0].t_ns) / 1000 + 1;
	for (i = 0; i < all->nr; i++) {
		ev = &all->ev[i];
		if (ev->obj == ZSR_OBJ_NONE)
			continue;
		t = (ev->t_ns / step + 1) * step;
		if (any && t != before)
			fprintf(f, "%s|%" PRIu64 "|%" PRId64 "|%" PRId64 "\n",
				name, before, objects, bytes);
		before = t;
		any = true;
		objects += ev->kind == ZSR_EV_MALLOC ? 1 : -1;
		bytes += ev->kind == ZSR_EV_MALLOC ? ev->size
						   : -(int64_t)ev->size;
	}
	fprintf(f, "%s|%" PRIu64 "|%" PRId64 "|%" PRId64 "\n", name, before,
		objects, bytes);
}

START_TEST(live_bytes)
{
	compare("SELECT * FROM live_bytes ORDER BY trace, t_ns", hand_live);
}
END_TEST

static void hand_sizes(FILE *f, const char *name, const struct events *all)
{
	uint64_t count[4096 / 256 + 1] = { 0 };
	size_t i;

	for (i = 0; i < all->nr; i++)
		if (all->ev[i].kind == ZSR_EV_MALLOC)
			count[all->ev[i].size / 256]++;
	for (i = 0; i < ZSR_ARRAY_SIZE(count); i++)
		if (count[i])
			fprintf(f, "%s|%zu|%" PRIu64 "\n", name, 256 * i,
				count[i]);
}

START_TEST(size_histogram)
{
	compare("SELECT * FROM size_histogram ORDER BY trace, size_from",
		hand_sizes);
}
END_TEST

static void hand_lives(FILE *f, const char *name, const struct events *all)
{
	uint64_t count[65] = { 0 }, bytes[65] = { 0 }, us;
	unsigned row;
	size_t i;

	for (i = 0; i < all->nr; i++) {
		if (all->birth[i] == UINT64_MAX)
			continue;
		us = (all->ev[i].t_ns - all->birth[i]) / 1000;
		for (row = 0; us; row++)
			us /= 2;
		count[row]++;
		bytes[row] += all->ev[i].size;
	}
	for (row = 0; row < 65; row++)
		if (count[row])
			fprintf(f, "%s|%llu|%" PRIu64 "|%" PRIu64 "\n", name,
				row ? 1000ull << (row - 1) : 0, count[row],
				bytes[row]);
}

START_TEST(lifetime_histogram)
{
	compare("SELECT * FROM lifetime_histogram ORDER BY trace, life_from_ns",
		hand_lives);
}
END_TEST

static void hand_tasks(FILE *f, const char *name, const struct events *all)
{
	uint64_t frees, bytes, first, last;
	const struct zsr_event *ev;
	unsigned task;
	size_t i;

	for (task = 0; task < 5; task++) {
		frees = bytes = last = 0;
		first = UINT64_MAX;
		for (i = 0; i < all->nr; i++) {
			ev = &all->ev[i];
			if (ev->kind != ZSR_EV_FREE || ev->task != task)
				continue;
			frees++;
			bytes += ev->size;
			first = zsr_min(first, ev->t_ns);
			last = zsr_max(last, ev->t_ns + ev->dur_ns);
		}
		if (frees)
			fprintf(f,
				"%s|%u|task%u|%" PRIu64 "|%" PRIu64 "|%" PRIu64
				"|%" PRIu64 "\n",
				name, 100 + task, task, frees, bytes, first,
				last);
	}
}

START_TEST(task_frees)
{
	compare("SELECT * FROM task_frees ORDER BY trace, pid", hand_tasks);
}
END_TEST

static unsigned engine_class(const struct zsr_engine *engine, unsigned size)
{
	struct zsr_class_info info;
	int class = zsr_engine_size_class(engine, size);

	if (class < 0)
		return 0;
	ck_assert(zsr_engine_class_info(engine, (unsigned)class, &info));
	return info.size;
}

static void end_run(FILE *f, const char *name, unsigned task, unsigned class,
		    unsigned length, uint64_t t_ns)
{
	if (class && length)
		fprintf(f, "%s|%u|task%u|%u|%u|%" PRIu64 "\n", name, 100 + task,
			task, class, length, t_ns);
}

static void hand_runs(FILE *f, const char *name, const struct events *all)
{
	struct zsr_trace facts = gen_facts(name);
	unsigned task, class, before, length;
	struct zsr_engine *engine;
	struct zsr_err e = { 0 };
	uint64_t t;
	size_t i;

	OK(zsr_engine_create(&engine, zsr_model_find(facts.kernel),
			     facts.page_size, facts.chain_size, &e));
	for (task = 0; task < 5; task++) {
		before = length = 0;
		t = 0;
		for (i = 0; i < all->nr; i++) {
			const struct zsr_event *ev = &all->ev[i];

			if (ev->kind != ZSR_EV_FREE || ev->task != task)
				continue;
			class = engine_class(engine, ev->size);
			if (class != before) {
				end_run(f, name, task, before, length, t);
				length = 0;
			}
			before = class;
			length++;
			t = ev->t_ns;
		}
		end_run(f, name, task, before, length, t);
	}
	zsr_engine_destroy(engine);
}

START_TEST(class_runs)
{
	compare("SELECT c.trace, c.pid, c.comm, class, length, t_ns "
		"FROM class_runs c JOIN trace t ON t.name = c.trace "
		"JOIN task k ON k.trace = t.id AND k.pid = c.pid "
		"ORDER BY t.id, k.nr, t_ns",
		hand_runs);
}
END_TEST

/* Every size under every rule and geometry. */
START_TEST(classes)
{
	static const char *const kernels[] = { "5.10.262", "6.1.0-56-arm64",
					       "6.2.9",    "6.3.1",
					       "6.12.117", "7.3.4" };
	static const unsigned pages[] = { 4096, 16384, 65536 };
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	char sql[300], want[24], *got, *next;
	unsigned k, p, chain, size, step;
	struct zsr_engine *engine;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	for (k = 0; k < ZSR_ARRAY_SIZE(kernels); k++)
		for (p = 0; p < ZSR_ARRAY_SIZE(pages); p++)
			for (chain = 4; chain <= 16; chain += 3) {
				step = pages[p] / 4096 * 3;
				OK(zsr_engine_create(&engine,
						     zsr_model_find(kernels[k]),
						     pages[p], chain, &e));
				snprintf(sql, sizeof(sql),
					 "WITH RECURSIVE s(n) AS (SELECT 1 "
					 "UNION ALL SELECT n + %u FROM s WHERE "
					 "n < %u) SELECT zsr_class(n, '%s', "
					 "%u, %u) FROM s",
					 step, pages[p], kernels[k], pages[p],
					 chain);
				got = next = rows_of(db, sql);
				for (size = 1; size <= pages[p]; size += step) {
					snprintf(want, sizeof(want), "%u\n",
						 engine_class(engine, size));
					ck_assert_msg(!strncmp(next, want,
							       strlen(want)),
						      "%s %u %u: size %u",
						      kernels[k], pages[p],
						      chain, size);
					next += strlen(want);
				}
				free(got);
				zsr_engine_destroy(engine);
			}
	got = rows_of(db, "SELECT zsr_class(0, '6.12', 4096, 8), "
			  "zsr_class(4097, '6.12', 4096, 8), "
			  "zsr_class(1, 'x', 4096, 8), "
			  "zsr_class(1, NULL, 4096, 8), "
			  "zsr_class(NULL, '6.12', 4096, 8), "
			  "zsr_class(1, '6.12', 4095, 8), "
			  "zsr_class(1, '6.12', 4096, 0), "
			  "zsr_class(1, '6.12', 4096, 1 << 40)");
	ck_assert_str_eq(got, "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL\n");
	free(got);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* ---- runs ------------------------------------------------------------------- */

static void store_run(struct zsr_db *db, const char *policy, uint64_t first)
{
	struct zsr_err e = { 0 };
	struct zsr_run run;
	uint64_t *v;

	OK(zsr_run_init(&run, &e));
	run.trace = 1;
	strcpy(run.trace_name, "a");
	strcpy(run.policy, policy);
	strcpy(run.profile, "rpi4b");
	run.profile_text = strdup("");
	run.params = strdup("batch=32");
	run.seed = first;
	for (v = (uint64_t *)&run.v; v < (uint64_t *)(&run.v + 1); v++)
		*v = first++;
	run.v.at_100_ns = UINT64_MAX;
	zsr_run_digest(&run);
	OK(zsr_run_store(db, &run, &e));
	zsr_run_free(&run);
}

/* Each result of run_results is the run's value of that name. */
START_TEST(run_results)
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char *got, sql[300], *columns, *c, *last;
	unsigned nr = 0;

	store_run(db, "sync", 1000);
	store_run(db, "deferred", 5000);
	got = rows_of(db, "SELECT run, trace, policy, params, profile, seed, "
			  "at_100_ns FROM run_results");
	ck_assert_str_eq(got, "1|a|sync|batch=32|rpi4b|1000|NULL\n"
			      "2|a|deferred|batch=32|rpi4b|5000|NULL\n");
	free(got);
	columns = rows_of(db, "SELECT group_concat(name, ' ') FROM "
			      "pragma_table_info('run_results') "
			      "WHERE cid > 5");
	columns[strcspn(columns, "\n")] = 0;
	for (c = strtok_r(columns, " ", &last); c;
	     c = strtok_r(NULL, " ", &last), nr++) {
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM run_values v JOIN run_results r "
			 "USING (run) WHERE v.key = '%s' AND v.value IS r.%s",
			 c, c);
		got = rows_of(db, sql);
		ck_assert_msg(!strcmp(got, "2\n"), "%s", c);
		free(got);
	}
	ck_assert_uint_gt(nr, 15);
	free(columns);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/views", live_bytes, size_histogram, lifetime_histogram,
	      task_frees, class_runs, classes, run_results)
