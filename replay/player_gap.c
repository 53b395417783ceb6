// SPDX-License-Identifier: GPL-2.0-only
/* What passes between two calls of a task: work, a pause, or the trace's own
 * times. */
#include "replay/player_private.h"

/* Time (ps) within the gap before E that calls take and the model gives them
 * anyway: E's own, or that of the call before. */
static uint64_t calls_part(const struct player_task *t,
			   const struct zsr_feed_event *e)
{
	bool store = e->kind == ZSR_EV_MALLOC && !e->dur_ns;

	return t->in_gap_ps + (store ? t->store_ps : 0);
}

/* What the policy itself does of a gap (ps): the swap core's part of it. */
static uint64_t swap_part(const struct player_task *t,
			  const struct zsr_feed_event *e)
{
	if (e->kind != ZSR_EV_FREE ||
	    !(t->p->s->policy->flags & ZSR_POLICY_ENTRIES))
		return 0;
	return t->p->vm->c->cost[ZSR_COST_swap_free];
}

/* What the trace's CPU did in PS takes C, of another speed. */
static uint64_t recorded_work(const struct zsr_vcpu *c, uint64_t ps,
			      const struct zsr_profile *profile)
{
	uint64_t speed = profile->speed[c->index];

	if (!speed || speed == 1000)
		return ps;
	return (uint64_t)((unsigned __int128)ps * 1000 / speed);
}

/* CPU time (ps) of a gap that is no pause. */
static uint64_t gap_work(struct player_task *t, const struct zsr_feed_event *e,
			 uint64_t gap_ns)
{
	struct zsr_vm *vm = t->p->vm;
	uint64_t ps = zsr_ns_to_ps(gap_ns);
	uint64_t taken = swap_part(t, e);

	if (t->p->s->gaps == ZSR_GAPS_RECORDED)
		return recorded_work(vm->c,
				     ps - zsr_min(ps, calls_part(t, e) + taken),
				     vm->profile);
	if (e->kind == ZSR_EV_MALLOC)
		ps = vm->c->cost[ZSR_COST_gap_store];
	else if (e->kind == ZSR_EV_FREE)
		ps = vm->c->cost[ZSR_COST_gap_release];
	else
		return 0;
	return zsr_vm_scatter(vm, vm->c, ps - zsr_min(ps, taken));
}

/* A pause of the trace, or the time before a task's first call. It began when
 * the task's last event ended: what the task waited at a barrier is part. */
static void play_pause(struct player_task *t, const struct zsr_feed_event *e)
{
	struct zsr_vm *vm = t->p->vm;
	uint64_t gap = zsr_ns_to_ps(zsr_release_gap(&t->at, e));

	if (t->p->s->gaps == ZSR_GAPS_RECORDED) {
		gap -= zsr_min(gap, calls_part(t, e));
		zsr_vm_sleep_until(vm, t->done_ps + gap);
		return;
	}
	if (t->started)
		zsr_vm_sleep_until(vm, t->done_ps + t->p->s->profile->pause);
	zsr_player_await_turn(t);
}

void zsr_player_gap(struct player_task *t, const struct zsr_feed_event *e)
{
	struct zsr_vm *vm = t->p->vm;
	uint64_t gap = zsr_release_gap(&t->at, e);

	if (t->p->s->arrival == ZSR_ARRIVAL_ASAP)
		return;
	zsr_vm_mode(vm, e->kind == ZSR_EV_FREE ? ZSR_MODE_GAP : ZSR_MODE_STORE);
	if (!t->started || zsr_player_is_pause(t, gap))
		play_pause(t, e);
	else if (t->in_batch)
		t->debt += gap_work(t, e, gap);
	else
		zsr_vm_compute(vm, gap_work(t, e, gap));
	if (t->p->s->arrival == ZSR_ARRIVAL_RECORDED && !t->in_batch)
		zsr_vm_sleep_until(vm, zsr_ns_to_ps(e->entry_ns));
}
