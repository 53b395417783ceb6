/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace as CSV: zsr-export(1) documents the columns. */
#ifndef ZSR_CMD_EXPORT_CSV_H
#define ZSR_CMD_EXPORT_CSV_H

#include "db/db.h"

/* Into PATH ("-": standard output), which is there whole or not at all. */
int zsr_export_csv(struct zsr_db *db, const struct zsr_trace *t,
		   const char *path, struct zsr_err *err);

#endif
