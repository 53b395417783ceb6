/* SPDX-License-Identifier: GPL-2.0-only */
/* Histograms and series of a run as blobs: varints in a zstd frame. */
#ifndef ZSR_DB_RUNBLOB_H
#define ZSR_DB_RUNBLOB_H

#include "db/db.h"

/* Both give a malloc'ed blob. */
int zsr_hist_pack(const struct zsr_hist *h, void **blob, size_t *len,
		  struct zsr_err *err);
int zsr_series_pack(const struct zsr_series *s, void **blob, size_t *len,
		    struct zsr_err *err);
int zsr_hist_unpack(struct zsr_hist *h, const void *blob, size_t len,
		    struct zsr_err *err);
int zsr_grid_pack(const struct zsr_grid *g, void **blob, size_t *len,
		  struct zsr_err *err);
/* Rows and cells are malloc'ed. */
int zsr_grid_unpack(struct zsr_grid *g, uint64_t nr_rows, const void *blob,
		    size_t len, struct zsr_err *err);
/* Points are malloc'ed. */
int zsr_series_unpack(struct zsr_series *s, uint64_t nr, const void *blob,
		      size_t len, struct zsr_err *err);

#endif
