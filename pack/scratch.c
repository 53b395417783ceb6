// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack/pack.h"

int zsr_scratch_open(struct zsr_scratch *s, struct zsr_err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;
	int ret;

	*s = (struct zsr_scratch){ 0 };
	if (asprintf(&s->dir, "%s/zsr-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0) {
		s->dir = NULL;
		return zsr_err_nomem(err, "scratch database");
	}
	if (!mkdtemp(s->dir)) {
		ret = zsr_err_sys(err, errno, "%s", s->dir);
		free(s->dir);
		s->dir = NULL;
		return ret;
	}
	if (asprintf(&path, "%s/db", s->dir) < 0)
		ret = zsr_err_nomem(err, "scratch database");
	else
		ret = zsr_db_open(&s->db, path, ZSR_DB_CREATE, err);
	free(path);
	if (ret)
		zsr_scratch_close(s);
	return ret;
}

void zsr_scratch_close(struct zsr_scratch *s)
{
	static const char *const files[] = { "db", "db-journal", "db-wal",
					     "db-shm" };
	char *path;
	size_t i;

	zsr_db_close(s->db);
	for (i = 0; s->dir && i < ZSR_ARRAY_SIZE(files); i++)
		if (asprintf(&path, "%s/%s", s->dir, files[i]) >= 0) {
			unlink(path);
			free(path);
		}
	if (s->dir)
		rmdir(s->dir);
	free(s->dir);
	*s = (struct zsr_scratch){ 0 };
}
