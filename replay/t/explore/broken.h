/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For a broken variant of `deferred`: its sources once more, under other
 * names. The includer defines BROKEN, includes this first and the sources
 * after it, with the mistake made by a macro in between.
 */
#ifndef ZSR_T_BROKEN_H
#define ZSR_T_BROKEN_H

#define BROKEN_PASTE(a, b) a##_##b
#define BROKEN_NAME(a, b)  BROKEN_PASTE(a, b)

#define zsr_words_new       BROKEN_NAME(BROKEN, words_new)
#define zsr_words_free      BROKEN_NAME(BROKEN, words_free)
#define zsr_words_fetch     BROKEN_NAME(BROKEN, words_fetch)
#define zsr_percpu_init     BROKEN_NAME(BROKEN, init)
#define zsr_percpu_destroy  BROKEN_NAME(BROKEN, destroy)
#define zsr_percpu_room     BROKEN_NAME(BROKEN, room)
#define zsr_percpu_push     BROKEN_NAME(BROKEN, push)
#define zsr_percpu_take     BROKEN_NAME(BROKEN, take)
#define zsr_percpu_give     BROKEN_NAME(BROKEN, give)
#define zsr_percpu_settle   BROKEN_NAME(BROKEN, settle)
#define zsr_percpu_offline  BROKEN_NAME(BROKEN, offline)
#define zsr_policy_deferred BROKEN

#include "replay/policy/percpu.h"

#endif
