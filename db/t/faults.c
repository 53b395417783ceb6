// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever fails while a trace is imported, removed or merged or a run is
 * stored (each write, sync, truncation and deletion of a file, the process at
 * each of them, each allocation), the database is afterwards as it was before
 * or as it should be, and sound; and the same then works.
 */
#include <dirent.h>
#include <sys/wait.h>

#include "db/t/faults.h"
#include "db/t/feed.h"

/* ---- what is done ------------------------------------------------------------ */

static const char records[] =
	"0 0 5 P 1\n10 0 5 K begin\n20 0 5 M 1 100\n30 0 5 R 1\n"
	"40 1 6 D 1 3000 2\n50 0 5 F 1 1\n60 0 5 f\n70 1 6 F 1 9\n";

static char long_text[3000];
/* More than a chunk of them, and pages that spill; less where it is the
 * number of allocations that counts. */
static unsigned nr_more;

static int import(const char *path, unsigned flags, const char *name,
		  const char *text, struct zsr_err *e)
{
	const struct zsr_import_opts opts = { .name = name, .kernel = "6.12" };
	struct zsr_import *imp = NULL;
	struct zsr_sink *sink;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	unsigned i;
	int ret = zsr_db_open(&db, path, flags, e);

	if (!ret)
		ret = zsr_import_begin(db, &opts, &imp, e);
	if (!ret) {
		sink = zsr_import_sink(imp);
		ret = sink->meta(sink->ctx, "text", long_text, e);
		if (!ret)
			ret = feed(sink, text, e);
		for (i = 0; i < nr_more && !ret; i++) {
			struct zsr_rec r = { .t_ns = 100 + i * 7 % 90 + 90 * i,
					     .pid = 5,
					     .value = 1 + i * 31 % 4000,
					     .handle = HANDLE(100 + i % 5000),
					     .kind = ZSR_REC_MALLOC_DONE };

			ret = sink->recs(sink->ctx, &r, 1, e);
		}
		if (!ret)
			ret = zsr_import_finish(imp, &t, &odd, e);
		else
			zsr_import_abort(imp);
	}
	zsr_db_close(db);
	return ret;
}

static int do_import(const char *path, struct zsr_err *e)
{
	return import(path, ZSR_DB_CREATE, "new", records, e);
}

static int do_remove(const char *path, struct zsr_err *e)
{
	const char *name = "old";
	const struct zsr_remove what = { .traces = &name,
					 .nr_traces = 1,
					 .their_runs = ZSR_RUNS_REMOVE };
	struct zsr_removed removed;
	struct zsr_db *db;
	int ret = zsr_db_open(&db, path, 0, e);

	if (!ret)
		ret = zsr_db_remove(db, &what, &removed, e);
	zsr_db_close(db);
	return ret;
}

static char other[100]; /* the database that is merged */

static int do_merge(const char *path, struct zsr_err *e)
{
	const char *from = other;
	const struct zsr_merge_opts opts = { 0 };
	struct zsr_merged merged;
	struct zsr_db *db;
	int ret = zsr_db_open(&db, path, ZSR_DB_CREATE, e);

	if (!ret)
		ret = zsr_db_merge(db, &from, 1, &opts, &merged, e);
	zsr_db_close(db);
	return ret;
}

static int do_run(const char *path, struct zsr_err *e)
{
	struct zsr_trace t;
	struct zsr_run run;
	struct zsr_db *db;
	int ret = zsr_db_open(&db, path, 0, e);

	if (ret)
		return ret;
	ret = zsr_trace_find(db, "old", &t, e);
	if (!ret)
		ret = zsr_run_init(&run, e);
	if (!ret) {
		run.trace = t.id;
		strcpy(run.trace_name, t.name);
		strcpy(run.trace_digest, t.digest);
		strcpy(run.policy, "sync");
		run.v.frees = 7;
		zsr_hist_add(run.hist[0], 1234);
		zsr_run_digest(&run);
		ret = zsr_run_store(db, &run, e);
		zsr_run_free(&run);
	}
	zsr_db_close(db);
	return ret;
}

static const struct scenario {
	const char *name;
	int (*run)(const char *path, struct zsr_err *e);
	bool fresh; /* there is no database before */
} scenarios[] = {
	{ "import", do_import, false },
	{ "import into a new one", do_import, true },
	{ "rm", do_remove, false },
	{ "merge", do_merge, false },
	{ "merge into a new one", do_merge, true },
	{ "run", do_run, false },
};

/* ---- what is there ------------------------------------------------------------ */

static char dir[64], base[100], work[100];

/* Names and digests of all traces, digests of all runs. */
static int add_value(void *ctx, int ncol, const char *const *names,
		     const char *const *values, const enum zsr_sql_type *types)
{
	char *to = ctx;

	if (values)
		sprintf(to + strlen(to), "%s %s\n", values[0], values[1]);
	return 0;
}

/* "" when there is no database. */
static void state_of(const char *path, char *state)
{
	const struct zsr_fsck_opts quiet = { 0 };
	struct zsr_fsck found;
	struct zsr_err e = { 0 };
	struct zsr_db *db;

	*state = '\0';
	if (access(path, F_OK))
		return;
	OK(zsr_db_open(&db, path, 0, &e));
	OK(zsr_db_fsck(db, &quiet, &found, &e));
	ck_assert_uint_eq(found.nr_faults, 0);
	OK(zsr_db_sql(db,
		      "SELECT name, digest FROM trace UNION ALL "
		      "SELECT policy, digest FROM run ORDER BY 1, 2",
		      add_value, state, &e));
	zsr_db_close(db);
	/* A new one without anything is as good as none. */
}

static void remove_files(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[120];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static void copy_file(const char *from, const char *to)
{
	static char buf[1 << 20];
	FILE *f = fopen(from, "r"), *t = fopen(to, "w");
	size_t n = fread(buf, 1, sizeof(buf), f);

	if (n == sizeof(buf) || fwrite(buf, 1, n, t) != n || fclose(t))
		abort();
	fclose(f);
}

static void setup(unsigned nr_new)
{
	struct zsr_err e = { 0 };

	fault_install();
	memset(long_text, 'x', sizeof(long_text) - 1);
	/* In memory, where there is a place: syncs take no time there. */
	strcpy(dir, access("/dev/shm", W_OK) ? "/tmp/zsr-faults-XXXXXX"
					     : "/dev/shm/zsr-faults-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(base, sizeof(base), "%s/base.db", dir);
	snprintf(work, sizeof(work), "%s/work.db", dir);
	snprintf(other, sizeof(other), "%s/other.db", dir);
	nr_more = 3000;
	OK(import(base, ZSR_DB_CREATE, "old", "1 0 5 D 1 50 1\n", &e));
	OK(do_run(base, &e));
	OK(import(other, ZSR_DB_CREATE, "other", "1 0 9 D 1 60 1\n", &e));
	nr_more = nr_new;
}

static void cleanup(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	ck_assert_int_eq(system(cmd), 0);
}

static void prepare(const struct scenario *s)
{
	remove_files(work);
	if (!s->fresh)
		copy_file(base, work);
}

/* Files that belong to nothing. */
static unsigned leftovers(void)
{
	struct dirent *d;
	unsigned n = 0;
	DIR *f = opendir(dir);

	while ((d = readdir(f)))
		n += strncmp(d->d_name, "work.db", 7) == 0 &&
		     strcmp(d->d_name, "work.db") &&
		     strcmp(d->d_name, "work.db-wal") &&
		     strcmp(d->d_name, "work.db-shm") &&
		     strcmp(d->d_name, "work.db-journal");
	closedir(f);
	return n;
}

struct states {
	char before[1000];
	char after[1000];
};

static void good_run(const struct scenario *s, struct states *st)
{
	struct zsr_err e = { 0 };

	prepare(s);
	state_of(work, st->before);
	OK(s->run(work, &e));
	state_of(work, st->after);
	ck_assert_str_ne(st->before, st->after);
}

static void check(const struct scenario *s, const struct states *st,
		  bool success, unsigned long at)
{
	struct zsr_err e = { 0 };
	char now[1000];
	bool is_before, is_after;

	state_of(work, now);
	is_before = !strcmp(now, st->before);
	is_after = !strcmp(now, st->after);
	ck_assert_msg(is_after || (is_before && !success), "%s, %lu: %s",
		      s->name, at, now);
	ck_assert_msg(!leftovers(), "%s, %lu", s->name, at);
	if (is_after)
		return;
	ck_assert_msg(!s->run(work, &e), "%s, %lu: then %s", s->name, at, e.msg);
	state_of(work, now);
	ck_assert_msg(!strcmp(now, st->after), "%s, %lu: then %s", s->name, at,
		      now);
}

/* ---- files fail ---------------------------------------------------------------- */

static void fail_files(enum fault_mode mode)
{
	const struct scenario *s;
	struct states st;
	struct zsr_err e;
	unsigned long at;
	int ret;

	setup(35000);
	for (s = scenarios; s < scenarios + ZSR_ARRAY_SIZE(scenarios); s++) {
		good_run(s, &st);
		for (at = 1;; at++) {
			prepare(s);
			e = (struct zsr_err){ 0 };
			vfs_fault.count = 0;
			vfs_fault.at = at;
			vfs_fault.mode = mode;
			ret = s->run(work, &e);
			vfs_fault.mode = FAULT_NONE;
			ck_assert_msg(!ret || e.kind == ZSR_ERR_SYSTEM,
				      "%s, %lu: %d %s", s->name, at, e.kind,
				      e.msg);
			check(s, &st, !ret, at);
			if (vfs_fault.count < at)
				break;
		}
		ck_assert_uint_gt(at, 10);
	}
	cleanup();
}

START_TEST(one_fails)
{
	fail_files(FAULT_ONCE);
}
END_TEST

START_TEST(all_fail_from_there)
{
	fail_files(FAULT_FROM);
}
END_TEST

/* ---- the process ends -------------------------------------------------------- */

static void end_process(enum fault_mode mode)
{
	const struct scenario *s;
	struct states st;
	struct zsr_err e = { 0 };
	unsigned long at;
	int status, ret;
	pid_t pid;

	setup(35000);
	for (s = scenarios; s < scenarios + ZSR_ARRAY_SIZE(scenarios); s++) {
		good_run(s, &st);
		for (at = 1;; at++) {
			prepare(s);
			pid = fork();
			if (!pid) {
				vfs_fault.at = at;
				vfs_fault.count = 0;
				vfs_fault.mode = mode;
				ret = s->run(work, &e);
				_exit(ret ? 1 : vfs_fault.count < at ? 0 : 2);
			}
			ck_assert_int_eq(waitpid(pid, &status, 0), pid);
			ck_assert(WIFEXITED(status));
			check(s, &st, !(WEXITSTATUS(status) % 2), at);
			if (WEXITSTATUS(status) == 0)
				break;
		}
		ck_assert_uint_gt(at, 10);
	}
	cleanup();
}

START_TEST(killed)
{
	end_process(FAULT_EXIT);
}
END_TEST

START_TEST(killed_in_a_write)
{
	end_process(FAULT_TEAR);
}
END_TEST

/* ---- memory ------------------------------------------------------------------ */

/* Each of the first allocations, then every now and then. */
START_TEST(no_memory_left)
{
	const struct scenario *s;
	struct states st;
	struct zsr_err e;
	unsigned long at;
	bool done;
	int ret;

	if (!FAULTY_MALLOC)
		return;
	setup(1000);
	for (s = scenarios; s < scenarios + ZSR_ARRAY_SIZE(scenarios); s++) {
		good_run(s, &st);
		for (at = 1, done = false; !done; at += 1 + at / 15) {
			prepare(s);
			e = (struct zsr_err){ 0 };
			malloc_count = 0;
			malloc_fail_at = at;
			ret = s->run(work, &e);
			malloc_fail_at = 0;
			done = malloc_count < at;
			ck_assert_msg(!ret || e.kind == ZSR_ERR_SYSTEM,
				      "%s, %lu: %d %s", s->name, at, e.kind,
				      e.msg);
			check(s, &st, !ret, at);
		}
		ck_assert_uint_gt(at, 100);
	}
	cleanup();
}
END_TEST

ZSR_TEST_MAIN("db/faults", one_fails, all_fail_from_there, killed,
	      killed_in_a_write, no_memory_left)
