// SPDX-License-Identifier: GPL-2.0-only
/* machine.h but for its work queues. Each operation on something shared comes
 * after a scheduling point; what it then does, nobody interrupts. */
#include "replay/machine/explore/private.h"

/* ---- preemption and what a task holds ---------------------------------- */

void zsr_explore_pin(struct zsr_explore *x)
{
	struct zsr_explore_task *t = x->cur;

	if (t->preempt_off++)
		return;
	x->owner[t->cpu] = t;
	zsr_explore_touch(x, &x->owner[t->cpu]);
}

void zsr_explore_unpin(struct zsr_explore *x)
{
	struct zsr_explore_task *t = x->cur;

	if (!t->preempt_off)
		zsr_explore_fail(x, "%s enables preemption that is on", t->name);
	if (--t->preempt_off)
		return;
	x->owner[t->cpu] = NULL;
	zsr_explore_touch(x, &x->owner[t->cpu]);
	zsr_explore_point(x, OP_preempt_enable, NULL);
}

void zsr_explore_hold(struct zsr_explore *x, const void *lock)
{
	struct zsr_explore_task *t = x->cur;

	if (t->nr_held == MAX_HELD)
		zsr_explore_fail(x, "%s holds more than %u locks", t->name,
				 MAX_HELD);
	t->held[t->nr_held++] = lock;
	zsr_explore_touch(x, lock);
}

void zsr_explore_drop(struct zsr_explore *x, const void *lock)
{
	struct zsr_explore_task *t = x->cur;
	char name[64];
	unsigned i;

	for (i = t->nr_held; i--;) {
		if (t->held[i] != lock)
			continue;
		t->held[i] = t->held[--t->nr_held];
		zsr_explore_touch(x, lock);
		return;
	}
	zsr_explore_name_of(x, lock, name, sizeof(name));
	zsr_explore_fail(x, "%s releases %s, which it does not hold", t->name,
			 name);
}

bool zsr_explore_holds(const struct zsr_explore *x, const void *lock)
{
	unsigned i;

	for (i = 0; x->cur && i < x->cur->nr_held; i++)
		if (x->cur->held[i] == lock)
			return true;
	return false;
}

void zsr_explore_check_free(struct zsr_explore *x, const char *what)
{
	const struct zsr_explore_task *t = x->cur;
	char name[64];

	if (t->nr_held) {
		zsr_explore_name_of(x, t->held[0], name, sizeof(name));
		zsr_explore_fail(x, "%s %s with %s held", t->name, what, name);
	}
	if (t->preempt_off)
		zsr_explore_fail(x, "%s %s with preemption off", t->name, what);
}

static void preempt_disable(struct zsr_machine *m)
{
	struct zsr_explore *x = explore_of(m);

	if (!x->cur->preempt_off)
		zsr_explore_point(x, OP_preempt_disable, NULL);
	zsr_explore_pin(x);
}

static void preempt_enable(struct zsr_machine *m)
{
	zsr_explore_unpin(explore_of(m));
}

static void cond_resched(struct zsr_machine *m)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_check_free(x, "gives its CPU away");
	zsr_explore_point(x, OP_cond_resched, NULL);
}

static unsigned cpu(struct zsr_machine *m)
{
	return explore_of(m)->cur->cpu;
}

static unsigned first_online(const struct zsr_explore *x)
{
	unsigned c;

	for (c = 0; c + 1 < x->m.nr_cpus && x->offline[c]; c++)
		;
	return c;
}

void zsr_explore_cpu_offline(struct zsr_explore *x, unsigned cpu_nr)
{
	unsigned i;

	zsr_explore_check_free(x, "sleeps");
	zsr_explore_point(x, OP_offline, &x->owner[cpu_nr]);
	zsr_explore_touch(x, &x->owner[cpu_nr]);
	x->offline[cpu_nr] = true;
	for (i = 0; i < x->nr_tasks; i++) {
		if (x->task[i].cpu != cpu_nr)
			continue;
		x->task[i].cpu = first_online(x);
		x->task[i].bound = false;
	}
}

/* ---- locks ----------------------------------------------------------------- */

static void spin_take(struct zsr_explore *x, struct zsr_spinlock *l)
{
	/* Each machine has tasks of its own kind. */
	l->owner = (struct zsr_vtask *)x->cur;
	zsr_explore_hold(x, l);
}

static void spin_lock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_spin_lock, l);
	zsr_explore_pin(x);
	spin_take(x, l);
}

static bool spin_trylock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_spin_trylock, l);
	if (l->owner) {
		zsr_explore_touch(x, l);
		return false;
	}
	zsr_explore_pin(x);
	spin_take(x, l);
	return true;
}

static void spin_unlock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_spin_unlock, l);
	zsr_explore_drop(x, l);
	l->owner = NULL;
	zsr_explore_unpin(x);
}

static void read_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_read_lock, l);
	zsr_explore_pin(x);
	l->readers++;
	zsr_explore_hold(x, l);
}

static void read_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_read_unlock, l);
	zsr_explore_drop(x, l);
	l->readers--;
	zsr_explore_unpin(x);
}

/* From its first step on the writer spins, and keeps new readers out. */
static void write_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_explore *x = explore_of(m);
	struct object *o;

	zsr_explore_point(x, OP_write_wait, l);
	zsr_explore_pin(x);
	o = zsr_explore_object(x, l);
	o->writers++;
	zsr_explore_touch(x, l);
	zsr_explore_point(x, OP_write_lock, l);
	o->writers--;
	l->writer = (struct zsr_vtask *)x->cur;
	zsr_explore_hold(x, l);
}

static void write_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_write_unlock, l);
	zsr_explore_drop(x, l);
	l->writer = NULL;
	zsr_explore_unpin(x);
}

/* Somebody who is about to take it is taken for waiting. */
static bool contended(struct zsr_explore *x, const void *lock)
{
	unsigned i, nr = 0;

	for (i = 0; i < x->nr_tasks; i++) {
		const struct zsr_explore_task *t = &x->task[i];

		nr += t != x->cur && !t->ended && t->object == lock &&
		      (t->op == OP_spin_lock || t->op == OP_read_lock ||
		       t->op == OP_write_wait || t->op == OP_write_lock);
	}
	zsr_explore_saw(x, nr > 0);
	return nr;
}

static bool spin_is_locked(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_line_read, l);
	zsr_explore_look(x, l);
	zsr_explore_saw(x, l->owner != NULL);
	return l->owner;
}

static bool spin_contended(struct zsr_machine *m, struct zsr_spinlock *l)
{
	return contended(explore_of(m), l);
}

static bool write_contended(struct zsr_machine *m, struct zsr_rwlock *l)
{
	return contended(explore_of(m), l);
}

/* ---- lines, time, pages ----------------------------------------------------- */

static void line_read(struct zsr_machine *m, struct zsr_line *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_line_read, l);
	zsr_explore_look(x, l);
}

static void line_write(struct zsr_machine *m, struct zsr_line *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_line_write, l);
	zsr_explore_touch(x, l);
}

static void line_atomic(struct zsr_machine *m, struct zsr_line *l)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_line_atomic, l);
	zsr_explore_touch(x, l);
}

static void order(struct zsr_machine *m)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_order, NULL);
	if (x->limits->merge && x->s->digest)
		zsr_explore_saw(x, x->s->digest(x->s->ctx));
}

static void charge(struct zsr_machine *m, enum zsr_cost cost, unsigned n)
{
	struct zsr_explore *x = explore_of(m);

	(void)n;
	if (x->limits->fine || !x->cur->preempt_off)
		zsr_explore_point(x, OP_charge, NULL);
	zsr_explore_trace(x, &(struct step){ .t = x->cur,
					     .op = OP_charge,
					     .arg = cost,
					     .cpu = x->cur->cpu });
}

/* There is no time. */
static uint64_t now_ps(struct zsr_machine *m)
{
	(void)m;
	return 0;
}

static bool pages_alloc(struct zsr_machine *m, unsigned nr)
{
	struct zsr_explore *x = explore_of(m);
	bool fails;

	zsr_explore_point(x, OP_pages_alloc, NULL);
	fails = x->s->pages_fail && zsr_explore_mishap(x);
	zsr_explore_saw(x, fails);
	if (!fails)
		x->pages += nr;
	return !fails;
}

static void pages_free(struct zsr_machine *m, unsigned nr)
{
	struct zsr_explore *x = explore_of(m);

	zsr_explore_point(x, OP_pages_free, NULL);
	x->pages -= nr;
}

static void pages_vanish(struct zsr_machine *m, unsigned nr)
{
	explore_of(m)->pages -= nr;
}

void zsr_explore_join(struct zsr_explore *x, struct zsr_explore_task *t)
{
	zsr_explore_check_free(x, "sleeps");
	zsr_explore_point(x, OP_join, t);
	zsr_explore_touch(x, t);
}

const struct zsr_machine_ops zsr_explore_ops = {
	.charge = charge,
	.now_ps = now_ps,
	.spin_lock = spin_lock,
	.spin_trylock = spin_trylock,
	.spin_unlock = spin_unlock,
	.read_lock = read_lock,
	.read_unlock = read_unlock,
	.write_lock = write_lock,
	.write_unlock = write_unlock,
	.spin_is_locked = spin_is_locked,
	.spin_contended = spin_contended,
	.write_contended = write_contended,
	.line_read = line_read,
	.line_write = line_write,
	.line_atomic = line_atomic,
	.order = order,
	.cpu = cpu,
	.preempt_disable = preempt_disable,
	.preempt_enable = preempt_enable,
	.cond_resched = cond_resched,
	.queue_work_on = zsr_explore_queue_work_on,
	.queue_delayed_on = zsr_explore_queue_delayed_on,
	.cancel_delayed = zsr_explore_cancel_delayed,
	.flush_work = zsr_explore_flush_work,
	.pages_alloc = pages_alloc,
	.pages_free = pages_free,
	.pages_vanish = pages_vanish,
};
