// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: the timer's work exchanges the CPU's page with preemption
 * on, so that a release on the same CPU may come in between.
 */
#define BROKEN zsr_broken_timer
#include "replay/t/explore/broken.h"

#define zsr_preempt_disable(m) ((void)(m))
#define zsr_preempt_enable(m)  ((void)(m))
#include "replay/policy/percpu.c"
#undef zsr_preempt_disable
#undef zsr_preempt_enable
#include "replay/policy/deferred.c"
