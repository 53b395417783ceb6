/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ZSR_UST_SESSION_H
#define ZSR_UST_SESSION_H

#include "ust/so/so.h"

/* As in struct zsr_lttng_object. */
int zsr_lttng_session_start(const char *name, const char *dir, unsigned cpus,
			    struct zsr_err *err);
int zsr_lttng_session_stop(const char *name, uint64_t *discarded,
			   struct zsr_err *err);

#endif
