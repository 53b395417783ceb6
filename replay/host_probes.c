// SPDX-License-Identifier: GPL-2.0-only
/* The book of threads for a run that somebody watches. */
#include "replay/host_book.h"

static const struct zsr_host_book *book_of(const struct zsr_pool *p)
{
	return (const struct zsr_host_book *)p->account;
}

static unsigned row_of(const struct zsr_pool *p)
{
	return (unsigned)(p - book_of(p)->pool);
}

static void zspage_free(struct zsr_pool *p, struct zsr_zspage *z)
{
	unsigned class = zsr_zspage_class(z);

	book_of(p)->probes->zspage_free(row_of(p), class, zsr_zspage_serial(z),
					p->class[class].pages);
}

static void back(struct zsr_pool *p, struct zsr_zspage *z)
{
	zspage_free(p, z);
	zsr_book_host.back(p, z);
}

static void vanished(struct zsr_pool *p, zsr_handle h, struct zsr_zspage *z,
		     uint64_t now)
{
	if (z)
		zspage_free(p, z);
	zsr_book_host.vanished(p, h, z, now);
}

static void fell_back(struct zsr_pool *p)
{
	book_of(p)->probes->fallback(row_of(p));
	zsr_book_host.fell_back(p);
}

void zsr_host_book_probe(struct zsr_host_book *b,
			 const struct zsr_probes *probes)
{
	if (!probes)
		return;
	b->probes = probes;
	b->probed = zsr_book_host;
	b->probed.back = back;
	b->probed.vanished = vanished;
	b->probed.fell_back = fell_back;
	b->account.book = &b->probed;
}
