/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * LTTng-UST tracepoints of the provider zsr. They are in a shared object of
 * their own, zsr-lttng.so, which is loaded when somebody asks for them: its
 * library starts threads in whatever loads it.
 */
#ifndef ZSR_UST_H
#define ZSR_UST_H

#include "base/base.h"
#include "replay/machine/probes.h"

struct zsr_lttng;

/*
 * Load the tracepoints for a session that somebody else has set up. One at a
 * time in a process; what was loaded stays loaded. A system error says what is
 * not there: the shared object, or its libraries.
 */
int zsr_lttng_load(struct zsr_lttng **l, struct zsr_err *err);

/*
 * The same with a session daemon of our own, without the kernel's domain, that
 * is gone when the process is, however it ends; so is all that the daemon and
 * the tracepoints made, but recordings. Root's sessions are all on one daemon:
 * one that runs already is used and left alone.
 */
int zsr_lttng_open(struct zsr_lttng **l, struct zsr_err *err);
void zsr_lttng_close(struct zsr_lttng *l); /* NULL is allowed */

const struct zsr_probes *zsr_lttng_probes(const struct zsr_lttng *l);
/* For struct zsr_import_opts. */
void (*zsr_lttng_chunk(const struct zsr_lttng *l))(uint64_t nr, uint64_t events,
						   uint64_t bytes);

/* Record into DIR, which is there and empty, from now on until stop, which
 * tells the number of events that were not kept. What an event takes is in the
 * recording. For open ones. */
int zsr_lttng_start(struct zsr_lttng *l, const char *dir, struct zsr_err *err);
int zsr_lttng_stop(struct zsr_lttng *l, uint64_t *discarded,
		   struct zsr_err *err);

#endif
