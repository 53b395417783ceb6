// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a run. They are written beside their final names, which they
 * get when all of them are complete.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay/engine/run.h"

#define PATH_LEN 4096

static const char *const names[ZSR_NR_FILES] = {
	[ZSR_FILE_EVENTS] = "events.csv",
	[ZSR_FILE_PLACEMENT] = "placement.csv",
	[ZSR_FILE_MOVES] = "moves.csv",
	[ZSR_FILE_COMPACT] = "compact.csv",
	[ZSR_FILE_CHECKPOINTS] = "checkpoints.csv",
};

static const char *const headers[ZSR_NR_FILES] = {
	[ZSR_FILE_EVENTS] = "op,event,zspage,class,pages,pages_allocated",
	[ZSR_FILE_PLACEMENT] = "op,kind,id,class,zspage,obj,zspage_event,ret",
	[ZSR_FILE_MOVES] = "op,id,zspage,obj",
	[ZSR_FILE_COMPACT] = "op,pages_freed,pages_compacted_total,"
			     "pages_before,pages_after,objects_moved",
	[ZSR_FILE_CHECKPOINTS] = "op,class,size,obj_allocated,obj_used,"
				 "pages_used,freeable",
};

static const char *group_names(enum zsr_group_rule rule)
{
	switch (rule) {
	case ZSR_GROUP_QUAD:
		return ",empty,almost_empty,almost_full,full";
	case ZSR_GROUP_RATIO12:
		break;
	}
	return ",g0,g10,g20,g30,g40,g50,g60,g70,g80,g90,g99,g100";
}

static bool has_kind(enum zsr_run_file file)
{
	return file == ZSR_FILE_EVENTS || file == ZSR_FILE_PLACEMENT;
}

const char *zsr_files_column(enum zsr_run_file file, enum zsr_group_rule groups,
			     unsigned i, char buf[ZSR_COLUMN_LEN])
{
	char line[512];
	const char *p = line;

	snprintf(line, sizeof(line), "%s%s", headers[file],
		 file == ZSR_FILE_CHECKPOINTS ? group_names(groups) : "");
	for (i += has_kind(file) ? 2 : 1; i && *p; p++)
		i -= *p == ',';
	snprintf(buf, ZSR_COLUMN_LEN, "%.*s", (int)strcspn(p, ","), p);
	return buf;
}

static void final_path(const struct zsr_run_state *r, unsigned i,
		       char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/%s", r->dir, names[i]);
}

static void temp_path(const struct zsr_run_state *r, unsigned i,
		      char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/.%s.%ld", r->dir, names[i], (long)getpid());
}

static void discard(struct zsr_run_state *r)
{
	char path[PATH_LEN];
	unsigned i;

	for (i = 0; i < ZSR_NR_FILES; i++) {
		if (!r->file[i])
			continue;
		fclose(r->file[i]);
		r->file[i] = NULL;
		temp_path(r, i, path);
		unlink(path);
	}
	if (r->made_dir)
		rmdir(r->dir);
}

int zsr_files_open(struct zsr_run_state *r, const char *dir, struct zsr_err *err)
{
	char path[PATH_LEN];
	unsigned i;
	int ret;

	if (!dir)
		return 0;
	if (strlen(dir) > PATH_LEN - 64)
		return zsr_err_usage(err, "the directory's name is too long");
	r->made_dir = !mkdir(dir, 0777);
	if (!r->made_dir && errno != EEXIST)
		return zsr_err_sys(err, errno, "%s", dir);
	r->dir = dir;
	for (i = 0; i < ZSR_NR_FILES; i++) {
		temp_path(r, i, path);
		r->file[i] = fopen(path, "w");
		if (!r->file[i]) {
			ret = zsr_err_sys(err, errno, "%s", path);
			discard(r);
			return ret;
		}
		fprintf(r->file[i], "%s%s\n", headers[i],
			i == ZSR_FILE_CHECKPOINTS
				? group_names(r->engine->model.group)
				: "");
	}
	return 0;
}

/* All of them whole, before the first one gets its name. */
static int finish(struct zsr_run_state *r, struct zsr_err *err)
{
	char temp[PATH_LEN], path[PATH_LEN];
	unsigned i;

	for (i = 0; i < ZSR_NR_FILES; i++) {
		errno = 0;
		if (fflush(r->file[i]) || ferror(r->file[i])) {
			final_path(r, i, path);
			return zsr_err_sys(err, errno ? errno : EIO, "%s", path);
		}
	}
	for (i = 0; i < ZSR_NR_FILES; i++) {
		temp_path(r, i, temp);
		final_path(r, i, path);
		if (rename(temp, path))
			return zsr_err_sys(err, errno, "%s", path);
		fclose(r->file[i]);
		r->file[i] = NULL;
	}
	return 0;
}

int zsr_files_close(struct zsr_run_state *r, int ret, struct zsr_err *err)
{
	if (!r->dir)
		return ret;
	if (!ret)
		ret = finish(r, err);
	if (ret)
		discard(r);
	return ret;
}

/* ---- rows ---------------------------------------------------------------- */

static char *put_number(char *p, int64_t v)
{
	char digits[20];
	unsigned n = 0;
	uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;

	if (v < 0)
		*p++ = '-';
	do
		digits[n++] = (char)('0' + rest % 10);
	while (rest /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

static void put_row(FILE *f, uint64_t op, const struct zsr_run_row *row)
{
	char line[(ZSR_ROW_VALUES + 2) * 24], *p;
	unsigned i;

	p = put_number(line, (int64_t)op);
	if (row->kind) {
		*p++ = ',';
		p = stpcpy(p, row->kind);
	}
	for (i = 0; i < row->nr; i++) {
		*p++ = ',';
		p = put_number(p, row->value[i]);
	}
	*p++ = '\n';
	fwrite(line, 1, (size_t)(p - line), f);
}

static void put(struct zsr_run_state *r, const struct zsr_run_row *row)
{
	if (r->dir)
		put_row(r->file[row->file], r->seq.nr_ops, row);
	if (r->tap)
		r->tap->row(r->tap->ctx, row);
}

void zsr_files_event(struct zsr_run_state *r, const char *event,
		     const struct zsr_zspage *z, uint64_t pages)
{
	put(r, &(struct zsr_run_row){ .file = ZSR_FILE_EVENTS,
				      .kind = event,
				      .nr = 4,
				      .value = { (int64_t)zsr_zspage_serial(z),
						 zsr_zspage_class(z),
						 zsr_zspage_pages(z),
						 (int64_t)pages } });
}

static const char *kind_text(char kind)
{
	switch (kind) {
	case 'm':
		return "m";
	case 'f':
		return "f";
	case 'd':
		return "d";
	}
	return "l";
}

void zsr_files_place(struct zsr_run_state *r, char kind, uint64_t id,
		     const struct zsr_place *p, bool zspage_event, int ret)
{
	put(r, &(struct zsr_run_row){ .file = ZSR_FILE_PLACEMENT,
				      .kind = kind_text(kind),
				      .nr = 6,
				      .value = { (int64_t)id, p->class,
						 (int64_t)p->zspage, p->obj,
						 zspage_event, ret } });
}

void zsr_files_refused(struct zsr_run_state *r, uint64_t id, int ret)
{
	put(r, &(struct zsr_run_row){
		       .file = ZSR_FILE_PLACEMENT,
		       .kind = "m",
		       .nr = 6,
		       .value = { (int64_t)id, -1, -1, -1, 0, ret } });
}

void zsr_files_move(struct zsr_run_state *r, uint64_t id,
		    const struct zsr_place *p)
{
	put(r, &(struct zsr_run_row){
		       .file = ZSR_FILE_MOVES,
		       .nr = 3,
		       .value = { (int64_t)id, (int64_t)p->zspage, p->obj } });
}

void zsr_files_compact(struct zsr_run_state *r, const struct zsr_run_compact *c)
{
	uint64_t total = zsr_engine_pages_compacted(r->engine);

	put(r, &(struct zsr_run_row){
		       .file = ZSR_FILE_COMPACT,
		       .nr = 5,
		       .value = { (int64_t)c->freed, (int64_t)total,
				  (int64_t)c->before, (int64_t)c->after,
				  (int64_t)c->moves } });
}

static bool all_zero(const struct zsr_class_stats *s)
{
	unsigned g;

	for (g = 0; g < s->nr_groups; g++)
		if (s->group[g])
			return false;
	return !s->obj_allocated && !s->obj_used;
}

static void checkpoint_row(struct zsr_run_state *r,
			   const struct zsr_class_info *info,
			   const struct zsr_class_stats *s)
{
	struct zsr_run_row row = {
		.file = ZSR_FILE_CHECKPOINTS,
		.nr = 6,
		.value = { info->index, info->size, (int64_t)s->obj_allocated,
			   (int64_t)s->obj_used, (int64_t)s->pages_used,
			   (int64_t)s->freeable }
	};
	unsigned g;

	for (g = 0; g < s->nr_groups; g++)
		row.value[row.nr++] = (int64_t)s->group[g];
	put(r, &row);
}

void zsr_files_checkpoint(struct zsr_run_state *r)
{
	struct zsr_class_info info;
	struct zsr_class_stats s;
	unsigned i;

	if (!r->dir && !r->tap)
		return;
	for (i = 0; i < zsr_engine_nr_raw_classes(r->engine); i++) {
		if (!zsr_engine_class_info(r->engine, i, &info))
			continue;
		zsr_engine_class_stats(r->engine, i, &s);
		if (!all_zero(&s))
			checkpoint_row(r, &info, &s);
	}
}
