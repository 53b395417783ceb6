/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of a trace's tasks and the texts of its marks, by number. */
#ifndef ZSR_INTEROP_NAMES_H
#define ZSR_INTEROP_NAMES_H

#include "db/db.h"

struct zsr_names {
	struct zsr_task *task;
	uint32_t nr_tasks;
	char **mark;
	size_t nr_marks;
	size_t cap_marks;
};

/* Freed also when it fails. */
int zsr_names_read(struct zsr_names *names, struct zsr_db *db,
		   const struct zsr_trace *t, struct zsr_err *err);
void zsr_names_free(struct zsr_names *names);
/* A decoder would give it back as it is. */
bool zsr_name_is_plain(const char *s);

#endif
