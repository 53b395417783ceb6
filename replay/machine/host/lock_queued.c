// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spinlocks whose waiters stand in a queue and look each at a word of their own
 * (Mellor-Crummey and Scott, ACM TOCS 9, 1991), as the kernel's do on machines
 * with many CPUs: a lock that is handed on moves one line, and not one to every
 * waiter. FIFO, as those of tickets.
 */
#include "replay/machine/host/host.h"

static struct zsr_host_node *node_get(struct zsr_host_thread *t)
{
	unsigned i = (unsigned)__builtin_ctz(~t->nodes_used);
	struct zsr_host_node *n = &t->node[i];

	if (i >= ZSR_HOST_NODES) /* no policy comes near it */
		__builtin_trap();
	t->nodes_used |= 1u << i;
	n->next = NULL;
	n->go = false;
	return n;
}

static void node_put(struct zsr_host_thread *t, const struct zsr_host_node *n)
{
	t->nodes_used &= ~(1u << (n - t->node));
}

static void wait_in_line(struct zsr_host_node *n, struct zsr_host_node *before)
{
	unsigned looks = 0;

	__atomic_store_n(&before->next, n, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&n->go, __ATOMIC_ACQUIRE))
		zsr_host_look(&looks);
}

void zsr_host_queued_lock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_host_thread *t = zsr_host_self;
	struct zsr_host_node *n = node_get(t), *before;
	uint64_t since;

	(void)m;
	zsr_host_preempt_off(t);
	t->counts.locks++;
	before = __atomic_exchange_n(&l->host_queue.tail, n, __ATOMIC_ACQ_REL);
	if (before) {
		since = zsr_ticks();
		wait_in_line(n, before);
		l->stats.wait += zsr_host_waited(t, l, since);
		l->stats.contended++;
	}
	__atomic_store_n(&l->host_queue.holder, n, __ATOMIC_RELAXED);
	l->stats.acquired++;
}

bool zsr_host_queued_trylock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_host_thread *t = zsr_host_self;
	struct zsr_host_node *n;
	void *none = NULL;

	(void)m;
	if (__atomic_load_n(&l->host_queue.tail, __ATOMIC_RELAXED))
		return false;
	n = node_get(t);
	if (!__atomic_compare_exchange_n(&l->host_queue.tail, &none, n, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		node_put(t, n);
		return false;
	}
	zsr_host_preempt_off(t);
	t->counts.locks++;
	__atomic_store_n(&l->host_queue.holder, n, __ATOMIC_RELAXED);
	l->stats.acquired++;
	return true;
}

void zsr_host_queued_unlock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_host_node *n = l->host_queue.holder, *next;
	void *last = n;
	unsigned looks = 0;

	(void)m;
	next = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE);
	if (!next && !__atomic_compare_exchange_n(&l->host_queue.tail, &last,
						  NULL, false, __ATOMIC_RELEASE,
						  __ATOMIC_RELAXED))
		/* Somebody is last, and about to say who comes after us. */
		while (!(next = __atomic_load_n(&n->next, __ATOMIC_ACQUIRE)))
			zsr_host_look(&looks);
	if (next)
		__atomic_store_n(&next->go, true, __ATOMIC_RELEASE);
	node_put(zsr_host_self, n);
	zsr_host_preempt_on(zsr_host_self);
}

/* By the holder. */
bool zsr_host_queued_contended(struct zsr_machine *m, struct zsr_spinlock *l)
{
	(void)m;
	return __atomic_load_n(&l->host_queue.tail, __ATOMIC_RELAXED) !=
	       l->host_queue.holder;
}
