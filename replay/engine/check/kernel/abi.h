/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between zsr and a kernel's allocator built as a shared object. Both sides
 * include this, and one of them has no C library: only the compiler's own
 * types. One pool at a time.
 */
#ifndef ZSR_CHECK_ABI_H
#define ZSR_CHECK_ABI_H

_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "a 64-bit machine");

/* What the kernel's code stands on. */
struct zsr_kernel_host {
	/* Zeroed memory that costs nothing until it is used, or a null pointer. */
	void *(*reserve)(unsigned long bytes);
	unsigned long (*clock_ns)(void);
	/* Does not return. */
	void (*bug)(const char *what, const char *file, int line);
	/* A zspage was made or handed back; pages: of the pool, after it. */
	void (*event)(int made, unsigned long zspage, unsigned class_index,
		      unsigned zspage_pages, unsigned long pages);
};

struct zsr_kernel_place {
	unsigned long zspage; /* serial */
	unsigned class_index;
	unsigned obj;
	unsigned pages; /* of the zspage */
};

#define ZSR_KERNEL_GROUPS 12

struct zsr_kernel_class {
	unsigned index;
	unsigned size;
	unsigned objs; /* slots a zspage */
	unsigned pages; /* of a zspage */
	unsigned long obj_allocated;
	unsigned long obj_used;
	unsigned long pages_used;
	unsigned long freeable;
	unsigned nr_groups;
	unsigned long group[ZSR_KERNEL_GROUPS];
};

/* A call to be timed: place is in the table of live handles. */
struct zsr_timed_op {
	unsigned place;
	unsigned size; /* or one of */
};
#define ZSR_TIMED_FREE    0xffffffffu
#define ZSR_TIMED_COMPACT 0xfffffffeu

struct zsr_kernel {
	/* 0, or -1 when memory is out. */
	int (*create)(void);
	/* Live objects are lost with it. */
	void (*destroy)(void);
	/* 0 or the kernel's negative error number. */
	long (*malloc)(unsigned long size, unsigned long *handle);
	void (*free)(unsigned long handle);
	unsigned long (*compact)(void);
	void (*run_worker)(void);
	unsigned long (*pages)(void);
	unsigned long (*pages_compacted)(void);
	void (*place)(unsigned long handle, struct zsr_kernel_place *place);
	/* The page of the object's zspage, or a null pointer when it was locked. */
	void *(*page_trylock)(unsigned long handle, unsigned page);
	void (*page_unlock)(void *page);
	unsigned nr_raw_classes;
	/* 0 when INDEX is no class of its own. */
	int (*class_stats)(unsigned index, struct zsr_kernel_class *c);
	/* The time of NR calls without compactions. */
	unsigned long (*play)(const struct zsr_timed_op *op, unsigned long nr,
			      unsigned long *handle);
};

/* The one symbol of the shared object; a null pointer when memory is out. */
typedef const struct zsr_kernel *zsr_kernel_load_fn(
	const struct zsr_kernel_host *host);
#define ZSR_KERNEL_LOAD "zsr_kernel_load"

#endif
