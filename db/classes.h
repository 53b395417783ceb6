/* SPDX-License-Identifier: GPL-2.0-only */
/* The size classes of a pool, as 64-bit kernels make them (zs_create_pool). */
#ifndef ZSR_DB_CLASSES_H
#define ZSR_DB_CLASSES_H

#include "base/base.h"

#define ZSR_CLASS_STEPS 256 /* of sizes in a page */

struct zsr_classes {
	uint32_t page_size; /* 0: none yet */
	uint32_t chain_size;
	bool percent;
	uint32_t step;
	uint32_t nr;
	uint32_t size[ZSR_CLASS_STEPS + 1]; /* by steps above the smallest */
};

/* Those of a kernel release and a geometry, unless *c has them; false: there
 * are none. */
bool zsr_classes_make(struct zsr_classes *c, const char *kernel,
		      int64_t page_size, int64_t chain_size);
/* Bytes of the class that serves a request, its handle included; 0: none. */
uint32_t zsr_classes_of(const struct zsr_classes *c, int64_t size);

#endif
