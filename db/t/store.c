// SPDX-License-Identifier: GPL-2.0-only
/* Traces through the database and back; what is refused; that what is not
 * committed is not there. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "db/t/gen.h"
#include "tests/check.h"

#define OK(expr) ck_assert_msg((expr) == 0, "%s: %s", #expr, e.msg)

static void add_rows(struct zsr_writer *w, unsigned nr_tasks)
{
	struct zsr_err e = { 0 };
	struct zsr_task task;
	unsigned i;

	for (i = 0; i < nr_tasks; i++) {
		task = (struct zsr_task){ .row = i, .pid = (int32_t)i + 100 };
		snprintf(task.comm, sizeof(task.comm), "task%u", i);
		OK(zsr_writer_task(w, &task, &e));
	}
	for (i = 0; i < 3; i++)
		OK(zsr_writer_row(w, ZSR_TABLE_POOLS, i, "", "zram", &e));
}

/* (Every assertion is a message to the test's parent: none in loops.) */
static void add_events(struct zsr_writer *w, struct gen *g, size_t n,
		       struct zsr_event *keep)
{
	struct zsr_err e = { 0 };
	struct zsr_event ev;
	int ret = 0;
	size_t i;

	for (i = 0; i < n && !ret; i++) {
		ev = gen_event(g);
		if (keep)
			keep[i] = ev;
		ret = zsr_writer_add(w, &ev, 1, &e);
	}
	OK(ret);
}

/* Writes a trace of n events from SEED. */
static struct zsr_trace write_trace(struct zsr_db *db, const char *name,
				    uint64_t seed, size_t n, bool extreme,
				    struct zsr_event *keep)
{
	struct gen g = { .rng = { seed }, .nr_tasks = 5, .extreme = extreme };
	struct zsr_trace t = gen_facts(name);
	struct zsr_err e = { 0 };
	struct zsr_writer *w;

	OK(zsr_writer_begin(db, &t, &w, &e));
	add_rows(w, 5);
	add_events(w, &g, n, keep);
	OK(zsr_writer_row(w, ZSR_TABLE_MARKS, 0, "", "snap:start", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "arch", "arm64", &e));
	OK(zsr_writer_row(w, ZSR_TABLE_ODD, -1, "lost", "7", &e));
	OK(zsr_writer_commit(w, &t, &e));
	free(g.live);
	return t;
}

static void compare_events(struct zsr_db *db, const struct zsr_trace *t,
			   const struct zsr_event *want, size_t n)
{
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	size_t done = 0;
	int got;

	OK(zsr_cursor_open(db, t->id, &c, &e));
	while ((got = zsr_cursor_next(c, &ev, &e)) > 0) {
		int i;

		ck_assert_uint_le(done + (size_t)got, n);
		for (i = 0; i < got; i++, done++)
			if (!gen_same(&ev[i], &want[done]))
				ck_abort_msg("event %zu differs", done);
	}
	ck_assert_msg(got == 0, "%s", e.msg);
	ck_assert_uint_eq(done, n);
	zsr_cursor_close(c);
}

/* Three chunks and a bit, tame and extreme, come back as they were. */
/* Every field; the bytes between them are anybody's. */
static void same_trace(const struct zsr_trace *a, const struct zsr_trace *b)
{
	ck_assert_int_eq(a->id, b->id);
	ck_assert_str_eq(a->name, b->name);
	ck_assert_str_eq(a->kernel, b->kernel);
	ck_assert_str_eq(a->lock_gen, b->lock_gen);
	ck_assert_str_eq(a->format, b->format);
	ck_assert_str_eq(a->clock, b->clock);
	ck_assert_str_eq(a->digest, b->digest);
	ck_assert_uint_eq(a->page_size, b->page_size);
	ck_assert_uint_eq(a->chain_size, b->chain_size);
	ck_assert_uint_eq(a->fact_flags, b->fact_flags);
	ck_assert_uint_eq(a->times, b->times);
	ck_assert_uint_eq(a->nr_cpus, b->nr_cpus);
	ck_assert_uint_eq(a->nr_tasks, b->nr_tasks);
	ck_assert_uint_eq(a->nr_pools, b->nr_pools);
	ck_assert_int_eq(a->from_empty, b->from_empty);
	ck_assert_int_eq(a->has_dur, b->has_dur);
	ck_assert_uint_eq(a->nr_events, b->nr_events);
	ck_assert_uint_eq(a->nr_mallocs, b->nr_mallocs);
	ck_assert_uint_eq(a->nr_frees, b->nr_frees);
	ck_assert_uint_eq(a->nr_objects, b->nr_objects);
	ck_assert_uint_eq(a->duration_ns, b->duration_ns);
}

START_TEST(round_trip)
{
	const size_t n = 100000;
	const char *path = gen_path();
	struct zsr_event *keep = malloc(n * sizeof(*keep));
	struct zsr_trace t, again;
	struct zsr_err e = { 0 };
	struct zsr_db *db;
	int extreme;

	for (extreme = 0; extreme < 2; extreme++) {
		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		t = write_trace(db, "t", 1, n, extreme, keep);
		zsr_db_close(db);
		OK(zsr_db_open(&db, path, ZSR_DB_READONLY, &e));
		OK(zsr_trace_find(db, t.name, &again, &e));
		same_trace(&t, &again);
		compare_events(db, &t, keep, n);
		zsr_db_close(db);
	}
	ck_assert_str_eq(t.name, "t-2");
	ck_assert_str_eq(t.lock_gen, "6.12");
	free(keep);
	gen_cleanup(path);
}
END_TEST

/* The digest depends on events and facts, not on name or on what else there
 * is; one changed field changes it. */
START_TEST(digests)
{
	const char *path = gen_path();
	struct zsr_trace a, b, c, d;
	struct zsr_err e = { 0 };
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	a = write_trace(db, "a", 1, 40000, true, NULL);
	b = write_trace(db, "b", 1, 40000, true, NULL);
	c = write_trace(db, "c", 2, 40000, true, NULL);
	d = write_trace(db, "d", 1, 39999, true, NULL);
	ck_assert_str_eq(a.digest, b.digest);
	ck_assert_str_ne(a.digest, c.digest);
	ck_assert_str_ne(a.digest, d.digest);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

static int count_row(void *ctx, int64_t nr, const char *key, const char *value)
{
	char *to = ctx;

	sprintf(to + strlen(to), "%d:%s=%s;", (int)nr, key, value);
	return 0;
}

static int count_task(void *ctx, const struct zsr_task *t)
{
	unsigned *nr = ctx;

	ck_assert_uint_eq(t->row, *nr);
	ck_assert_int_eq(t->pid, (int)*nr + 100);
	++*nr;
	return 0;
}

START_TEST(tables)
{
	struct gen g = { .rng = { 3 }, .nr_tasks = 5 };
	const char *path = gen_path();
	char text[4096], longer[3000];
	struct zsr_err e = { 0 };
	struct zsr_writer *w;
	struct zsr_trace t;
	struct zsr_db *db;
	unsigned nr = 0;

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	t = write_trace(db, "t", 1, 10, false, NULL);
	OK(zsr_trace_tasks(db, t.id, count_task, &nr, &e));
	ck_assert_uint_eq(nr, 5);
	text[0] = 0;
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_MARKS, count_row, text, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_POOLS, count_row, text, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_META, count_row, text, &e));
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_ODD, count_row, text, &e));
	ck_assert_str_eq(text, "0:=snap:start;0:=zram;1:=zram;2:=zram;"
			       "-1:arch=arm64;-1:lost=7;");
	/* Long values, and one that replaces another. */
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	t = gen_facts("long");
	OK(zsr_writer_begin(db, &t, &w, &e));
	add_rows(w, 5);
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "k", longer, &e));
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "l", longer, &e));
	longer[0] = 'y';
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "k", longer, &e));
	OK(zsr_writer_row(w, ZSR_TABLE_META, -1, "l", "short", &e));
	add_events(w, &g, 3, NULL);
	free(g.live);
	OK(zsr_writer_commit(w, &t, &e));
	text[0] = 0;
	OK(zsr_trace_rows(db, t.id, ZSR_TABLE_META, count_row, text, &e));
	ck_assert_uint_eq(strlen(text), 5 + 2999 + 1 + 11);
	ck_assert_int_eq(text[5], 'y');
	ck_assert_str_eq(text + 5 + 2999, ";-1:l=short;");
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* What a writer may not add, each with its reason. */
START_TEST(refused_events)
{
	static const struct {
		struct zsr_event ev;
		const char *why;
	} bad[] = {
		{ { .t_ns = 5, .obj = 1 }, "time goes backwards" },
		{ { .t_ns = 1ull << 63, .obj = 1 }, "beyond 2^63" },
		{ { .t_ns = 10, .obj = 2 }, "a malloc out of number" },
		{ { .t_ns = 10, .obj = 0, .kind = ZSR_EV_FREE, .caller = 99 },
		  "unknown caller" },
		{ { .t_ns = 10, .obj = 1, .kind = ZSR_EV_FREE }, "not alive" },
		{ { .t_ns = 10, .obj = ZSR_OBJ_NONE, .kind = ZSR_EV_FREE },
		  "is no orphan" },
		{ { .t_ns = 10, .obj = 0, .kind = ZSR_EV_MARK },
		  "an object where none" },
		{ { .t_ns = 10, .kind = ZSR_EV_NR }, "unknown kind" },
	};
	struct zsr_event first = { .t_ns = 10, .size = 100 };
	const char *path = gen_path();
	struct zsr_trace t;
	struct zsr_writer *w;
	struct zsr_db *db;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(bad); i++) {
		struct zsr_err e = { 0 };

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		t = gen_facts("t");
		OK(zsr_writer_begin(db, &t, &w, &e));
		OK(zsr_writer_add(w, &first, 1, &e));
		ck_assert_int_lt(zsr_writer_add(w, &bad[i].ev, 1, &e), 0);
		ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
		ck_assert_msg(strstr(e.msg, bad[i].why) != NULL, "%s", e.msg);
		zsr_writer_abort(w);
		zsr_db_close(db);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	gen_cleanup(path);
}
END_TEST

/* Commit refuses: no event, a task or pool without a row, facts that cannot
 * be. */
START_TEST(refused_traces)
{
	struct zsr_event first = { .t_ns = 10, .size = 100 };
	const char *path = gen_path();
	struct zsr_trace t;
	struct zsr_writer *w;
	struct zsr_db *db;
	unsigned i;

	for (i = 0; i < 6; i++) {
		static const char *const why[] = {
			"no event", "task 5 of 5", "pool 3 of 3",
			"banana",   "5000",        "chain size 3"
		};
		struct zsr_err e = { 0 };

		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		t = gen_facts("t");
		if (i == 3)
			strcpy(t.kernel, "banana");
		t.page_size = i == 4 ? 5000 : 4096;
		t.chain_size = i == 5 ? 3 : 4;
		OK(zsr_writer_begin(db, &t, &w, &e));
		add_rows(w, 5);
		first.task = i == 1 ? 5 : 4;
		first.pool = i == 2 ? 3 : 2;
		if (i)
			OK(zsr_writer_add(w, &first, 1, &e));
		ck_assert_int_lt(zsr_writer_commit(w, &t, &e), 0);
		ck_assert_msg(strstr(e.msg, why[i]) != NULL, "%s", e.msg);
		ck_assert_int_eq(e.kind, i < 3 ? ZSR_ERR_INPUT : ZSR_ERR_USAGE);
		zsr_db_close(db);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	gen_cleanup(path);
}
END_TEST

static void write_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	ck_assert_int_eq((int)write(fd, p, n), (int)n);
	close(fd);
}

/* Runs SQL with the stock shell's library on a file. */
static void shell(const char *path, const char *sql)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "sqlite3 %s \"%s\" > /dev/null", path, sql);
	ck_assert_int_eq(system(cmd), 0);
}

static void refused(const char *path, unsigned flags, const char *why)
{
	char before[64], after[64], cmd[128];
	struct zsr_err e = { 0 };
	struct zsr_db *db;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "sha256sum < %s", path);
	f = popen(cmd, "r");
	ck_assert_ptr_nonnull(fgets(before, sizeof(before), f));
	pclose(f);
	ck_assert_int_lt(zsr_db_open(&db, path, flags, &e), 0);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	ck_assert_msg(strstr(e.msg, why) != NULL, "%s", e.msg);
	ck_assert_ptr_null(db);
	f = popen(cmd, "r");
	ck_assert_ptr_nonnull(fgets(after, sizeof(after), f));
	pclose(f);
	ck_assert_str_eq(before, after);
}

START_TEST(refused_files)
{
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_db *db;
	unsigned flags;

	ck_assert_int_lt(zsr_db_open(&db, path, 0, &e), 0);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_lt(zsr_db_open(&db, "/tmp", ZSR_DB_CREATE, &e), 0);
	ck_assert_int_lt(zsr_db_open(&db, "/nowhere/x.db", ZSR_DB_CREATE, &e),
			 0);
	ck_assert_int_eq(e.kind, ZSR_ERR_SYSTEM);
	for (flags = 0; flags <= ZSR_DB_READONLY; flags++) {
		write_file(path, "hello", 5);
		refused(path, flags, "no SQLite database");
		unlink(path);
		shell(path, "create table x(y); insert into x values(1)");
		refused(path, flags, "no zsr database");
		unlink(path);
		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		write_trace(db, "t", 1, 10, false, NULL);
		zsr_db_close(db);
		shell(path,
		      "pragma journal_mode=delete; pragma user_version=9");
		refused(path, flags, "newer");
		shell(path, "pragma user_version=1");
		refused(path, flags, "import its traces again");
		unlink(path);
	}
	gen_cleanup(path);
}
END_TEST

/* No log is left; an empty file becomes a database; two names that mean
 * memory to SQLite are files to us. */
START_TEST(files)
{
	const char *path = gen_path();
	char other[80], dir[64];
	struct zsr_err e = { 0 };
	struct zsr_trace t;
	struct zsr_db *db;
	struct stat st;
	unsigned i;

	write_file(path, "", 0);
	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	t = write_trace(db, "t", 1, 10, false, NULL);
	zsr_db_close(db);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt((int)st.st_size, 100000);
	OK(zsr_db_open(&db, path, ZSR_DB_READONLY, &e));
	OK(zsr_trace_find(db, "t", &t, &e));
	ck_assert_int_lt(zsr_trace_find(db, "u", &t, &e), 0);
	ck_assert_msg(strstr(e.msg, "there are: t") != NULL, "%s", e.msg);
	zsr_db_close(db);
	for (i = 0; i < 2; i++) {
		snprintf(other, sizeof(other), "%s%s", path,
			 i ? "-shm" : "-wal");
		ck_assert_int_ne(access(other, F_OK), 0);
	}
	snprintf(dir, sizeof(dir), "%.*s", (int)strlen(path) - 5, path);
	ck_assert_int_eq(chdir(dir), 0);
	OK(zsr_db_open(&db, ":memory:", ZSR_DB_CREATE, &e));
	write_trace(db, "t", 1, 10, false, NULL);
	zsr_db_close(db);
	ck_assert_int_eq(access(":memory:", F_OK), 0);
	gen_cleanup(path);
}
END_TEST

static void cannot_read(const char *path, const char *why)
{
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	struct zsr_db *db;
	int n;

	OK(zsr_db_open(&db, path, ZSR_DB_READONLY, &e));
	OK(zsr_cursor_open(db, 1, &c, &e));
	while ((n = zsr_cursor_next(c, &ev, &e)) > 0)
		;
	ck_assert_int_lt(n, 0);
	ck_assert_int_eq(e.kind, ZSR_ERR_INPUT);
	ck_assert_msg(!strncmp(e.msg, "trace 't': ", 11), "%s", e.msg);
	ck_assert_msg(strstr(e.msg, why) != NULL, "%s", e.msg);
	zsr_cursor_close(c);
	zsr_db_close(db);
}

/* Damage names trace and chunk. */
START_TEST(damaged)
{
	static const struct {
		const char *sql;
		const char *why;
	} damage[] = {
		{ "update chunk set data = zeroblob(length(data)) "
		  "where id & 3 = 1",
		  "chunk 1: its checksum is wrong" },
		{ "update chunk set xxh3 = xxh3 + 1 where id & 3 = 2",
		  "chunk 2: its checksum is wrong" },
		{ "delete from chunk where id & 3 = 1",
		  "chunk 1: it is missing" },
		{ "delete from chunk where id & 3 = 3",
		  "98304 events of 100000 are there" },
		{ "update chunk set t_max = t_max + 1 where id & 3 = 2",
		  "chunk 2: its content is not that of its row" },
		{ "update chunk set t_min = 0 where id & 3 = 2",
		  "chunk 2: it does not follow" },
		{ "update chunk set mallocs = mallocs + 1 where id & 3 = 2",
		  "chunk 2: its head" },
		{ "update chunk set events = 70000 where id & 3 = 2",
		  "chunk 2: its row makes no sense" },
		{ "update trace set nr_tasks = 2", "chunk 0: a value" },
		{ "update trace set nr_pools = 0",
		  "chunk 0: its trace has no" },
	};
	const char *path = gen_path();
	struct zsr_err e = { 0 };
	struct zsr_db *db;
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(damage); i++) {
		OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
		write_trace(db, "t", 1, 100000, false, NULL);
		zsr_db_close(db);
		shell(path, damage[i].sql);
		cannot_read(path, damage[i].why);
		unlink(path);
	}
	gen_cleanup(path);
}
END_TEST

/* Writes until it is killed. */
static void writer_child(const char *path, int fd)
{
	struct gen g = { .rng = { 9 }, .nr_tasks = 5 };
	struct zsr_trace t = gen_facts("killed");
	struct zsr_err e = { 0 };
	struct zsr_writer *w;
	struct zsr_db *db;

	OK(zsr_db_open(&db, path, 0, &e));
	for (;;) {
		OK(zsr_writer_begin(db, &t, &w, &e));
		ck_assert_int_eq((int)write(fd, "b", 1), 1);
		add_rows(w, 5);
		g = (struct gen){ .rng = { 9 }, .nr_tasks = 5 };
		add_events(w, &g, 70000, NULL);
		OK(zsr_writer_commit(w, &t, &e));
		strcpy(t.name, "killed");
	}
}

static int check_whole(void *ctx, const struct zsr_trace *t)
{
	unsigned *nr = ctx;

	ck_assert_uint_eq(t->nr_events, *nr ? 70000 : 100);
	++*nr;
	return 0;
}

/* kill -9 at any time: every trace that is there is whole. */
START_TEST(killed)
{
	const char *path = gen_path();
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	unsigned i, nr, most = 0;
	struct zsr_cursor *c;
	struct zsr_db *db;
	int64_t id;
	int p[2];

	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	write_trace(db, "t", 1, 100, false, NULL);
	zsr_db_close(db);
	for (i = 0; i < 15; i++) {
		int status, got;
		pid_t pid;
		char byte;

		ck_assert_int_eq(pipe(p), 0);
		pid = fork();
		if (!pid)
			writer_child(path, p[1]);
		ck_assert_int_eq((int)read(p[0], &byte, 1), 1);
		/* Now and then after its first commit. */
		if (i % 3 == 0)
			ck_assert_int_eq((int)read(p[0], &byte, 1), 1);
		usleep(i * 4000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		close(p[0]);
		close(p[1]);
		nr = 0;
		OK(zsr_db_open(&db, path, ZSR_DB_READONLY, &e));
		OK(zsr_trace_list(db, check_whole, &nr, &e));
		ck_assert_uint_ge(nr, most);
		most = nr;
		for (id = 1; id <= (int64_t)nr; id++) {
			OK(zsr_cursor_open(db, id, &c, &e));
			while ((got = zsr_cursor_next(c, &ev, &e)) > 0)
				;
			ck_assert_msg(got == 0, "%s", e.msg);
			zsr_cursor_close(c);
		}
		zsr_db_close(db);
	}
	ck_assert_uint_gt(most, 1);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/store", round_trip, digests, tables, refused_events,
	      refused_traces, refused_files, files, damaged, killed)
