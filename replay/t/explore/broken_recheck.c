// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: a worker that has drained its share of pages stops, and
 * does not queue itself again for what may be left.
 */
#define BROKEN zsr_broken_recheck
#include "replay/t/explore/broken.h"

#include "replay/policy/percpu.c"

#define zsr_queue_work(m, w) ((void)(m), (void)(w))
#include "replay/policy/deferred.c"
