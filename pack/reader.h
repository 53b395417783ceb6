/* SPDX-License-Identifier: GPL-2.0-only */
/* A pack that is being read. */
#ifndef ZSR_PACK_READER_H
#define ZSR_PACK_READER_H

#include "pack/private.h"

struct zsr_pack {
	struct pk_child *child;
	char *name;
	int own_fd; /* what was in a mail; -1 */
	uint64_t packed; /* bytes */
	uint64_t unpacked;
	struct zsr_manifest manifest;
	struct pk_text text[PK_EVENTS];
	uint64_t nr_events_bytes;
	struct zsr_sha sha; /* of the events so far */
};

/* The head of the next entry, which has to be MEMBER, or (PK_NR_MEMBERS) the
 * end. */
int pk_enter(struct zsr_pack *p, enum pk_member member, uint64_t *size,
	     struct zsr_err *err);
/* All N bytes that are next of the member. */
int pk_read(struct zsr_pack *p, void *to, size_t n, struct zsr_err *err);
/* Ends *sha: whether it is the promised one. */
int pk_check_sha(struct zsr_pack *p, enum pk_member member, struct zsr_sha *sha,
		 struct zsr_err *err);

#endif
