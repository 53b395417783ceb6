/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session daemon of our own. A process beside us, the keeper, has it and ends
 * it, with all that it left, when we say so or are no more.
 */
#ifndef ZSR_UST_DAEMON_H
#define ZSR_UST_DAEMON_H

#include <sys/types.h>

#include "base/base.h"

/* Files by which processes wait for a daemon, and root's directory. */
struct zsr_lttng_waits {
	char name[2][64];
	bool ours[2]; /* was not there before */
	bool root_dir; /* likewise */
};

struct zsr_lttng_daemon {
	char home[64]; /* its $LTTNG_HOME; "": somebody else's is used */
	pid_t keeper;
	int hold; /* the keeper waits for its end */
	struct zsr_lttng_waits waits;
	int lock; /* root's daemon is used by one at a time, or -1 */
};

/* For root: is there one? Then that is used. Sets $LTTNG_HOME else. */
int zsr_lttng_daemon_start(struct zsr_lttng_daemon *d, struct zsr_err *err);
/* Without a daemon of ours: what is there before the tracepoints are loaded. */
void zsr_lttng_daemon_none(struct zsr_lttng_daemon *d);
void zsr_lttng_daemon_stop(struct zsr_lttng_daemon *d);

#endif
