// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving back empty zspages: at once when all their pages can be locked, else
 * by the free worker.
 */
#include "replay/engine/object.h"

/*
 * Page locks are taken by whoever comes, under no lock of the class, so they
 * are atomic also where one thread has the pool: releases are rare.
 */
bool zsr_engine_page_trylock(struct zsr_engine *e, struct zsr_zspage *z,
			     unsigned page)
{
	uint16_t bit = (uint16_t)(1u << page);

	if (e->backed)
		return !__atomic_test_and_set(&zspage_page(e, z, page)->locked,
					      __ATOMIC_ACQUIRE);
	return !(__atomic_fetch_or(&z->locked, bit, __ATOMIC_ACQUIRE) & bit);
}

void zsr_engine_page_unlock(struct zsr_engine *e, struct zsr_zspage *z,
			    unsigned page)
{
	uint16_t bit = (uint16_t)(1u << page);

	if (e->backed)
		__atomic_clear(&zspage_page(e, z, page)->locked,
			       __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&z->locked, (uint16_t)~bit, __ATOMIC_RELEASE);
}

/*
 * The kernel tries the pages one by one and drops what it has at the first
 * failure: nobody can tell that from taking all or none.
 */
static bool lock_all(struct zsr_zspage *z)
{
	uint16_t none = 0, all = (uint16_t)((1u << z->pages) - 1);

	return __atomic_compare_exchange_n(&z->locked, &none, all, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool zsr_engine_zspage_trylock(struct zsr_engine *e, struct zsr_zspage *z)
{
	if (e->backed ? zsr_chain_trylock(e, z) : lock_all(z))
		return true;
	__atomic_store_n(&e->worker_scheduled, true, __ATOMIC_RELAXED);
	return false;
}

void zsr_engine_zspage_unlink(struct zsr_engine *e, struct zsr_zspage *z)
{
	struct zsr_class *c = &e->class[z->class];

	group_remove(c, z);
	c->zspages--;
}

unsigned zsr_engine_zspage_free(struct zsr_engine *e, struct zsr_zspage *z)
{
	unsigned pages = z->pages;
	uint64_t left;

	if (e->shared)
		left = __atomic_sub_fetch(&e->pages, pages, __ATOMIC_RELAXED);
	else
		left = e->pages -= pages;
	if (e->obs.zspage_free)
		e->obs.zspage_free(e->obs.ctx, z, left);
	if (e->backed)
		zsr_chain_reset(e, z);
	zsr_record_free(e, z);
	return pages;
}

bool zsr_engine_worker_scheduled(const struct zsr_engine *e)
{
	return __atomic_load_n(&e->worker_scheduled, __ATOMIC_RELAXED);
}

/*
 * The whole empty list of a class, from its head. A zspage with a locked page,
 * on which the kernel's worker would sleep, stays for the next run.
 */
static uint64_t release_empty(struct zsr_engine *e, struct zsr_class *c)
{
	struct zsr_zspage *z, *next;
	uint64_t pages = 0;

	for (z = c->list[0]; z != list_end(c); z = next) {
		next = z->next;
		if (!zsr_engine_zspage_trylock(e, z))
			continue;
		zsr_engine_zspage_unlink(e, z);
		if (e->model.worker_drift)
			e->drift[class_index(e, c)]++;
		pages += zsr_engine_zspage_free(e, z);
	}
	return pages;
}

bool zsr_engine_worker_begin(struct zsr_engine *e)
{
	return __atomic_exchange_n(&e->worker_scheduled, false,
				   __ATOMIC_RELAXED);
}

uint64_t zsr_engine_worker_class(struct zsr_engine *e, unsigned class)
{
	return release_empty(e, &e->class[class]);
}

/*
 * The kernel collects the classes in ascending order, each in front of what it
 * has, and then releases from the front: classes come out in descending order.
 */
uint64_t zsr_engine_run_worker(struct zsr_engine *e)
{
	unsigned i = e->nr_raw;
	uint64_t pages = 0;

	if (!zsr_engine_worker_begin(e))
		return 0;
	while (i--)
		if (class_is_real(e, i))
			pages += release_empty(e, &e->class[i]);
	return pages;
}
