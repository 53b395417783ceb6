// SPDX-License-Identifier: GPL-2.0-only
/* A pool with objects on the host machine, as a replay on threads has it. */
#include <stdlib.h>
#include <string.h>

#include "replay/calibrate.h"

#define KERNEL "7.3"
#define PAGE   4096u

/* Room for every note that stores, queueing and frees make. */
static uint64_t notes_needed(uint32_t nr, unsigned times)
{
	return 6ull * nr * times + 64ull * ZSR_NOTES;
}

static int memory_init(struct zsr_cal_pool *p, uint32_t (*draw)(void *ctx),
		       void *ctx)
{
	uint32_t i;

	p->slot = malloc((p->nr + 1ul) * sizeof(*p->slot));
	p->size = malloc((p->nr + 1ul) * sizeof(*p->size));
	if (!p->slot || !p->size)
		return -ENOMEM;
	memset(p->slot, 0, (p->nr + 1ul) * sizeof(*p->slot));
	for (i = 0; i < p->nr; i++)
		p->size[i] = draw(ctx);
	return 0;
}

static uint64_t pages_needed(const struct zsr_cal_pool *p)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < p->nr; i++)
		bytes += p->size[i];
	return bytes / PAGE + bytes / PAGE / 4 + 256;
}

static int pool_init(struct zsr_cal_pool *p, unsigned times, struct zsr_err *err)
{
	struct zsr_account *a = &p->book.account;
	int ret = zsr_account_init(a, &p->queued, err);

	if (ret)
		return ret;
	if (zsr_host_book_init(&p->book, &p->pool, 1, notes_needed(p->nr, times)))
		return zsr_err_nomem(err, "notes");
	p->self.record = zsr_host_record(&p->book, p->nr + 1ul);
	if (!p->self.record)
		return zsr_err_nomem(err, "record");
	ret = zsr_pool_init(&p->pool, &p->h->m, zsr_model_find(KERNEL), PAGE, 0,
			    &zsr_policy_class_idx, NULL, 1, &p->nr_releasing, a,
			    err);
	if (ret)
		return ret;
	if (zsr_host_slots_init(&p->pool, 2ull * p->nr, 1))
		return zsr_err_nomem(err, "slots");
	return zsr_engine_prefault(p->pool.e, pages_needed(p), err);
}

int zsr_cal_pool_init(struct zsr_cal_pool *p, const struct zsr_cal *c,
		      unsigned cpu, uint32_t nr, unsigned times,
		      uint32_t (*draw)(void *ctx), void *ctx,
		      struct zsr_err *err)
{
	const struct zsr_host_opts opts = { .pin = true, .clock = &c->clock };
	int ret;

	*p = (struct zsr_cal_pool){ .nr = nr };
	ret = zsr_host_create(&p->h, &opts, err);
	if (ret)
		return ret;
	p->self.home = cpu;
	zsr_host_enter(p->h, &p->self);
	zsr_hist_init(&p->queued);
	if (memory_init(p, draw, ctx))
		return zsr_err_nomem(err, "objects");
	return pool_init(p, times, err);
}

void zsr_cal_pool_free(struct zsr_cal_pool *p)
{
	if (p->pool.policy)
		zsr_pool_destroy(&p->pool);
	zsr_host_book_destroy(&p->book);
	zsr_account_free(&p->book.account);
	if (p->h) {
		zsr_host_leave(&p->self);
		zsr_host_destroy(p->h);
	}
	free(p->slot);
	free(p->size);
	*p = (struct zsr_cal_pool){ 0 };
}

int zsr_cal_store(struct zsr_cal_pool *p, uint32_t i)
{
	zsr_handle h;
	int64_t slot;
	int ret = zsr_pool_malloc(&p->pool, p->size[i], &h);

	if (ret)
		return ret;
	slot = zsr_pool_slot_store(&p->pool, h);
	p->slot[i] = (uint32_t)slot;
	return slot < 0 ? (int)slot : 0;
}
