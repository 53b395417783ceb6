// SPDX-License-Identifier: GPL-2.0-only
/* zsr unpack: the trace of a pack into a database. */
#include <inttypes.h>
#include <stdlib.h>

#include "cmd/packs.h"

struct args {
	char *db, *name;
	int force;
};

static int unpack(const struct args *a, const char *path, struct zsr_err *err)
{
	struct zsr_imported found;
	struct zsr_db *db = NULL;
	struct zsr_pack *p = NULL;
	const char *readme;
	int ret = a->name ? zsr_cmd_check_name(a->name, err) : 0;

	if (ret)
		return ret;
	ret = zsr_cmd_pack_open(path, &p, err);
	if (!ret)
		return zsr_cmd_no_pack(path, err);
	if (ret > 0)
		ret = zsr_cmd_open_db(&db, "unpack", a->db, ZSR_DB_CREATE, err);
	if (!ret)
		ret = zsr_cmd_pack_import(p, db, a->name, a->force, &found, err);
	if (!ret) {
		readme = zsr_pack_readme(p);
		printf("%s: unpacked as '%s', %" PRIu64 " events, digest "
		       "%.12s\n\n%s",
		       path, found.trace.name, found.trace.nr_events,
		       found.trace.digest, readme);
	}
	zsr_db_close(db);
	zsr_pack_close(p);
	return ret ? ret : zsr_cmd_flush(err);
}

int zsr_cmd_unpack(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "database", 'd', POPT_ARG_STRING, &a.db, 0,
		  "the database (default $ZSR_DB, else ./zsr.db)", "DB" },
		{ "name", 'n', POPT_ARG_STRING, &a.name, 0,
		  "the trace's name (default: the pack's)", "NAME" },
		{ "force", 'f', POPT_ARG_NONE, &a.force, 0,
		  "take a trace that is there already once more", NULL },
		POPT_TABLEEND
	};
	struct zsr_err err = { 0 };
	struct zsr_options o;
	int ret;

	ret = zsr_options_parse(&o, argc, argv, table,
				"unpack PACK [OPTION...]", &err);
	if (ret)
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("unpack", &err);
	ret = o.nr_rest == 1 ? unpack(&a, o.rest[0], &err)
			     : zsr_err_usage(&err, "which PACK? (one)");
	zsr_options_free(&o);
	free(a.db);
	free(a.name);
	return ret ? zsr_cmd_fail("unpack", &err) : ZSR_EXIT_OK;
}
