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
#include "replay/policy/queued.h"

struct zsr_account;
struct zsr_book;
struct zsr_policy;
struct zsr_words;

#define ZSR_MAX_PARAMS 16

/* Entries a kernel up to 6.13 frees under one hold of the swap device's lock. */
#define ZSR_SWAP_BATCH 64

/* What a handle takes in a buffer of a 64-bit kernel, in bytes. */
#define ZSR_HANDLE_BYTES 8u

/* Cache lines that BYTES take. */
static inline unsigned zsr_lines(uint64_t bytes)
{
	return (unsigned)((bytes + 63) / 64);
}

/* A size class as its users see it. No two share a cache line. */
struct zsr_pool_class {
	_Alignas(64) struct zsr_spinlock lock;
	struct zsr_line data; /* lists and counters that it protects */
	unsigned size; /* bytes a slot; 0: no class of its own */
	unsigned pages; /* pages a zspage */
};

/* What lies in a slot of the swap device: a handle, 0 for nothing, and whether
 * its release waits in a queue of slots. */
struct zsr_slot {
	zsr_handle handle : 31;
	unsigned pending : 1;
};

#define ZSR_MAX_SLOT_HANDLE 0x7fffffffu

/* How many locks of its own a policy may name for the record. */
#define ZSR_MAX_NAMED 4

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
	unsigned page_size;
	uint32_t nr_tasks; /* tasks that may release: 0 to nr_tasks - 1 */
	const uint32_t *nr_releasing; /* tasks now between begin and end of a
				       * release, of any pool; others
				       * write it: read it atomically */
	uint64_t fallbacks;
	/* The rest is none of a policy's business. */
	struct zsr_line page_count; /* the pool's atomic page counter */
	struct zsr_spinlock *device_lock; /* the swap device's; NULL: none */
	void (*enter_swap)(struct zsr_pool *p); /* takes it for a caller; NULL
						 * where there is none */
	struct zsr_account *account;
	const struct zsr_book *book; /* the account's, or in order of time */
	struct zsr_queued queued; /* handles that wait in a queue */
	struct zsr_slot *slot;
	size_t nr_slots, cap_slots;
	uint64_t swap_slots; /* the device's: as many are used once before one
			      * is stored to again, the first freed first */
	struct zsr_words *free_slots, *last_free_slots; /* first freed first */
	unsigned first_free_slot; /* in free_slots */
	uint8_t *state; /* of handles, see book.c */
	size_t nr_state, cap_state;
	struct {
		bool running; /* a second one gives up at once */
		struct compaction *now; /* the class that is at it */
		uint64_t runs, pages; /* pages given back */
		uint64_t moved, bytes; /* in class sizes */
		uint64_t dead_moved, dead_bytes; /* of queued objects */
	} compact;
	struct {
		zsr_handle at; /* whose page was last */
		unsigned class; /* of the page that is copied, plus one */
		uint64_t pages;
		uint64_t dead_bytes; /* of queued objects in them, about */
	} migrate;
	struct zsr_workqueue free_wq; /* of the allocator: zspages whose pages */
	struct zsr_work free_work; /* were locked when they got empty */
	uint64_t slots_reused; /* stored to while their release waited */
	struct {
		const char *name;
		struct zsr_spinlock *lock;
	} named[ZSR_MAX_NAMED];
	unsigned nr_named;
};

/* A task that releases: an exit or an unmapping, from its begin to its end. */
struct zsr_releaser {
	uint32_t task; /* below pool->nr_tasks */
	uint64_t objects; /* it releases in all; only for gated policies */
};

struct zsr_param {
	const char *name; /* "pool-pages" */
	const char *unit; /* "pages", "ns", "" */
	uint64_t def, min, max;
	const char *text; /* what it is */
	const char *source; /* where the default comes from */
	const char *const *names; /* of the values from 0 on; NULL: a number */
};

enum zsr_store_lock {
	ZSR_STORE_CLASS_LOCK, /* zs_malloc takes the class's lock */
	ZSR_STORE_BIG_LOCK, /* the pool's one lock */
};

/* release_begins() and release_ends() want to know how much is coming. */
#define ZSR_POLICY_GATED (1u << 0)
/* Queues whole swap entries: release() does the swap core's part too, at once
 * or later, with the locks around it, and a slot is not stored to before. */
#define ZSR_POLICY_ENTRIES (1u << 1)

struct zsr_policy {
	unsigned version; /* ZSR_MACHINE_VERSION */
	const char *name;
	const char *summary; /* one line */
	const char *text; /* what it stands for, how it works */
	const char *source; /* the mail or release */
	const struct zsr_param *params;
	unsigned nr_params;
	unsigned flags; /* ZSR_POLICY_* */
	enum zsr_store_lock store_lock;
	/* May be NULL: allocate and free priv. After flush nothing is queued,
	 * so teardown only frees. setup returns 0 or -ENOMEM. */
	int (*setup)(struct zsr_pool *p);
	void (*teardown)(struct zsr_pool *p);
	/* The caller's release of what lies in a slot, from the slot's
	 * bookkeeping to the handle: now, or partly later by a worker. Runs
	 * with preemption off and must not sleep. */
	void (*release)(struct zsr_pool *p, const struct zsr_releaser *r,
			uint32_t slot);
	/* May be NULL: the task's release begins, before its first object, and
	 * ends, after its last. As release() otherwise. */
	void (*release_begins)(struct zsr_pool *p, const struct zsr_releaser *r);
	void (*release_ends)(struct zsr_pool *p, const struct zsr_releaser *r);
	/* Frees that no proposal defers: overwrite, discard, reset. */
	void (*free_now)(struct zsr_pool *p, zsr_handle h);
	/* May be NULL: free everything that is queued, before it returns. May
	 * sleep. Nobody releases meanwhile. */
	void (*flush)(struct zsr_pool *p);
	/* May be NULL: CPU has gone, nothing runs on it; what is queued in its
	 * name must be freed by somebody else. May sleep. */
	void (*cpu_offline)(struct zsr_pool *p, unsigned cpu);
	/* May be NULL: free pages fell below the low mark. In the task that
	 * allocates; must not sleep. */
	void (*pressure)(struct zsr_pool *p);
};

/* All of them in the order of the ablation; `sync` defines 100 %. */
#define ZSR_POLICIES(X)                                                        \
	X(sync)                                                                \
	X(sync_6_1)                                                            \
	X(unlock_first)                                                        \
	X(class_idx)                                                           \
	X(class_batch)                                                         \
	X(defer_zspage)                                                        \
	X(array)                                                               \
	X(deferred)                                                            \
	X(deferred_slot)                                                       \
	X(exit_gather)                                                         \
	X(global_list)                                                         \
	X(zram_gc)                                                             \
	X(ideal)

#define X(name) extern const struct zsr_policy zsr_policy_##name;
ZSR_POLICIES(X)
#undef X

/* The same, NULL at the end. */
extern const struct zsr_policy *const zsr_policies[];

/* NULL when there is none of that name. */
const struct zsr_policy *zsr_policy_find(const char *name);

/* ---- steps (locks they need: the engine's matrix) ------------------- */

/* What lies in the slot, taken out of it: the slot's bookkeeping is done. */
zsr_handle zsr_pool_slot_take(struct zsr_pool *p, uint32_t slot);
/* Read the class from the object word alone (7.3, 64-bit). */
unsigned zsr_pool_peek_class(struct zsr_pool *p, zsr_handle h);
/* The time it takes to find the zspage through an object word that was just
 * loaded; the engine finds it again. */
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

/* All of a free at once, by nobody and at no cost, unless a store or a
 * compaction holds the class lock: the bound. And what lies in
 * the slot, likewise. */
void zsr_pool_vanish(struct zsr_pool *p, zsr_handle h);
zsr_handle zsr_pool_slot_vanish(struct zsr_pool *p, uint32_t slot);

/* ---- steps of policies that queue slots and swap entries --------------- */

/*
 * The slot's release is put off: what lies in it stays, marked. A store to the
 * slot before the release is done takes it out first and frees it itself (as
 * an overwrite does), so that the release, when its turn comes, must not take
 * the new object for the old one.
 */
void zsr_pool_slot_defer(struct zsr_pool *p, uint32_t slot);
/* The put-off release's turn: what lies in the slot, taken out of it, or 0
 * when the slot was stored to since and nothing is left to do. */
zsr_handle zsr_pool_slot_drain(struct zsr_pool *p, uint32_t slot);
/* The swap core's part of a release (ZSR_POLICY_ENTRIES): from now on the slot
 * may be stored to. */
void zsr_pool_swap_free(struct zsr_pool *p, uint32_t slot);
/* Before a caller frees an entry itself: takes the swap device's lock, where the
 * kernel has one. It is dropped when the run of such releases ends. */
void zsr_pool_swap_enter(struct zsr_pool *p);
/* The same for a worker, around a run of at most ZSR_SWAP_BATCH entries. */
void zsr_pool_swap_lock(struct zsr_pool *p);
void zsr_pool_swap_unlock(struct zsr_pool *p);

/* ---- bookkeeping a policy owes the run's record --------------------- */

/* H now waits in a queue of the policy; obj_free of it ends that. */
void zsr_pool_queued(struct zsr_pool *p, zsr_handle h);
/* An emptied, unlinked zspage waits in a queue of the policy from now on;
 * returns the time for zsr_pool_zspage_dequeued(), when it leaves. */
uint64_t zsr_pool_zspage_queued(struct zsr_pool *p);
void zsr_pool_zspage_dequeued(struct zsr_pool *p, uint64_t queued_at);
/* A release that was done synchronously because it could not be queued. */
void zsr_pool_fell_back(struct zsr_pool *p);
/* In setup: the record counts LOCK, of the policy, under NAME, which stays. No
 * more than ZSR_MAX_NAMED; others are not counted. */
void zsr_pool_name_lock(struct zsr_pool *p, struct zsr_spinlock *lock,
			const char *name);
/* The policy's own buffers grew (or, negative, shrank) by NR pages. */
void zsr_pool_buffer_pages(struct zsr_pool *p, int64_t nr);

/* ---- for the player -------------------------------------------------- */

/* NR_RELEASING is kept by the caller, which outlives the pool with it. */
int zsr_pool_init(struct zsr_pool *p, struct zsr_machine *m,
		  const struct zsr_model *model, unsigned page_size,
		  unsigned chain_size, const struct zsr_policy *policy,
		  const uint64_t *params, uint32_t nr_tasks,
		  const uint32_t *nr_releasing, struct zsr_account *account,
		  struct zsr_err *err);
/* A store puts H into a slot of its own choice. Its number, or -ENOMEM (of the
 * host; noted in the account). */
int64_t zsr_pool_slot_store(struct zsr_pool *p, zsr_handle h);
/* The slot may be stored to: the swap layer has let go of it. */
void zsr_pool_slot_put(struct zsr_pool *p, uint32_t slot);
/* What is left is dropped; the policy must have been flushed. */
void zsr_pool_destroy(struct zsr_pool *p);
/* zs_malloc: 0 or the kernel's -errno. */
int zsr_pool_malloc(struct zsr_pool *p, size_t size, zsr_handle *h);
/* zs_compact: pages it gave back. */
uint64_t zsr_pool_compact(struct zsr_pool *p);
/* The page allocator moves a page elsewhere: of the zspage of some object, in
 * turn, with the locks that keep users away. False: there is none, or somebody
 * has it. */
bool zsr_pool_migrate(struct zsr_pool *p);

#endif
