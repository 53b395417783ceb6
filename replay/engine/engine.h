/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The zsmalloc engine: the decisions of a kernel's allocator, and nothing
 * else. It knows no policy, no lock, no clock; a caller takes the locks the
 * chosen kernel would take around the steps below. Specified by the design's
 * zsmalloc model; judged by oracle data of real kernels.
 *
 * Steps are as small as the kernel's critical sections, so that a policy can
 * place locks between them. A whole synchronous free is
 *
 *	class = zsr_engine_handle_class(e, h);
 *	done = zsr_engine_obj_free(e, class, h, &zspage);  [class lock]
 *	if ((done & ZSR_EMPTIED) && zsr_engine_zspage_trylock(e, zspage)) {
 *		zsr_engine_zspage_unlink(e, zspage);	   [class lock]
 *		zsr_engine_zspage_free(e, zspage);	   [no lock]
 *	}
 *	zsr_engine_handle_free(e, h);			   [no lock]
 *
 * Which lock each step needs is in the matrix at the end of this header.
 */
#ifndef ZSR_ENGINE_H
#define ZSR_ENGINE_H

#include "base/base.h"

struct zsr_engine;
struct zsr_zspage;

/* 0 is no handle. Handles are dense small numbers, reused after free. */
typedef uint32_t zsr_handle;

/* ---- models: the three axes on which kernels differ ----------------- */

enum zsr_chain_rule { ZSR_CHAIN_PERCENT, ZSR_CHAIN_MINWASTE };
enum zsr_group_rule { ZSR_GROUP_QUAD, ZSR_GROUP_RATIO12 };
enum zsr_compact_rule { ZSR_COMPACT_SRC, ZSR_COMPACT_DST };
enum zsr_refuse_rule {
	ZSR_REFUSE_NULL, /* 5.10: null handle for both */
	ZSR_REFUSE_EINVAL, /* 6.1: -EINVAL for both */
	ZSR_REFUSE_ENOSPC, /* 6.12: -EINVAL for 0, -ENOSPC for too large */
};

struct zsr_model {
	const char *name; /* "6.1", "6.3", "6.12"; "5.10" differs in refuse */
	enum zsr_chain_rule chain;
	enum zsr_group_rule group;
	enum zsr_compact_rule compact;
	enum zsr_refuse_rule refuse;
	unsigned default_chain; /* pages: 4 to 6.2, 8 after */
	bool worker_drift; /* free worker forgets the empty counter (<= 6.3) */
};

/*
 * By model name or kernel release ("6.12.117+deb12-arm64", "7.3", "5.10");
 * NULL for what is no release or older than 5.10's rules are known for (4.x).
 */
const struct zsr_model *zsr_model_find(const char *release);

/* "6.12.117+deb12-arm64" to ZSR_RELEASE(6, 12); 0 for what is no release. */
#define ZSR_RELEASE(major, minor) ((major) << 16 | (minor))
unsigned zsr_release_parse(const char *release);

/*
 * How a kernel packs where an object is into one machine word. Only the width
 * of the index matters to the engine: what it cannot number is no size class.
 */
struct zsr_obj_layout {
	unsigned word_bits; /* 32 or 64 */
	unsigned physmem_bits; /* of a physical address */
	unsigned pfn_bits;
	unsigned tag_bits;
	unsigned class_bits;
	unsigned idx_bits;
	unsigned min_size; /* bytes of the smallest size class */
	unsigned handle_size; /* bytes */
};

/*
 * The layout of a kernel release; a usage error for widths that leave no
 * index. word_bits 0 means 64, physmem_bits 0 means 52 or, on 32 bits, 32.
 */
int zsr_obj_layout(struct zsr_obj_layout *l, const char *release,
		   unsigned word_bits, unsigned physmem_bits,
		   unsigned page_size, unsigned chain_size, struct zsr_err *err);

/* ---- an engine: one pool ------------------------------------------- */

/*
 * page_size 4096, 16384 or 65536; chain_size 4..16 pages, 0 = the model's
 * default; 64-bit object layout. Destroy frees everything, live objects too.
 */
int zsr_engine_create(struct zsr_engine **e, const struct zsr_model *model,
		      unsigned page_size, unsigned chain_size,
		      struct zsr_err *err);
void zsr_engine_destroy(struct zsr_engine *e);

/* The same with an object layout of choice (NULL: that one) and ZSR_ENGINE_*
 * flags. */
int zsr_engine_create_layout(struct zsr_engine **e,
			     const struct zsr_model *model, unsigned page_size,
			     unsigned chain_size,
			     const struct zsr_obj_layout *layout,
			     unsigned flags, struct zsr_err *err);

/* Threads call the engine under the locks of the matrix below. Without it, a
 * pool belongs to one thread and pays for no atomic. */
#define ZSR_ENGINE_SHARED (1u << 0)
/* Objects have real memory (see "memory of a backed pool"); the layout must be
 * one with this machine's words. All decisions are the same. */
#define ZSR_ENGINE_BACKED (1u << 1)

/* One size class as the tables show it. */
struct zsr_class_info {
	unsigned index; /* own index: greatest raw index merged */
	unsigned size; /* bytes a slot */
	unsigned objs; /* slots a zspage */
	unsigned pages; /* pages a zspage */
	unsigned min_request; /* smallest and largest zs_malloc size here */
	unsigned max_request;
	unsigned slots_merged;
	unsigned waste; /* bytes at the end of a chain */
	bool huge;
};

unsigned zsr_engine_nr_raw_classes(const struct zsr_engine *e);
unsigned zsr_engine_huge_class_size(const struct zsr_engine *e);
/* false when INDEX is not a class of its own. */
bool zsr_engine_class_info(const struct zsr_engine *e, unsigned index,
			   struct zsr_class_info *info);

/* ---- malloc, step by step ------------------------------------------ */

/* Class index for a request of SIZE bytes, or the kernel's error for a refused
 * one: -EINVAL, -ENOSPC, or -ENOMEM where the kernel returns a null handle. */
int zsr_engine_size_class(const struct zsr_engine *e, size_t size);
/* A handle cell; 0 when memory is out. */
zsr_handle zsr_engine_handle_alloc(struct zsr_engine *e);
void zsr_engine_handle_free(struct zsr_engine *e, zsr_handle h);

/*
 * A thread's own stock of handles, for a shared pool: only every 32nd alloc or
 * free goes to the pool's. Zeroed at first; drain gives back what is left.
 */
#define ZSR_HANDLE_CACHE 62
struct zsr_handle_cache {
	unsigned nr;
	zsr_handle handle[ZSR_HANDLE_CACHE];
};
zsr_handle zsr_engine_handle_alloc_cached(struct zsr_engine *e,
					  struct zsr_handle_cache *cache);
void zsr_engine_handle_free_cached(struct zsr_engine *e,
				   struct zsr_handle_cache *cache, zsr_handle h);
void zsr_engine_handle_drain(struct zsr_engine *e,
			     struct zsr_handle_cache *cache);

/* The zspage that serves the next object of CLASS, NULL: a new one is needed. */
struct zsr_zspage *zsr_engine_zspage_pick(struct zsr_engine *e, unsigned class);
/* Build a zspage, not yet listed; NULL when memory is out. */
struct zsr_zspage *zsr_engine_zspage_alloc(struct zsr_engine *e, unsigned class);
/*
 * Put the object of H into ZSPAGE (of CLASS): pops a slot, regroups, counts. A
 * zspage fresh from zspage_alloc enters the lists and the page counter here.
 * Returns ZSR_REGROUPED and ZSR_CREATED bits.
 */
unsigned zsr_engine_obj_malloc(struct zsr_engine *e, unsigned class,
			       struct zsr_zspage *zspage, zsr_handle h);

#define ZSR_REGROUPED (1u << 0) /* the zspage changed its group */
#define ZSR_CREATED   (1u << 1) /* it is new */
#define ZSR_EMPTIED   (1u << 2) /* its last object went */

/* ---- free, step by step -------------------------------------------- */

/* Class index from the handle alone (7.3's packed word). */
unsigned zsr_engine_handle_class(const struct zsr_engine *e, zsr_handle h);
struct zsr_zspage *zsr_engine_handle_zspage(const struct zsr_engine *e,
					    zsr_handle h);
/* Push the slot back, count, regroup. Returns ZSR_REGROUPED | ZSR_EMPTIED;
 * *zspage is where the object was, NULL when that is of another class: then
 * nothing was done. The handle itself stays allocated. */
unsigned zsr_engine_obj_free(struct zsr_engine *e, unsigned class, zsr_handle h,
			     struct zsr_zspage **zspage);
/* Try to lock every page of an empty zspage. False: nothing is locked, the
 * zspage stays on its empty list and the free worker is scheduled. */
bool zsr_engine_zspage_trylock(struct zsr_engine *e, struct zsr_zspage *zspage);
/* Take a page-locked empty zspage off its list and out of the class's
 * statistics; from here on nobody can pick it. */
void zsr_engine_zspage_unlink(struct zsr_engine *e, struct zsr_zspage *zspage);
/* Hand its pages back: the release event; zspage is gone afterwards. Returns
 * the number of pages. */
unsigned zsr_engine_zspage_free(struct zsr_engine *e, struct zsr_zspage *zspage);

/* ---- whole calls, as the kernel of the model makes them ------------- */

/* 0 or the kernel's negative errno. */
int zsr_engine_malloc(struct zsr_engine *e, size_t size, zsr_handle *h);
/* True when the zspage was handed back within the call. */
bool zsr_engine_free(struct zsr_engine *e, zsr_handle h);
/* Run the free worker if it was scheduled; returns pages handed back. */
uint64_t zsr_engine_run_worker(struct zsr_engine *e);
bool zsr_engine_worker_scheduled(const struct zsr_engine *e);
/* The same for who takes the classes' locks one by one: is there something to
 * do (from now on it is not scheduled), and its part in a class. A zspage with
 * a locked page stays, and schedules the worker anew. */
bool zsr_engine_worker_begin(struct zsr_engine *e);
uint64_t zsr_engine_worker_class(struct zsr_engine *e, unsigned class);
/* zs_compact over the whole pool: its return value. */
uint64_t zsr_engine_compact(struct zsr_engine *e);
/* One class of it, leaving pages_compacted alone: a pool's compaction goes
 * through its classes from the highest index down. */
uint64_t zsr_engine_compact_class(struct zsr_engine *e, unsigned class);
/* What the shrinker counts: pages a perfect compaction would give back. */
uint64_t zsr_engine_freeable(const struct zsr_engine *e);

/* Page locks from outside (migration, isolation): try to lock page PAGE of the
 * zspage; false when it is locked already. A locked page keeps its zspage. */
bool zsr_engine_page_trylock(struct zsr_engine *e, struct zsr_zspage *zspage,
			     unsigned page);
void zsr_engine_page_unlock(struct zsr_engine *e, struct zsr_zspage *zspage,
			    unsigned page);

/* ---- memory of a backed pool ---------------------------------------- */

/*
 * A pool made with ZSR_ENGINE_BACKED keeps its zspages in real pages, as the
 * kernel does: each page has a record with its lock, its zspage, the next page
 * and where its first slot starts; free slots are linked through their first
 * words, a used one's first word holds the handle, that of a huge object is in
 * the page's record; objects straddle pages that need not be neighbours;
 * compaction copies their bytes. So a free touches what the kernel's touches.
 * Pages go back to the pool, and to the system with the pool.
 */

/* Have the system give memory now for PAGES pages more than were ever in use, so
 * that no op waits for it. A usage error where the pool is not backed. */
int zsr_engine_prefault(struct zsr_engine *e, uint64_t pages,
			struct zsr_err *err);

/* From now on the memory of a zspage that is handed back goes to the system at
 * once, a system call a page. A usage error where the pool is not backed, or the
 * system's pages are larger. */
int zsr_engine_give_back(struct zsr_engine *e, struct zsr_err *err);

/*
 * Copy LEN bytes into the object from its start, or out of it. At least as many
 * as were asked for at its malloc have room. -EINVAL when LEN has no room or
 * the pool is not backed; nothing is copied then.
 */
int zsr_engine_obj_write(struct zsr_engine *e, zsr_handle h, const void *buf,
			 size_t len);
int zsr_engine_obj_read(const struct zsr_engine *e, zsr_handle h, void *buf,
			size_t len);

/* ---- looking ------------------------------------------------------- */

uint64_t zsr_engine_pages(const struct zsr_engine *e); /* pool pages now */
uint64_t zsr_engine_pages_compacted(const struct zsr_engine *e);

struct zsr_place {
	uint64_t zspage; /* serial: 0, 1, 2, ... in order of creation */
	unsigned class;
	unsigned obj; /* slot */
};
void zsr_engine_place(const struct zsr_engine *e, zsr_handle h,
		      struct zsr_place *place);

uint64_t zsr_zspage_serial(const struct zsr_zspage *z);
unsigned zsr_zspage_class(const struct zsr_zspage *z);
unsigned zsr_zspage_pages(const struct zsr_zspage *z);
unsigned zsr_zspage_inuse(const struct zsr_zspage *z);
/* A word for whoever drives the engine: objects of this zspage that somebody
 * released and nobody freed yet. 0 in a new zspage; the engine moves it along
 * with nothing and reads it never. */
uint32_t *zsr_zspage_queued(struct zsr_zspage *z);

struct zsr_class_stats {
	uint64_t obj_allocated;
	uint64_t obj_used;
	uint64_t pages_used;
	uint64_t freeable; /* pages */
	unsigned nr_groups; /* 4 (quad: empty, almost empty, almost full,
				 * full) or 12 */
	uint64_t group[12];
};
/* Objects stored and pages. */
void zsr_engine_class_use(const struct zsr_engine *e, unsigned class,
			  uint64_t *objects, uint64_t *pages);
/* Counts the zspages of its groups one by one. */
void zsr_engine_class_stats(const struct zsr_engine *e, unsigned class,
			    struct zsr_class_stats *s);

/*
 * Observer of things that happen inside whole calls: a zspage made or handed
 * back (pages_now = pool pages after it), an object moved by compaction (its
 * place is the new one by then, and the driver may move its part of the
 * zspages' words along). Any callback may be NULL; called with the caller's
 * locks held; must not call back into the engine except for the functions of
 * this section.
 *
 * Compaction holds its locks over a whole class unless it is told that somebody
 * waits for them (contended()): then it lets go where the kernel does. At
 * breathe(), with PAGES given back in this class so far, the driver may drop
 * the locks, and must hold them again when it returns.
 */
struct zsr_engine_observer {
	void *ctx;
	void (*zspage_new)(void *ctx, const struct zsr_zspage *z,
			   uint64_t pages_now);
	void (*zspage_free)(void *ctx, const struct zsr_zspage *z,
			    uint64_t pages_now);
	void (*moved)(void *ctx, zsr_handle h, struct zsr_zspage *from,
		      struct zsr_zspage *to);
	bool (*contended)(void *ctx);
	void (*breathe)(void *ctx, uint64_t pages);
};
void zsr_engine_observe(struct zsr_engine *e,
			const struct zsr_engine_observer *obs);

/* ---- op sequences and tables ---------------------------------------- */

/*
 * Run the ops of the file SEQUENCE (lines "op,id,size", plain or gzipped; see
 * zsr-engine(1)) through an engine nobody used yet, and write events.csv,
 * placement.csv, moves.csv, compact.csv and checkpoints.csv into the directory
 * DIR, which is made if it is absent; NULL: write nothing. Checkpoints come
 * after every checkpoint_every ops (0: none), every compaction, and at the end.
 * A sequence that makes no sense is an input error naming its line; no file is
 * left behind then. The engine's observer is cleared.
 */
struct zsr_seq_run {
	const char *sequence;
	const char *dir;
	uint64_t checkpoint_every;
};
int zsr_engine_run_sequence(struct zsr_engine *e, const struct zsr_seq_run *run,
			    struct zsr_err *err);

/* The size classes as CSV with a header; KERNEL fills its first column. */
void zsr_engine_write_tables(const struct zsr_engine *e, const char *kernel,
			     FILE *f);
/* The kernel's own `classes` table (debugfs zsmalloc/POOL/classes). */
void zsr_engine_write_classes(const struct zsr_engine *e, FILE *f);

/*
 * Lock matrix. C = the class's lock, P = pool page locks of that zspage,
 * - = none; two steps of different classes never need the same lock.
 *
 *	size_class, handle_class, class_info		-
 *	handle_alloc, handle_free			-
 *	zspage_pick, obj_malloc, obj_free		C
 *	zspage_alloc					-
 *	zspage_trylock					C (takes P)
 *	zspage_unlink					C and P
 *	zspage_free					P, off every list
 *	obj_write, obj_read				C, or what keeps
 *							compaction out
 *	prefault, give_back				the pool to itself
 *	page_trylock, page_unlock			- (they are P), while
 *							the zspage is held
 *	malloc, free, run_worker, compact, class_stats,
 *	freeable, observe				every C
 *	compact_class					C, one at a time
 *	worker_class					C
 *	worker_begin					-
 *	pages, pages_compacted, worker_scheduled	- (a momentary value)
 *
 * The matrix holds for pools made with ZSR_ENGINE_SHARED; others belong to one
 * thread. What needs no lock is safe by atomics or by a short lock inside the
 * pool. handle_class stays right while compaction moves the object;
 * handle_zspage and place need C (or what keeps compaction out). Observers are
 * called by the thread at hand, several at once when it is a step of different
 * classes or zspage_free.
 */

#endif
