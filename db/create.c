// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new database. It is built in memory, written to a file without a name and
 * then linked to its place, so that nobody ever sees half of one.
 */
#include <unistd.h>

#include "db/private.h"

__asm__(".pushsection .rodata\n"
	".local zsr_schema_sql\n"
	"zsr_schema_sql: .incbin \"db/schema.sql\"\n"
	".byte 0\n"
	".popsection\n");
extern const char zsr_schema_sql[];

static int build_image(unsigned char **image, size_t *size, struct zsr_err *err)
{
	sqlite3 *sql;
	sqlite3_int64 n = 0;
	int rc = sqlite3_open(":memory:", &sql);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(sql, zsr_schema_sql, NULL, NULL, NULL);
	*image = rc == SQLITE_OK ? sqlite3_serialize(sql, "main", &n, 0) : NULL;
	*size = (size_t)n;
	if (!*image)
		rc = zsr_err_sys(err, ENOMEM, "new database: %s",
				 sqlite3_errmsg(sql));
	sqlite3_close(sql);
	return rc;
}

int zsr_db_create(const char *path, bool replace_empty, struct zsr_err *err)
{
	struct zsr_err exists = { 0 };
	struct zsr_outfile file;
	unsigned char *image;
	size_t size;
	int ret = build_image(&image, &size, err);

	if (ret)
		return ret;
	ret = zsr_outfile_open(&file, path, err);
	if (!ret) {
		fwrite(image, size, 1, file.f);
		/* Killed now it is as if there never was an empty file. */
		if (replace_empty && !fflush(file.f))
			unlink(path);
		ret = zsr_outfile_close_new(&file, &exists);
	}
	sqlite3_free(image);
	if (exists.kind && ret != -EEXIST)
		*err = exists;
	return ret && ret != -EEXIST ? zsr_err_wrap(err, ret, "new database")
				     : ret;
}
