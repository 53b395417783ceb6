/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shared object with the tracepoints hands to who loads it, by the
 * name zsr_lttng_object. Its functions are for one thread, those of the probes
 * and chunk() for any.
 */
#ifndef ZSR_UST_SO_H
#define ZSR_UST_SO_H

#include "base/base.h"
#include "replay/machine/probes.h"

#define ZSR_LTTNG_VERSION 1

struct zsr_lttng_object {
	unsigned version;
	const struct zsr_probes *probes;
	/* A chunk of a trace that is imported was stored. */
	void (*chunk)(uint64_t nr, uint64_t events, uint64_t bytes);
	/* Two with nothing between, which tell what one takes. */
	void (*cost)(unsigned nr);
	/* Does a session record releases? */
	bool (*listens)(void);
	/* A session NAME that records this process's events into DIR, begun;
	 * its end: all is on disk then, DISCARDED events are not. */
	int (*start)(const char *name, const char *dir, unsigned cpus,
		     struct zsr_err *err);
	int (*stop)(const char *name, uint64_t *discarded, struct zsr_err *err);
};

#endif
