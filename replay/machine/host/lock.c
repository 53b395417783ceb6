// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIFO spinlocks by ticket; reader-writer locks with one count that readers
 * share, and a spinlock in which whoever must wait stands in line.
 */
#include <sched.h>

#include "replay/machine/host/host.h"

/* ---- tickets ------------------------------------------------------------- */

#define TICKET (1u << 16)

static uint16_t serving(uint32_t word)
{
	return (uint16_t)word;
}

static uint16_t next_ticket(uint32_t word)
{
	return (uint16_t)(word >> 16);
}

void zsr_host_look(unsigned *looks)
{
	if (++*looks % ZSR_HOST_SPINS) {
		zsr_host_relax();
		return;
	}
	if (zsr_host_self)
		zsr_host_self->counts.yields++;
	sched_yield();
}

static void ticket_wait(struct zsr_host_ticket *l, uint16_t mine)
{
	unsigned spins = 0;

	while (serving(__atomic_load_n(&l->word, __ATOMIC_ACQUIRE)) != mine)
		zsr_host_look(&spins);
}

/* True when the lock was free. */
static bool ticket_take(struct zsr_host_ticket *l, uint16_t *mine)
{
	uint32_t word = __atomic_fetch_add(&l->word, TICKET, __ATOMIC_ACQUIRE);

	*mine = next_ticket(word);
	return serving(word) == *mine;
}

static bool ticket_trylock(struct zsr_host_ticket *l)
{
	uint32_t word = __atomic_load_n(&l->word, __ATOMIC_RELAXED);

	return next_ticket(word) == serving(word) &&
	       __atomic_compare_exchange_n(&l->word, &word, word + TICKET, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void zsr_host_ticket_lock(struct zsr_host_ticket *l)
{
	uint16_t mine;

	if (!ticket_take(l, &mine))
		ticket_wait(l, mine);
}

/* Nobody else writes the lower half, and no carry may reach the upper one. */
void zsr_host_ticket_unlock(struct zsr_host_ticket *l)
{
	uint16_t *half = (uint16_t *)&l->word +
			 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

	__atomic_store_n(half,
			 (uint16_t)(__atomic_load_n(half, __ATOMIC_RELAXED) + 1),
			 __ATOMIC_RELEASE);
}

static bool ticket_contended(const struct zsr_host_ticket *l)
{
	uint32_t word = __atomic_load_n(&l->word, __ATOMIC_RELAXED);

	return (uint16_t)(next_ticket(word) - serving(word)) > 1;
}

/* ---- what waiting took ------------------------------------------------------ */

uint64_t zsr_host_waited(struct zsr_host_thread *t, const void *lock,
			 uint64_t since)
{
	const struct zsr_probes *probes = t->host->opts.probes;
	uint64_t ticks = zsr_ticks() - since;
	uint64_t ps = zsr_ticks_ps(&t->host->clock, ticks);

	t->counts.contended++;
	t->counts.spin += ticks;
	if (probes)
		probes->lock_wait(lock, ps / 1000);
	return ps;
}

/* ---- spinlock ------------------------------------------------------------ */

void zsr_host_spin_lock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_host_thread *t = zsr_host_self;
	uint64_t since;
	uint16_t mine;

	(void)m;
	zsr_host_preempt_off(t);
	t->counts.locks++;
	if (!ticket_take(&l->host, &mine)) {
		since = zsr_ticks();
		ticket_wait(&l->host, mine);
		l->stats.wait += zsr_host_waited(t, l, since);
		l->stats.contended++;
	}
	l->stats.acquired++;
}

bool zsr_host_spin_trylock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	struct zsr_host_thread *t = zsr_host_self;

	(void)m;
	if (!ticket_trylock(&l->host))
		return false;
	zsr_host_preempt_off(t);
	t->counts.locks++;
	l->stats.acquired++;
	return true;
}

void zsr_host_spin_unlock(struct zsr_machine *m, struct zsr_spinlock *l)
{
	(void)m;
	zsr_host_ticket_unlock(&l->host);
	zsr_host_preempt_on(zsr_host_self);
}

/* Who asks would do without the lock if it were free, which only a machine that
 * stands still meanwhile allows. */
bool zsr_host_spin_is_locked(struct zsr_machine *m, struct zsr_spinlock *l)
{
	(void)m;
	(void)l;
	return true;
}

bool zsr_host_spin_contended(struct zsr_machine *m, struct zsr_spinlock *l)
{
	(void)m;
	return ticket_contended(&l->host);
}

/* ---- reader-writer lock ------------------------------------------------------ */

/* Of the count: somebody writes; somebody waits to. */
#define WRITES 1u
#define WANTS  2u
#define READER 4u

static void read_wait(struct zsr_rwlock *l)
{
	unsigned spins = 0;

	__atomic_fetch_sub(&l->host.count, READER, __ATOMIC_RELAXED);
	zsr_host_ticket_lock(&l->host.queue);
	__atomic_fetch_add(&l->host.count, READER, __ATOMIC_RELAXED);
	/* First in line: only a writer that has the lock is before us. */
	while (__atomic_load_n(&l->host.count, __ATOMIC_ACQUIRE) & WRITES)
		zsr_host_look(&spins);
	zsr_host_ticket_unlock(&l->host.queue);
}

/* Readers leave the statistics alone: the line is everybody's. */
void zsr_host_read_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_host_thread *t = zsr_host_self;
	uint64_t since;

	(void)m;
	zsr_host_preempt_off(t);
	t->counts.locks++;
	if (!(__atomic_fetch_add(&l->host.count, READER, __ATOMIC_ACQUIRE) &
	      (WRITES | WANTS)))
		return;
	since = zsr_ticks();
	read_wait(l);
	zsr_host_waited(t, l, since);
}

void zsr_host_read_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	(void)m;
	__atomic_fetch_sub(&l->host.count, READER, __ATOMIC_RELEASE);
	zsr_host_preempt_on(zsr_host_self);
}

static bool write_take(struct zsr_rwlock *l, uint32_t free)
{
	return __atomic_compare_exchange_n(&l->host.count, &free, WRITES, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void write_wait(struct zsr_rwlock *l)
{
	unsigned spins = 0;

	zsr_host_ticket_lock(&l->host.queue);
	__atomic_fetch_or(&l->host.count, WANTS, __ATOMIC_RELAXED);
	while (__atomic_load_n(&l->host.count, __ATOMIC_RELAXED) != WANTS ||
	       !write_take(l, WANTS))
		zsr_host_look(&spins);
	zsr_host_ticket_unlock(&l->host.queue);
}

void zsr_host_write_lock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	struct zsr_host_thread *t = zsr_host_self;
	uint64_t since;

	(void)m;
	zsr_host_preempt_off(t);
	t->counts.locks++;
	if (!write_take(l, 0)) {
		since = zsr_ticks();
		write_wait(l);
		l->stats.wait += zsr_host_waited(t, l, since);
		l->stats.contended++;
	}
	l->stats.acquired++;
}

void zsr_host_write_unlock(struct zsr_machine *m, struct zsr_rwlock *l)
{
	(void)m;
	__atomic_fetch_and(&l->host.count, ~WRITES, __ATOMIC_RELEASE);
	zsr_host_preempt_on(zsr_host_self);
}

bool zsr_host_write_contended(struct zsr_machine *m, struct zsr_rwlock *l)
{
	uint32_t word = __atomic_load_n(&l->host.queue.word, __ATOMIC_RELAXED);

	(void)m;
	return next_ticket(word) != serving(word);
}
