// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "db/window.h"

int zsr_window_init(struct zsr_window *w)
{
	w->ev = malloc(ZSR_WINDOW * sizeof(*w->ev));
	w->opener = malloc(ZSR_WINDOW * sizeof(*w->opener));
	return w->ev && w->opener ? 0 : -ENOMEM;
}

void zsr_window_free(struct zsr_window *w)
{
	free(w->ev);
	free(w->opener);
}

int zsr_window_drain(struct zsr_window *w, struct zsr_writer *to,
		     struct zsr_err *err)
{
	uint64_t start, end;
	int ret = 0;

	while (!ret && w->head < w->tail && !w->opener[w->head % ZSR_WINDOW]) {
		/* A stretch that is complete and does not wrap. */
		start = w->head;
		end = start;
		do
			end++;
		while (end < w->tail && end % ZSR_WINDOW &&
		       !w->opener[end % ZSR_WINDOW]);
		w->head = end;
		ret = zsr_writer_add(to, &w->ev[start % ZSR_WINDOW],
				     (size_t)(end - start), err);
	}
	/* From the start again, where memory is warm. */
	if (w->head == w->tail)
		w->head = w->tail = 0;
	return ret;
}
