/* SPDX-License-Identifier: GPL-2.0-only */
/* The merged synchronous free: what the deferring policies fall back to. */
#ifndef ZSR_CLASS_IDX_H
#define ZSR_CLASS_IDX_H

#include "replay/policy/policy.h"

void zsr_class_idx_free(struct zsr_pool *p, zsr_handle h);

#endif
