/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Free policies, and the steps of the allocator as they run on a machine.
 *
 * A policy's file reads like the kernel path it stands for: the machine's
 * locks (machine.h) around the steps below, each of which lets the engine do
 * its part and charges what that costs.
 */
#ifndef ZSR_POLICY_H
#define ZSR_POLICY_H

#include "replay/engine/engine.h"
#include "replay/machine/machine.h"

struct zsr_account;
struct zsr_policy;

#define ZSR_MAX_PARAMS 16

/* A size class as its users see it. */
struct zsr_pool_class {
	struct zsr_spinlock lock;
	struct zsr_line data; /* lists and counters that it protects */
	unsigned size; /* bytes a slot; 0: no class of its own */
	unsigned pages; /* pages a zspage */
};

/* A pool: the engine's state, the locks around it, the policy's own data. */
struct zsr_pool {
	struct zsr_machine *m;
	struct zsr_engine *e;
	const struct zsr_policy *policy;
	uint64_t param[ZSR_MAX_PARAMS]; /* values of policy->params */
	void *priv; /* the policy's */
	struct zsr_spinlock big_lock; /* one lock for all: 6.1 to 6.10 */
	struct zsr_rwlock lock; /* 6.11 on: against migration */
	struct zsr_pool_class *class; /* by class index */
	unsigned nr_classes;
	struct zsr_line page_count; /* the pool's atomic page counter */
	struct zsr_account *account;
	uint64_t *queued_at; /* by handle: ps + 1, 0 = not queued */
	size_t cap_queued;
	uint64_t fallbacks;
};

struct zsr_param {
	const char *name; /* "pool-pages" */
	const char *unit; /* "pages", "ns", "" */
	uint64_t def, min, max;
	const char *text; /* what it is */
	const char *source; /* where the default comes from */
};

enum zsr_store_lock {
	ZSR_STORE_CLASS_LOCK, /* zs_malloc takes the class's lock */
	ZSR_STORE_BIG_LOCK, /* the pool's one lock */
};

struct zsr_policy {
	unsigned version; /* ZSR_MACHINE_VERSION */
	const char *name;
	const char *summary; /* one line */
	const char *text; /* what it stands for, how it works */
	const char *source; /* the mail or release */
	const struct zsr_param *params;
	unsigned nr_params;
	enum zsr_store_lock store_lock;
	/* May be NULL: allocate and free priv. After flush nothing is queued,
	 * so teardown only frees. setup returns 0 or -ENOMEM. */
	int (*setup)(struct zsr_pool *p);
	void (*teardown)(struct zsr_pool *p);
	/* The caller's release of one object: now, or later by a worker. Runs
	 * with preemption off and must not sleep. */
	void (*release)(struct zsr_pool *p, zsr_handle h);
	/* Frees that no proposal defers: overwrite, discard, reset. */
	void (*free_now)(struct zsr_pool *p, zsr_handle h);
	/* May be NULL: free everything that is queued, before it returns. May
	 * sleep. Nobody releases meanwhile. */
	void (*flush)(struct zsr_pool *p);
};

extern const struct zsr_policy zsr_policy_sync;
extern const struct zsr_policy zsr_policy_class_idx;
extern const struct zsr_policy zsr_policy_deferred;

/* All of them in the order of the ablation, NULL at the end. */
extern const struct zsr_policy *const zsr_policies[];

/* NULL when there is none of that name. */
const struct zsr_policy *zsr_policy_find(const char *name);

/* ---- steps (locks they need: the engine's matrix) ------------------- */

/* Read the class from the object word alone (7.3, 64-bit). */
unsigned zsr_pool_peek_class(struct zsr_pool *p, zsr_handle h);
/* Find the zspage through an object word that was just loaded. */
void zsr_pool_locate(struct zsr_pool *p, zsr_handle h);
/* Load the object word, find the zspage, and through it the class. */
unsigned zsr_pool_resolve(struct zsr_pool *p, zsr_handle h);
/* Put the object back; true when that emptied its zspage. */
bool zsr_pool_obj_free(struct zsr_pool *p, unsigned class, zsr_handle h,
		       struct zsr_zspage **zspage);
/* Try the page locks of an emptied zspage and take it off its list. False: it
 * stays, and the allocator's own worker has it. */
bool zsr_pool_zspage_unlink(struct zsr_pool *p, struct zsr_zspage *zspage);
/* Give an unlinked zspage's pages to the page allocator. */
void zsr_pool_zspage_free(struct zsr_pool *p, struct zsr_zspage *zspage);
void zsr_pool_handle_free(struct zsr_pool *p, zsr_handle h);

/* ---- bookkeeping a policy owes the run's record --------------------- */

/* H now waits in a queue of the policy; obj_free of it ends that. */
void zsr_pool_queued(struct zsr_pool *p, zsr_handle h);
/* A release that was done synchronously because it could not be queued. */
static inline void zsr_pool_fell_back(struct zsr_pool *p)
{
	p->fallbacks++;
}
/* The policy's own buffers grew (or, negative, shrank) by NR pages. */
void zsr_pool_buffer_pages(struct zsr_pool *p, int64_t nr);

/* ---- for the player -------------------------------------------------- */

int zsr_pool_init(struct zsr_pool *p, struct zsr_machine *m,
		  const struct zsr_model *model, unsigned page_size,
		  unsigned chain_size, const struct zsr_policy *policy,
		  const uint64_t *params, struct zsr_account *account,
		  struct zsr_err *err);
/* What is left is dropped; the policy must have been flushed. */
void zsr_pool_destroy(struct zsr_pool *p);
/* zs_malloc: 0 or the kernel's -errno. */
int zsr_pool_malloc(struct zsr_pool *p, size_t size, zsr_handle *h);
/* zs_compact: pages it gave back. */
uint64_t zsr_pool_compact(struct zsr_pool *p);

#endif
