// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: a full page kicks its worker only when that does not run.
 * A worker that has had its last look, and found nothing, runs still.
 */
#define BROKEN zsr_broken_kick
#include "replay/t/explore/broken.h"

static bool queue_unless_running(struct zsr_machine *m, struct zsr_work *w)
{
	return !w->running && zsr_queue_work(m, w);
}

#define zsr_queue_work queue_unless_running
#include "replay/policy/percpu.c"
#undef zsr_queue_work
#include "replay/policy/deferred.c"
