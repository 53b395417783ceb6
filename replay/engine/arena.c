// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a backed pool: page frames of the pool's page size, a record
 * each, and the bytes of objects in them. Address space for all frames there
 * can be is reserved; the system gives memory as they are touched, and a frame
 * that was given back keeps it: the one freed last is used first.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "replay/engine/object.h"

#define MAX_BYTES ((size_t)1 << (sizeof(size_t) == 8 ? 36 : 30))
#define MIN_BYTES ((size_t)1 << 26)

struct zsr_arena {
	uint32_t free;
	size_t nr_used; /* frames ever used, number 0 included, which is none */
	size_t nr_frames;
};

static void *reserve(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool reserve_frames(struct zsr_engine *e, size_t nr)
{
	e->memory = reserve(nr << e->page_shift);
	if (!e->memory)
		return false;
	e->page = reserve(nr * sizeof(*e->page));
	if (e->page) {
		/* Refused by kernels that have no huge pages to begin with. */
		madvise(e->memory, nr << e->page_shift, MADV_NOHUGEPAGE);
		e->arena->nr_frames = nr;
		e->arena->nr_used = 1;
		return true;
	}
	munmap(e->memory, nr << e->page_shift);
	return false;
}

/* As much as the system grants: limits on address space are common. */
int zsr_arena_init(struct zsr_engine *e)
{
	size_t len;

	e->page_shift = (unsigned)__builtin_ctz(e->page_size);
	e->arena = calloc(1, sizeof(*e->arena));
	if (!e->arena)
		return -ENOMEM;
	for (len = MAX_BYTES; len >= MIN_BYTES; len /= 2)
		if (reserve_frames(e, len >> e->page_shift))
			return 0;
	return -ENOMEM;
}

void zsr_arena_destroy(struct zsr_engine *e)
{
	size_t nr = e->arena ? e->arena->nr_frames : 0;

	if (nr) {
		munmap(e->memory, nr << e->page_shift);
		munmap(e->page, nr * sizeof(*e->page));
	}
	free(e->arena);
}

/* What is there stays as it is. */
static int populate(void *p, size_t len)
{
	volatile char *byte = p;
	size_t at;

	if (!madvise(p, len, MADV_POPULATE_WRITE))
		return 0;
	if (errno != EINVAL) /* as kernels before 5.14 say */
		return -errno;
	for (at = 0; at < len; at += 4096)
		byte[at] = byte[at];
	return 0;
}

int zsr_engine_prefault(struct zsr_engine *e, uint64_t pages,
			struct zsr_err *err)
{
	int ret;

	if (!e->backed)
		return zsr_err_usage(err, "the pool has no memory of its own");
	if (pages > e->arena->nr_frames - e->arena->nr_used)
		return zsr_err_nomem(err, "pages of a pool");
	ret = populate(e->memory + (e->arena->nr_used << e->page_shift),
		       pages << e->page_shift);
	if (!ret)
		ret = populate(e->page,
			       (e->arena->nr_used + pages) * sizeof(*e->page));
	return ret ? zsr_err_sys(err, -ret, "pages of a pool") : 0;
}

/* ---- chains ------------------------------------------------------------- */

/* A number, 0 when there is none. */
static uint32_t frame_alloc(struct zsr_engine *e)
{
	struct zsr_arena *a = e->arena;
	uint32_t nr = a->free;

	if (nr)
		a->free = e->page[nr].next;
	else if (a->nr_used < a->nr_frames)
		nr = (uint32_t)a->nr_used++;
	return nr;
}

static void frames_free(struct zsr_engine *e, uint32_t first, unsigned nr)
{
	uint32_t next;

	for (; nr--; first = next) {
		next = e->page[first].next;
		e->page[first].next = e->arena->free;
		e->arena->free = first;
	}
}

bool zsr_chain_alloc(struct zsr_engine *e, struct zsr_zspage *z)
{
	uint32_t *where = &z->first_page;
	unsigned nr;

	for (nr = 0; nr < z->pages; nr++) {
		*where = frame_alloc(e);
		if (!*where) {
			frames_free(e, z->first_page, nr);
			return false;
		}
		where = &e->page[*where].next;
	}
	*where = 0;
	z->free_page = z->first_page;
	return true;
}

void zsr_chain_free(struct zsr_engine *e, struct zsr_zspage *z)
{
	frames_free(e, z->first_page, z->pages);
}

void zsr_chain_give_back(struct zsr_engine *e, const struct zsr_zspage *z)
{
	uint32_t at = z->first_page;
	unsigned nr;

	for (nr = 0; nr < z->pages; nr++, at = e->page[at].next)
		madvise(e->memory + ((size_t)at << e->page_shift),
			(size_t)1 << e->page_shift, MADV_DONTNEED);
}

int zsr_engine_give_back(struct zsr_engine *e, struct zsr_err *err)
{
	long system = sysconf(_SC_PAGESIZE);

	if (!e->backed)
		return zsr_err_usage(err, "the pool has no memory of its own");
	if (system > 1l << e->page_shift)
		return zsr_err_usage(err,
				     "this system's pages are larger than the "
				     "pool's");
	e->gives_back = true;
	return 0;
}

#define for_each_page(page, nr, e, z)                                          \
	for (nr = 0, page = zspage_page(e, z, 0); nr < (z)->pages;             \
	     nr++, page = page_next(e, page))

void zsr_chain_init(struct zsr_engine *e, const struct zsr_class *c,
		    struct zsr_zspage *z)
{
	unsigned offset = 0, slot = 0, nr;
	struct zsr_page *page;
	uintptr_t next;

	for_each_page(page, nr, e, z)
	{
		page->zspage = z;
		page->first = (uint16_t)offset;
		page->locked = false;
		for (; !c->huge && slot < c->objs && offset < e->page_size;
		     offset += c->size) {
			next = ++slot < c->objs ? slot : ~(uintptr_t)0;
			*header_at(e, page, offset) = next << 1;
		}
		offset -= e->page_size;
	}
}

void zsr_chain_reset(struct zsr_engine *e, struct zsr_zspage *z)
{
	struct zsr_page *page;
	unsigned nr;

	for_each_page(page, nr, e, z)
	{
		page->zspage = NULL;
		page->first = 0;
		__atomic_clear(&page->locked, __ATOMIC_RELEASE);
	}
}

static void unlock_first(struct zsr_engine *e, struct zsr_zspage *z, unsigned n)
{
	struct zsr_page *page;
	unsigned nr;

	for_each_page(page, nr, e, z)
	{
		if (nr == n)
			break;
		__atomic_clear(&page->locked, __ATOMIC_RELEASE);
	}
}

/* Page by page in the order of the chain, as the kernel does. */
bool zsr_chain_trylock(struct zsr_engine *e, struct zsr_zspage *z)
{
	struct zsr_page *page;
	unsigned nr;

	for_each_page(page, nr, e, z)
	{
		if (__atomic_test_and_set(&page->locked, __ATOMIC_ACQUIRE)) {
			unlock_first(e, z, nr);
			return false;
		}
	}
	return true;
}

/* ---- bytes of objects --------------------------------------------------- */

/* Up to the end of a page, then in the next one. */
struct bytes {
	struct zsr_page *page;
	unsigned offset;
};

static struct bytes bytes_of(const struct zsr_engine *e,
			     const struct zsr_class *c, uint64_t cell)
{
	unsigned header = c->huge ? 0 : (unsigned)sizeof(uintptr_t);
	unsigned offset = cell_slot(cell) * c->size;

	/* Slots are multiples of a word, so headers do not straddle; what
	 * follows one may begin with the next page. */
	return (struct bytes){ cell_page(e, cell),
			       (offset & (e->page_size - 1)) + header };
}

/* As many as there are in this page, at most LEN. */
static char *bytes_run(const struct zsr_engine *e, struct bytes *b, size_t *len)
{
	if (b->offset == e->page_size) {
		b->page = page_next(e, b->page);
		b->offset = 0;
	}
	*len = zsr_min(*len, e->page_size - b->offset);
	return page_bytes(e, b->page) + b->offset;
}

void zsr_obj_copy(struct zsr_engine *e, const struct zsr_class *c, uint64_t to,
		  uint64_t from)
{
	struct bytes dst = bytes_of(e, c, to), src = bytes_of(e, c, from);
	size_t left = c->size - sizeof(uintptr_t), n;
	char *d, *s;

	for (; left; left -= n) {
		n = left;
		d = bytes_run(e, &dst, &n);
		s = bytes_run(e, &src, &n);
		memcpy(d, s, n);
		dst.offset += (unsigned)n;
		src.offset += (unsigned)n;
	}
}

/* The object's bytes and what there is room for; nothing without memory. */
static size_t obj_room(const struct zsr_engine *e, zsr_handle h, struct bytes *b)
{
	uint64_t cell = cell_read(e, h);
	const struct zsr_class *c;

	if (!e->backed)
		return 0;
	c = &e->class[cell_class(e, cell, true)];
	*b = bytes_of(e, c, cell);
	return c->huge ? e->page_size : c->size - sizeof(uintptr_t);
}

int zsr_engine_obj_write(struct zsr_engine *e, zsr_handle h, const void *buf,
			 size_t len)
{
	const char *from = buf;
	struct bytes b;
	size_t n;
	char *p;

	if (len > obj_room(e, h, &b))
		return -EINVAL;
	for (; len; len -= n, from += n) {
		n = len;
		p = bytes_run(e, &b, &n);
		memcpy(p, from, n);
		b.offset += (unsigned)n;
	}
	return 0;
}

int zsr_engine_obj_read(const struct zsr_engine *e, zsr_handle h, void *buf,
			size_t len)
{
	struct bytes b;
	char *to = buf;
	size_t n;
	char *p;

	if (len > obj_room(e, h, &b))
		return -EINVAL;
	for (; len; len -= n, to += n) {
		n = len;
		p = bytes_run(e, &b, &n);
		memcpy(to, p, n);
		b.offset += (unsigned)n;
	}
	return 0;
}
