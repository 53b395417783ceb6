// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records that come a CPU after the other, as bpftrace prints them: a window of
 * them is kept as a heap, and what comes out is in order as long as none is
 * later than the window is long.
 */
#include <stdlib.h>

#include "capture/decode/decode.h"

#define WINDOW (256u << 10) /* records */

static bool before(const struct dec_sorted *a, const struct dec_sorted *b)
{
	if (a->rec.t_ns != b->rec.t_ns)
		return a->rec.t_ns < b->rec.t_ns;
	return a->rec.cpu != b->rec.cpu ? a->rec.cpu < b->rec.cpu
					: a->seq < b->seq;
}

static void give_first(struct dec_sort *s, struct dec_out *to)
{
	struct dec_sorted last = s->heap[--s->nr];
	size_t i = 0, child;

	*dec_out_rec(to) = s->heap[0].rec;
	for (;; i = child) {
		child = 2 * i + 1;
		if (child >= s->nr)
			break;
		child += child + 1 < s->nr &&
			 before(&s->heap[child + 1], &s->heap[child]);
		if (!before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
	}
	s->heap[i] = last;
}

int dec_sort_add(struct dec_sort *s, struct dec_out *to,
		 const struct zsr_rec *rec, struct zsr_err *err)
{
	struct dec_sorted one = { *rec, s->seq++ };
	size_t i, up;

	if (s->nr == WINDOW)
		give_first(s, to);
	if (zsr_grow(&s->heap, &s->cap, s->nr + 1, sizeof(*s->heap)))
		return zsr_err_nomem(err, "records");
	for (i = s->nr++; i; i = up) {
		up = (i - 1) / 2;
		if (!before(&one, &s->heap[up]))
			break;
		s->heap[i] = s->heap[up];
	}
	s->heap[i] = one;
	return 0;
}

void dec_sort_release(struct dec_sort *s, struct dec_out *to, uint64_t until_ns)
{
	while (s->nr && s->heap[0].rec.t_ns <= until_ns)
		give_first(s, to);
}

void dec_sort_free(struct dec_sort *s)
{
	free(s->heap);
	*s = (struct dec_sort){ 0 };
}
