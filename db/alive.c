// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "db/alive.h"

int zsr_alive_new_leaf(struct zsr_alive *a)
{
	size_t nr = (size_t)(a->next / ZSR_ALIVE_LEAF);

	if (zsr_grow(&a->leaf, &a->cap, nr + 1, sizeof(*a->leaf)))
		return -ENOMEM;
	a->leaf[nr] = calloc(1, sizeof(**a->leaf));
	return a->leaf[nr] ? 0 : -ENOMEM;
}

void zsr_alive_drop_leaf(struct zsr_alive *a, size_t nr)
{
	free(a->leaf[nr]);
	a->leaf[nr] = NULL;
}

void zsr_alive_free(struct zsr_alive *a)
{
	size_t nr = (size_t)((a->next + ZSR_ALIVE_LEAF - 1) / ZSR_ALIVE_LEAF);
	size_t i;

	for (i = 0; i < nr; i++)
		free(a->leaf[i]);
	free(a->leaf);
}
