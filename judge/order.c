// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the order of a trace is the one in which calls had the allocator:
 * two calls at once on different CPUs could have had it either way.
 */
#include "judge/internal.h"

bool judge_order_add(struct judge_order *o, const struct zsr_event *ev)
{
	bool is_malloc = ev->kind == ZSR_EV_MALLOC, known = true;
	uint64_t end = is_malloc ? ev->t_ns : ev->t_ns + ev->dur_ns;
	uint64_t begin = ev->t_ns;

	if (is_malloc)
		begin -= zsr_min(ev->dur_ns, ev->t_ns);
	if (o->any && (o->others || o->cpu != ev->cpu))
		known = ev->dur_ns && begin > (o->cpu == ev->cpu ? o->other_end_ns
								 : o->end_ns);
	if (!o->any || o->cpu == ev->cpu) {
		o->end_ns = zsr_max(o->end_ns, end);
	} else if (end > o->end_ns) {
		o->other_end_ns = o->end_ns;
		o->end_ns = end;
		o->others = true;
	} else {
		o->other_end_ns = zsr_max(o->other_end_ns, end);
		o->others = true;
	}
	if (o->end_ns == end)
		o->cpu = ev->cpu;
	o->any = true;
	return known;
}
