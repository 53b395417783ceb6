/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace's digest, described in zsr-db(5): events in time order, then facts,
 * then tasks, pools and marks. Where chunks end plays no part.
 */
#ifndef ZSR_DB_DIGEST_H
#define ZSR_DB_DIGEST_H

#include "db/db.h"

struct zsr_digest {
	struct zsr_sha sha;
	struct zsr_event before;
	uint64_t next_obj;
	size_t len;
	uint8_t buf[4096];
};

void zsr_digest_init(struct zsr_digest *d);
void zsr_digest_event(struct zsr_digest *d, const struct zsr_event *ev);
/* Adds the facts of *t and its tasks, pools and marks, as the database has
 * them. */
int zsr_digest_end(struct zsr_digest *d, struct zsr_db *db,
		   const struct zsr_trace *t, char hex[ZSR_SHA_HEX],
		   struct zsr_err *err);

#endif
