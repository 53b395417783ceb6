// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SQL function zsr_class(size, kernel, page_size, chain_size): bytes of the
 * size class that serves a request in a pool of such a kernel, as 64-bit ones
 * make them when a pool is created (zs_create_pool); NULL when none does.
 */
#include <stdlib.h>

#include "db/classes.h"
#include "db/vtab.h"

#define HANDLE_SIZE 8 /* bytes of a handle, in front of an object */
#define MIN_SIZE    32 /* of an object with its handle */

/* Pages of a zspage: to 6.2 those used best, in whole percents, from 6.3 on
 * those with the fewest bytes left over; of several the fewest. */
static uint32_t chain(const struct zsr_classes *c, uint32_t size)
{
	uint32_t n, bytes, rest, loss, least = UINT32_MAX, best = 1;

	for (n = 1; n <= c->chain_size; n++) {
		bytes = n * c->page_size;
		rest = bytes % size;
		loss = rest;
		if (c->percent)
			loss = 100 - (uint32_t)(100ull * (bytes - rest) / bytes);
		if (loss < least) {
			least = loss;
			best = n;
		}
	}
	return best;
}

/* From the top: a size whose zspage has as many pages and objects as that of
 * the size above is served by that one's class. */
static void make_classes(struct zsr_classes *c)
{
	uint32_t i, size, pages, objs, last_pages = 0, last_objs = 0, last = 0;

	c->step = c->page_size / ZSR_CLASS_STEPS;
	c->nr = (c->page_size - MIN_SIZE + c->step - 1) / c->step + 1;
	for (i = c->nr; i--;) {
		size = zsr_min(MIN_SIZE + i * c->step, c->page_size);
		pages = chain(c, size);
		objs = pages * c->page_size / size;
		if (pages != last_pages || objs != last_objs)
			last = size;
		last_pages = pages;
		last_objs = objs;
		c->size[i] = last;
	}
}

bool zsr_classes_make(struct zsr_classes *c, const char *kernel,
		      int64_t page_size, int64_t chain_size)
{
	unsigned major, minor;
	bool percent;

	if (!kernel || !zsr_facts_release(kernel, &major, &minor) ||
	    !zsr_facts_page_size((uint64_t)page_size) || chain_size < 1 ||
	    chain_size > 16)
		return false;
	percent = major < 6 || (major == 6 && minor < 3);
	if (c->page_size != page_size || c->chain_size != chain_size ||
	    c->percent != percent) {
		c->page_size = (uint32_t)page_size;
		c->chain_size = (uint32_t)chain_size;
		c->percent = percent;
		make_classes(c);
	}
	return true;
}

uint32_t zsr_classes_of(const struct zsr_classes *c, int64_t size)
{
	uint32_t bytes = (uint32_t)size + HANDLE_SIZE;

	if (size < 1 || size > c->page_size)
		return 0;
	if (bytes <= MIN_SIZE)
		return c->size[0];
	return c->size[zsr_min((bytes - MIN_SIZE + c->step - 1) / c->step,
			       c->nr - 1)];
}

static void zsr_class(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct zsr_classes *c = sqlite3_user_data(ctx);
	uint32_t class = 0;

	if (zsr_classes_make(c, (const char *)sqlite3_value_text(argv[1]),
			     sqlite3_value_int64(argv[2]),
			     sqlite3_value_int64(argv[3])))
		class = zsr_classes_of(c, sqlite3_value_int64(argv[0]));
	zsr_vtab_known(ctx, class, class);
}

int zsr_classes_register(struct zsr_db *db)
{
	struct zsr_classes *c = calloc(1, sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	return sqlite3_create_function_v2(db->sql, "zsr_class", 4,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC |
						  SQLITE_INNOCUOUS,
					  c, zsr_class, NULL, NULL, free);
}
