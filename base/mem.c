// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "base/base.h"

int zsr_grow(void *p, size_t *cap, size_t need, size_t elem)
{
	void **array = p;
	size_t n = *cap ? *cap : 16;
	void *q;

	if (need <= *cap)
		return 0;
	while (n < need) {
		if (n > SIZE_MAX / 2)
			return -ENOMEM;
		n *= 2;
	}
	if (n > SIZE_MAX / elem)
		return -ENOMEM;
	q = realloc(*array, n * elem);
	if (!q)
		return -ENOMEM;
	*array = q;
	*cap = n;
	return 0;
}
