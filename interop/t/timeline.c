// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traces and runs as Chrome JSON and as Perfetto protobuf: both are as their
 * documentation has them, say the same, and say what the database holds, names
 * of any bytes and events of any values included. The same bytes every time.
 */
#include "db/t/gen.h"
#include "interop/t/model.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

#define NR_EVENTS 20000
#define NR_TASKS  5

static const char *const hostile[NR_TASKS] = {
	"plain",
	"qu\"ote\\",
	"ctl\x01\x1f\n\t\x7f",
	"no\xff\xc3utf\x80",
	"\xe2\x82\xac</script>",
};
/* As they come back. */
static const char *const tamed[NR_TASKS] = {
	"plain",
	"qu\"ote\\",
	"ctl\x01\x1f\n\t\x7f",
	"no\xef\xbf\xbd\xef\xbf\xbdutf\xef\xbf\xbd",
	"\xe2\x82\xac</script>",
};

struct place {
	const char *path;
	char chrome[80];
	char perfetto[80];
	struct zsr_db *db;
};

static struct place open_place(void)
{
	struct place p = { .path = gen_path() };
	struct zsr_err e = { 0 };

	snprintf(p.chrome, sizeof(p.chrome), "%s.json", p.path);
	snprintf(p.perfetto, sizeof(p.perfetto), "%s.pftrace", p.path);
	OK(zsr_db_open(&p.db, p.path, ZSR_DB_CREATE, &e));
	return p;
}

static void close_place(struct place *p)
{
	zsr_db_close(p->db);
	gen_cleanup(p->path);
}

static void add_names(struct zsr_writer *w)
{
	struct zsr_err e = { 0 };
	unsigned i;

	for (i = 0; i < NR_TASKS; i++) {
		struct zsr_task task = { .row = i, .pid = (int32_t)i + 100 };

		strcpy(task.comm, hostile[i]);
		OK(zsr_writer_task(w, &task, &e));
		OK(zsr_writer_row(w, ZSR_TABLE_POOLS, i, "", hostile[i], &e));
		OK(zsr_writer_row(w, ZSR_TABLE_MARKS, i, "", hostile[i], &e));
	}
}

static struct zsr_trace write_trace(struct zsr_db *db, bool extreme,
				    struct zsr_event *keep)
{
	struct gen g = { .rng = { 7 }, .nr_tasks = NR_TASKS, .extreme = extreme };
	struct zsr_trace t = gen_facts("a \"b\\ \x02 \xfe");
	struct zsr_err e = { 0 };
	struct zsr_writer *w;
	size_t i;

	OK(zsr_writer_begin(db, &t, &w, &e));
	add_names(w);
	for (i = 0; i < NR_EVENTS; i++) {
		keep[i] = gen_event(&g);
		if (keep[i].kind == ZSR_EV_MARK && !extreme)
			keep[i].aux = i % NR_TASKS;
		else if (keep[i].kind > ZSR_EV_FREE && !extreme && i % 2)
			keep[i].dur_ns = 1 + i % 900;
	}
	OK(zsr_writer_add(w, keep, NR_EVENTS, &e));
	OK(zsr_writer_commit(w, &t, &e));
	free(g.live);
	return t;
}

/* What an event should have become. */
static void check_event(const struct item *it, const struct zsr_event *ev,
			uint64_t *end_ns, uint64_t *nr_crossing)
{
	uint64_t entry = ev->t_ns - (ev->kind == ZSR_EV_MALLOC ? ev->dur_ns : 0);
	bool fits = ev->dur_ns && entry <= ev->t_ns && entry >= *end_ns;
	bool malloc_ = ev->kind == ZSR_EV_MALLOC;
	double begin = (double)ev->t_ns - (malloc_ ? (double)ev->dur_ns : 0);
	char track[64];

	snprintf(track, sizeof(track), "%s-%u%s", tamed[ev->task],
		 ev->task + 100,
		 ev->kind == ZSR_EV_LOCK_WAIT ? " lock waits" : "");
	want(!strcmp(it->track, track));
	if (ev->kind != ZSR_EV_MARK || ev->aux >= NR_TASKS)
		want(!strcmp(it->name, zsr_event_kind_name(ev->kind)));
	else
		want(!strcmp(it->name, tamed[ev->aux]));
	want(it->phase == (fits ? 'X' : 'i'));
	if (fits) {
		*end_ns = entry + ev->dur_ns;
		want(same_time(it->begin_ns, begin));
		want(same_time(it->end_ns, begin + (double)ev->dur_ns));
	} else {
		want(same_time(it->begin_ns, (double)ev->t_ns));
		want(!ev->dur_ns == !strstr(it->args, "dur_ns="));
		*nr_crossing += ev->dur_ns != 0;
	}
}

static void check_trace(const struct model *m, const struct zsr_event *ev,
			uint64_t said)
{
	uint64_t live = 0, nr_crossing = 0, end_ns[NR_TASKS][2] = { 0 };
	size_t i, k = 0;

	for (i = 0; i < NR_EVENTS; i++) {
		want(k < m->nr);
		check_event(&m->item[k++], &ev[i],
			    &end_ns[ev[i].task][ev[i].kind == ZSR_EV_LOCK_WAIT],
			    &nr_crossing);
		if (ev[i].kind > ZSR_EV_FREE || ev[i].obj == ZSR_OBJ_NONE)
			continue;
		live += ev[i].kind == ZSR_EV_MALLOC ? ev[i].size
						    : -(uint64_t)ev[i].size;
		want(k < m->nr && m->item[k].phase == 'C');
		want(!strcmp(m->item[k].track, "live bytes"));
		want(same_time(m->item[k].begin_ns, (double)ev[i].t_ns));
		want(m->item[k++].value == (double)live);
	}
	want(k == m->nr);
	ck_assert_uint_eq(nr_crossing, said);
	in_order(m);
}

static void check_about(const struct model *m, const struct zsr_trace *t)
{
	char digest[ZSR_SHA_HEX + 16];

	ck_assert_str_eq(m->title, "trace a \"b\\ \x02 \xef\xbf\xbd");
	snprintf(digest, sizeof(digest), ";digest=%s;", t->digest);
	ck_assert_ptr_nonnull(strstr(m->about, digest));
	ck_assert_ptr_nonnull(strstr(m->about, "zsr=" ZSR_VERSION ";"));
	ck_assert_ptr_nonnull(strstr(m->about, "exact to the ns;"));
	ck_assert_ptr_nonnull(
		strstr(m->about, "pool.3=no\xef\xbf\xbd\xef\xbf\xbdutf"));
}

static void export_both(struct place *p, const struct zsr_trace *t,
			uint64_t *said)
{
	struct zsr_err e = { 0 };
	uint64_t again;

	OK(zsr_export_trace(p->db, t, ZSR_TIMELINE_CHROME, p->chrome, said, &e));
	OK(zsr_export_trace(p->db, t, ZSR_TIMELINE_PERFETTO, p->perfetto,
			    &again, &e));
	ck_assert_uint_eq(*said, again);
}

static void trace_of(bool extreme)
{
	struct zsr_event *ev = malloc(NR_EVENTS * sizeof(*ev));
	struct model chrome, perfetto;
	struct place p = open_place();
	struct zsr_trace t = write_trace(p.db, extreme, ev);
	uint64_t said;

	export_both(&p, &t, &said);
	ck_assert_uint_gt(said, 0);
	chrome = read_chrome(p.chrome);
	perfetto = read_perfetto(p.perfetto);
	check_about(&chrome, &t);
	check_trace(&chrome, ev, said);
	check_trace(&perfetto, ev, said);
	if (!extreme)
		same_model(&chrome, &perfetto);
	model_free(&chrome);
	model_free(&perfetto);
	close_place(&p);
	free(ev);
}

START_TEST(traces)
{
	trace_of(false);
}
END_TEST

START_TEST(extreme_trace)
{
	trace_of(true);
}
END_TEST

/* ---- runs ----------------------------------------------------------------- */

static void fill_series(struct zsr_run *run)
{
	uint64_t i, j;

	for (i = 0; i < ZSR_NR_RUN_SERIES; i++) {
		struct zsr_series *s = &run->series[i];

		s->nr = 100 * i;
		s->points = malloc((s->nr + 1) * sizeof(*s->points));
		for (j = 0; j < s->nr; j++)
			s->points[j] = (struct zsr_point){ j * 1000 + i,
							   j * 7919 % 1000 };
	}
}

/* Two CPUs; all of column 1, and more than that, of the second. */
static void fill_busy(struct zsr_run *run)
{
	static const uint64_t row[] = { 0, 1, 1 << 8 | 2, 1 << 8 | 3 };
	static const uint32_t cell[] = { 10, 0, 5, 20, 0, 0, 0, 60, 1, 0, 50, 2 };
	struct zsr_grid *g = &run->grid[ZSR_GRID_busy];

	*g = (struct zsr_grid){ .begin_ns = 5000,
				.step_ns = 100,
				.nr_cols = 3,
				.nr_rows = 4,
				.row = malloc(sizeof(row)),
				.cell = malloc(sizeof(cell)) };
	memcpy(g->row, row, sizeof(row));
	memcpy(g->cell, cell, sizeof(cell));
}

static void fill_run(struct zsr_run *run, int64_t trace)
{
	static const struct zsr_release release[] = {
		{ 1000, 2000, 7, 1 },
		{ 1500, 2500, 3, 3 },
		{ 1900, 3000, 2, 1 },
		{ 2000, 2000, 1, 1 },
	};
	struct zsr_err e = { 0 };

	OK(zsr_run_init(run, &e));
	run->id = 3;
	run->trace = trace;
	strcpy(run->trace_name, "t\xff\"");
	strcpy(run->policy, "deferred");
	strcpy(run->clock, "virtual");
	strcpy(run->digest, "d1935");
	run->params = strdup("batch=32");
	run->seed = UINT64_MAX;
	run->v.frees = 13;
	run->v.first_release_ns = 1000;
	run->v.last_return_ns = 3000;
	run->v.at_50_ns = 700;
	run->v.at_90_ns = run->v.at_99_ns = run->v.at_100_ns = UINT64_MAX;
	run->v.end_ns = 5000;
	run->releases = malloc(sizeof(release));
	memcpy(run->releases, release, sizeof(release));
	run->nr_releases = ZSR_ARRAY_SIZE(release);
	run->locks = calloc(1, sizeof(*run->locks));
	run->locks[0] = (struct zsr_run_lock){ "class", 512, 9, 8, 7, 6 };
	run->nr_locks = 1;
	run->steps = calloc(1, sizeof(*run->steps));
	run->steps[0] = (struct zsr_run_step){ "worker", "pop", 77 };
	run->nr_steps = 1;
	fill_series(run);
	fill_busy(run);
}

static void check_item(const struct item *it, char phase, const char *track,
		       const char *name, double begin_ns, double end_ns,
		       const char *args)
{
	ck_assert_int_eq(it->phase, phase);
	ck_assert_str_eq(it->track, track);
	ck_assert_str_eq(it->name, name);
	ck_assert(same_time(it->begin_ns, begin_ns));
	ck_assert(same_time(it->end_ns, end_ns));
	ck_assert_str_eq(it->args, args);
}

static void check_run(const struct model *m, const struct zsr_run *run,
		      const char *first, const char *second)
{
	const struct item *it = m->item;
	size_t i, k;

	check_item(it++, 'i', "stages", "first release", 1000, 1000, "");
	check_item(it++, 'i', "stages", "last caller returned", 3000, 3000, "");
	check_item(it++, 'i', "stages", "50 % of pages back", 1700, 1700, "");
	check_item(it++, 'i', "stages", "all idle", 5000, 5000, "");
	for (i = 0; i < ZSR_NR_RUN_SERIES; i++)
		for (k = 0; k < run->series[i].nr; k++, it++) {
			want(it->phase == 'C');
			want(same_time(it->begin_ns,
				       (double)run->series[i].points[k].t_ns));
			want(it->value == (double)run->series[i].points[k].value);
		}
	check_item(it++, 'X', first, "release", 1000, 2000, "objects=7;");
	check_item(it++, 'X', second, "release", 1500, 2500, "objects=3;");
	check_item(it++, 'i', first, "release", 1900, 1900,
		   "objects=2;end_ns=3000;");
	check_item(it++, 'X', first, "release", 2000, 2000, "objects=1;");
	check_item(it++, 'X', "CPU 0", "release", 5000, 5010, "");
	check_item(it++, 'X', "CPU 0", "worker", 5010, 5030, "");
	check_item(it++, 'X', "CPU 0", "release", 5200, 5205, "");
	check_item(it++, 'X', "CPU 1", "load", 5100, 5160, "");
	check_item(it++, 'X', "CPU 1", "other", 5160, 5210, "");
	check_item(it++, 'X', "CPU 1", "load", 5210, 5211, "");
	check_item(it++, 'X', "CPU 1", "other", 5211, 5213, "");
	ck_assert_uint_eq((size_t)(it - m->item), m->nr);
	ck_assert_ptr_nonnull(strstr(m->about, "lock.class-512.wait_ns=7;"));
	ck_assert_ptr_nonnull(strstr(m->about, "step.worker.pop_ns=77;"));
	ck_assert_ptr_nonnull(strstr(m->about, "value.frees=13;"));
	ck_assert_ptr_nonnull(strstr(m->about, "seed=18446744073709551615;"));
	ck_assert_ptr_null(strstr(m->about, "at_90"));
	in_order(m);
}

static void run_of(struct place *p, int64_t trace, const char *first,
		   const char *second)
{
	struct model chrome, perfetto;
	struct zsr_err e = { 0 };
	struct zsr_run run;

	fill_run(&run, trace);
	OK(zsr_export_run(p->db, &run, ZSR_TIMELINE_CHROME, p->chrome, &e));
	OK(zsr_export_run(p->db, &run, ZSR_TIMELINE_PERFETTO, p->perfetto, &e));
	chrome = read_chrome(p->chrome);
	perfetto = read_perfetto(p->perfetto);
	ck_assert_str_eq(chrome.title, "run #3 t\xef\xbf\xbd\" deferred");
	check_run(&chrome, &run, first, second);
	same_model(&chrome, &perfetto);
	model_free(&chrome);
	model_free(&perfetto);
	zsr_run_free(&run);
}

START_TEST(runs)
{
	struct zsr_event *ev = malloc(NR_EVENTS * sizeof(*ev));
	struct place p = open_place();
	struct zsr_trace t = write_trace(p.db, false, ev);

	run_of(&p, t.id, "qu\"ote\\-101",
	       "no\xef\xbf\xbd\xef\xbf\xbdutf\xef\xbf\xbd-103");
	/* Its trace is gone. */
	run_of(&p, 0, "task 1", "task 3");
	close_place(&p);
	free(ev);
}
END_TEST

/* ---- files ---------------------------------------------------------------- */

START_TEST(deterministic)
{
	struct zsr_event *ev = malloc(NR_EVENTS * sizeof(*ev));
	struct place p = open_place();
	struct zsr_trace t = write_trace(p.db, false, ev);
	size_t size[4];
	void *buf[4];
	uint64_t said;
	int i;

	for (i = 0; i < 4; i += 2) {
		export_both(&p, &t, &said);
		buf[i] = slurp(p.chrome, &size[i]);
		buf[i + 1] = slurp(p.perfetto, &size[i + 1]);
	}
	for (i = 0; i < 2; i++) {
		ck_assert_uint_gt(size[i], NR_EVENTS);
		ck_assert_uint_eq(size[i], size[i + 2]);
		ck_assert(!memcmp(buf[i], buf[i + 2], size[i]));
	}
	for (i = 0; i < 4; i++)
		free(buf[i]);
	close_place(&p);
	free(ev);
}
END_TEST

ZSR_TEST_MAIN("timeline", traces, extreme_trace, runs, deterministic)
