// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools with memory: the oracle's sequences give the files of real kernels;
 * all the while each object's bytes are its own, at its free, after compactions
 * and at the end; pages know their zspages, and headers their handles. Room,
 * refusals, and memory that runs out.
 */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "replay/engine/object.h"
#include "replay/engine/seq.h"
#include "replay/engine/t/bytes.h"
#include "tests/check.h"

#define DATA "replay/engine/t/data/"

static struct zsr_engine *create(const char *kernel, unsigned page_size,
				 unsigned chain_size)
{
	struct zsr_obj_layout l;
	struct zsr_err err = { 0 };
	struct zsr_engine *e;

	ck_assert(!zsr_obj_layout(&l, kernel, 64, 52, page_size, chain_size,
				  &err));
	ck_assert_msg(!zsr_engine_create_layout(&e, zsr_model_find(kernel),
						page_size, chain_size, &l,
						ZSR_ENGINE_BACKED, &err),
		      "%s", err.msg);
	return e;
}

/* ---- the oracle's files --------------------------------------------------- */

static void digest(const char *dir, const char *name, char hex[ZSR_SHA_HEX])
{
	char path[200], buf[65536];
	struct zsr_sha sha;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	ck_assert_msg(f, "%s", path);
	zsr_sha_init(&sha);
	while ((n = fread(buf, 1, sizeof(buf), f)))
		zsr_sha_bytes(&sha, buf, n);
	zsr_sha_hex(&sha, hex);
	fclose(f);
	ck_assert(!unlink(path));
}

/* Fields of a manifest's row. */
enum {
	SEQUENCE,
	KERNEL,
	PAGE_SIZE,
	CHAIN_SIZE,
	EVERY = 6,
	SHA = 20,
	FIELDS = 25
};

static void split(char *line, char *field[FIELDS])
{
	int i;

	for (i = 0; i < FIELDS; i++)
		field[i] = strsep(&line, ",\n");
	ck_assert_ptr_nonnull(field[FIELDS - 1]);
}

static FILE *manifest(char *line, int size)
{
	FILE *f = fopen(DATA "manifest.csv", "r");

	ck_assert(f && fgets(line, size, f));
	return f;
}

START_TEST(files)
{
	static const char *const names[] = { "events.csv", "checkpoints.csv",
					     "compact.csv", "placement.csv",
					     "moves.csv" };
	char dir[] = "/tmp/zsr-backed-XXXXXX", line[2000], path[200];
	char hex[ZSR_SHA_HEX], *field[FIELDS];
	FILE *f = manifest(line, sizeof(line));
	struct zsr_err err = { 0 };
	struct zsr_engine *e;
	unsigned rows = 0;
	size_t i;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (; fgets(line, sizeof(line), f); rows++) {
		split(line, field);
		snprintf(path, sizeof(path), DATA "seq/%s.csv.gz",
			 field[SEQUENCE]);
		e = create(field[KERNEL], (unsigned)atoi(field[PAGE_SIZE]),
			   (unsigned)atoi(field[CHAIN_SIZE]));
		ck_assert_msg(!zsr_engine_run_sequence(
				      e,
				      &(struct zsr_seq_run){
					      .sequence = path,
					      .dir = dir,
					      .checkpoint_every = strtoull(
						      field[EVERY], NULL, 10),
				      },
				      &err),
			      "%s", err.msg);
		zsr_engine_destroy(e);
		for (i = 0; i < ZSR_ARRAY_SIZE(names); i++) {
			digest(dir, names[i], hex);
			ck_assert_msg(!strcmp(hex, field[SHA + i]),
				      "%s, kernel %s: %s", path, field[KERNEL],
				      names[i]);
		}
	}
	fclose(f);
	ck_assert_uint_ge(rows, 50);
	ck_assert(!rmdir(dir));
}
END_TEST

/* ---- bytes ------------------------------------------------------------------ */

enum { MAX_IDS = 50000, MAX_SIZE = BYTES_MAX_SIZE };

static struct object {
	zsr_handle h;
	uint32_t size;
	struct zsr_zspage *locked;
	unsigned page;
} object[MAX_IDS];
static unsigned nr_ids, queue[MAX_IDS], head, tail;

/* Pages and headers say of the object what its cell says. */
static bool page_knows(const struct zsr_engine *e, zsr_handle h)
{
	uint64_t cell = cell_read(e, h);
	const struct zsr_page *page = cell_page(e, cell);
	const struct zsr_class *c = &e->class[cell_class(e, cell, true)];
	unsigned offset = cell_slot(cell) * c->size, nr;
	uintptr_t header;

	nr = offset / e->page_size;
	offset %= e->page_size;
	header = c->huge ? page->header : *header_at(e, page, offset);
	return header == ((uintptr_t)h << 1 | ZSR_SLOT_USED) &&
	       zspage_page(e, page->zspage, nr) == page &&
	       page->zspage->class == class_index(e, c) &&
	       page->first <= offset && (offset - page->first) % c->size == 0;
}

static void check(struct zsr_engine *e, unsigned id)
{
	static char got[MAX_SIZE];
	const struct object *o = &object[id];

	/* An assertion that holds takes long. */
	if (zsr_engine_obj_read(e, o->h, got, o->size) ||
	    memcmp(got, bytes_of_id(id), o->size))
		ck_abort_msg("bytes of id %u", id);
	if (!page_knows(e, o->h))
		ck_abort_msg("page of id %u", id);
}

static void check_all(struct zsr_engine *e)
{
	unsigned id;

	for (id = 0; id < nr_ids; id++)
		if (object[id].h)
			check(e, id);
}

static void do_malloc(struct zsr_engine *e, unsigned size)
{
	struct object *o = &object[nr_ids];

	if (nr_ids == MAX_IDS)
		ck_abort_msg("too many ids");
	*o = (struct object){ .size = size };
	if (!zsr_engine_malloc(e, size, &o->h) &&
	    zsr_engine_obj_write(e, o->h, bytes_of_id(nr_ids), size))
		ck_abort_msg("no room for id %u", nr_ids);
	nr_ids++;
}

static void do_free(struct zsr_engine *e, unsigned id)
{
	if (!object[id].h)
		return;
	check(e, id);
	zsr_engine_free(e, object[id].h);
	object[id].h = 0;
}

static void do_lock(struct zsr_engine *e, unsigned id, unsigned k)
{
	struct object *o = &object[id];
	struct zsr_zspage *z = zsr_engine_handle_zspage(e, o->h);

	o->page = k % zsr_zspage_pages(z);
	o->locked = zsr_engine_page_trylock(e, z, o->page) ? z : NULL;
}

static void do_unlock(struct zsr_engine *e, unsigned id)
{
	struct object *o = &object[id];

	if (o->locked)
		zsr_engine_page_unlock(e, o->locked, o->page);
	o->locked = NULL;
}

static void do_op(struct zsr_engine *e, const struct zsr_seq_op *op)
{
	unsigned id = (unsigned)op->id, n;

	switch (op->op) {
	case 'm':
		do_malloc(e, (unsigned)op->size);
		break;
	case 'f':
		do_free(e, id);
		break;
	case 'c':
		zsr_engine_compact(e);
		check_all(e);
		break;
	case 'q':
		queue[tail++] = id;
		break;
	case 'r':
		for (n = id ? id : tail - head; n && head < tail; n--)
			do_free(e, queue[head++]);
		break;
	case 'l':
		do_lock(e, id, (unsigned)op->size);
		break;
	case 'u':
		do_unlock(e, id);
		break;
	case 'w':
		zsr_engine_run_worker(e);
		break;
	}
}

START_TEST(bytes)
{
	static struct zsr_seq seq;
	char line[2000], path[200], *field[FIELDS];
	FILE *f = manifest(line, sizeof(line));
	struct zsr_err err = { 0 };
	struct zsr_seq_op op;
	struct zsr_engine *e;

	while (fgets(line, sizeof(line), f)) {
		split(line, field);
		snprintf(path, sizeof(path), DATA "seq/%s.csv.gz",
			 field[SEQUENCE]);
		e = create(field[KERNEL], (unsigned)atoi(field[PAGE_SIZE]),
			   (unsigned)atoi(field[CHAIN_SIZE]));
		nr_ids = head = tail = 0;
		ck_assert(!zsr_seq_open(&seq, path, &err));
		while (zsr_seq_next(&seq, &op, &err) > 0)
			do_op(e, &op);
		check_all(e);
		zsr_seq_close(&seq);
		zsr_engine_destroy(e);
	}
	fclose(f);
}
END_TEST

/* ---- room, refusals, memory -------------------------------------------------- */

START_TEST(room)
{
	static const unsigned sizes[] = { 1, 24, 25, 1000, 3000, 4088, 4096 };
	static char out[4097];
	const char *in = bytes_of_id(7);
	struct zsr_engine *e = create("6.12", 4096, 8);
	struct zsr_class_info info;
	struct zsr_err err = { 0 };
	zsr_handle h;
	size_t i, room;

	ck_assert(!zsr_engine_prefault(e, 100, &err));
	ck_assert_int_lt(zsr_engine_prefault(e, UINT64_MAX, &err), 0);
	for (i = 0; i < ZSR_ARRAY_SIZE(sizes); i++) {
		ck_assert(!zsr_engine_malloc(e, sizes[i], &h));
		ck_assert(zsr_engine_class_info(
			e, zsr_engine_handle_class(e, h), &info));
		room = info.huge ? 4096 : info.size - 8;
		ck_assert_uint_ge(room, sizes[i]);
		ck_assert(!zsr_engine_obj_write(e, h, in, room));
		ck_assert(!zsr_engine_obj_read(e, h, out, room));
		ck_assert(!memcmp(in, out, room));
		ck_assert_int_eq(zsr_engine_obj_write(e, h, in, room + 1),
				 -EINVAL);
		ck_assert_int_eq(zsr_engine_obj_read(e, h, out, SIZE_MAX),
				 -EINVAL);
		ck_assert(page_knows(e, h));
	}
	zsr_engine_destroy(e);
}
END_TEST

START_TEST(refusals)
{
	struct zsr_obj_layout l;
	struct zsr_err err = { 0 };
	struct zsr_engine *e;
	zsr_handle h;
	char byte = 0;

	ck_assert(!zsr_obj_layout(&l, "6.1", sizeof(void *) == 8 ? 32 : 64, 32,
				  4096, 4, &err));
	ck_assert_int_lt(zsr_engine_create_layout(&e, zsr_model_find("6.1"),
						  4096, 4, &l,
						  ZSR_ENGINE_BACKED, &err),
			 0);
	ck_assert_int_eq(err.kind, ZSR_ERR_USAGE);
	ck_assert(!zsr_engine_create(&e, zsr_model_find("6.1"), 4096, 4, &err));
	ck_assert(!zsr_engine_malloc(e, 100, &h));
	ck_assert_int_eq(zsr_engine_obj_write(e, h, &byte, 1), -EINVAL);
	ck_assert_int_eq(zsr_engine_obj_read(e, h, &byte, 1), -EINVAL);
	ck_assert_int_lt(zsr_engine_prefault(e, 1, &err), 0);
	ck_assert_int_eq(err.kind, ZSR_ERR_USAGE);
	zsr_engine_destroy(e);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which needs address space of its own */
/* A pool with little address space: full, it says so, and serves on. */
START_TEST(full)
{
	enum { LIMIT = 512 << 20 };
	struct rlimit limit = { LIMIT, LIMIT };
	static zsr_handle h[MAX_IDS * 3];
	struct zsr_engine *e;
	unsigned nr = 0, i;
	int ret;

	ck_assert(!setrlimit(RLIMIT_AS, &limit));
	e = create("6.12", 4096, 8);
	while (!(ret = zsr_engine_malloc(e, nr % 2 ? 4096 : 3000, &h[nr])))
		ck_assert_uint_lt(++nr, ZSR_ARRAY_SIZE(h));
	ck_assert_int_eq(ret, -ENOMEM);
	ck_assert_uint_eq(h[nr], 0);
	ck_assert_uint_ge(nr, 10000);
	ck_assert_int_eq(zsr_engine_malloc(e, 3000, &h[nr]), -ENOMEM);
	for (i = 0; i < nr; i += 2)
		zsr_engine_free(e, h[i]);
	for (i = 0; i < nr; i += 4)
		ck_assert(!zsr_engine_malloc(e, 3000, &h[i]));
	for (i = 0; i < nr; i++)
		if (i % 4 != 2)
			zsr_engine_free(e, h[i]);
	ck_assert_uint_eq(zsr_engine_pages(e), 0);
	zsr_engine_destroy(e);
}
END_TEST
#define FULL , full
#else
#define FULL
#endif

ZSR_TEST_MAIN("engine with memory", files, bytes, room, refusals FULL)
