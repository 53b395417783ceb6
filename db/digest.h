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
void zsr_digest_facts(struct zsr_digest *d, const struct zsr_trace *t);
void zsr_digest_row(struct zsr_digest *d, uint64_t nr, const char *text);
void zsr_digest_hex(struct zsr_digest *d, char hex[ZSR_SHA_HEX]);

#endif
