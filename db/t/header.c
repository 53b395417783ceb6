// SPDX-License-Identifier: GPL-2.0-only
/*
 * A database whose first bytes, the header of the file and of the schema's
 * page, are wrong: whatever fails because of them is the input's fault.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "db/t/feed.h"

#define HEADER 112

static int any_row(void *ctx, const struct zsr_trace *t)
{
	return 0;
}

/* Everything that is usually done with a database. */
static int use(const char *path, unsigned flags, struct zsr_err *e)
{
	struct zsr_fsck found;
	const struct zsr_fsck_opts quiet = { 0 };
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	int ret = zsr_db_open(&db, path, flags, e);

	if (ret)
		return ret;
	ret = zsr_trace_list(db, any_row, NULL, e);
	if (!ret)
		ret = zsr_db_fsck(db, &quiet, &found, e);
	if (!ret && !flags)
		ret = import_text(db, &some_opts, "0 0 5 D 1 10 1\n", &t, &odd,
				  e);
	zsr_db_close(db);
	return ret;
}

static void copy_with(const char *from, const char *to, int at, uint8_t value)
{
	static uint8_t file[1 << 20];
	FILE *f = fopen(from, "r");
	size_t n = fread(file, 1, sizeof(file), f);

	fclose(f);
	if (at >= 0)
		file[at] = value;
	f = fopen(to, "w");
	if (fwrite(file, 1, n, f) != n || fclose(f))
		abort();
}

START_TEST(every_byte)
{
	static const uint8_t values[] = { 0, 1, 3, 0x7f, 0x80, 0xff };
	const char *path = gen_path();
	char bad[100], side[110];
	unsigned i, at, failed = 0;
	struct zsr_trace t;
	struct zsr_odd odd;
	struct zsr_db *db;
	struct zsr_err e = { 0 };

	snprintf(bad, sizeof(bad), "%s.bad", path);
	OK(zsr_db_open(&db, path, ZSR_DB_CREATE, &e));
	OK(import_text(db, &some_opts, "0 0 5 D 1 10 1\n1 0 5 F 1 1\n", &t,
		       &odd, &e));
	zsr_db_close(db);
	for (at = 0; at < HEADER; at++)
		for (i = 0; i < 2 * ZSR_ARRAY_SIZE(values); i++) {
			copy_with(path, bad, (int)at, values[i / 2]);
			e = (struct zsr_err){ 0 };
			if (!use(bad, i % 2 ? ZSR_DB_READONLY : 0, &e))
				continue;
			failed++;
			if (e.kind != ZSR_ERR_INPUT)
				ck_abort_msg("byte %u = %u: %d: %s", at,
					     values[i / 2], e.kind, e.msg);
			snprintf(side, sizeof(side), "%s-wal", bad);
			unlink(side);
			snprintf(side, sizeof(side), "%s-shm", bad);
			unlink(side);
		}
	ck_assert_uint_gt(failed, 200);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/header", every_byte)
