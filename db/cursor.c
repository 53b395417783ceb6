// SPDX-License-Identifier: GPL-2.0-only
/* All events of a trace in order. */
#include <stdlib.h>

#include "db/reader.h"

struct zsr_cursor {
	struct zsr_db *db;
	int64_t trace;
	struct zsr_reader *reader;
	const uint64_t *births;
	bool in_chunk;
};

int zsr_cursor_open(struct zsr_db *db, int64_t trace, struct zsr_cursor **out,
		    struct zsr_err *err)
{
	struct zsr_cursor *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c)
		return zsr_err_nomem(err, "cursor");
	c->db = db;
	c->trace = trace;
	ret = zsr_reader_open(db, trace, ZSR_WANT_ALL | ZSR_READ_SIZES,
			      &c->reader, err);
	if (ret) {
		free(c);
		return ret;
	}
	*out = c;
	return 0;
}

int zsr_cursor_next(struct zsr_cursor *c, const struct zsr_event **ev,
		    struct zsr_err *err)
{
	const struct zsr_chunk_info *info;
	int ret;

	for (;;) {
		if (c->in_chunk) {
			ret = zsr_reader_rows(c->reader, ev, &c->births, err);
			if (ret)
				return ret;
		}
		ret = zsr_reader_chunk(c->reader, &info, err);
		c->in_chunk = ret == 1;
		if (ret != 1)
			return ret;
	}
}

static int reopen(struct zsr_cursor *c, unsigned want, struct zsr_err *err)
{
	zsr_reader_close(c->reader);
	return zsr_reader_open(c->db, c->trace, want, &c->reader, err);
}

int zsr_cursor_want_births(struct zsr_cursor *c, struct zsr_err *err)
{
	return reopen(c, ZSR_WANT_ALL | ZSR_READ_BIRTHS, err);
}

int zsr_cursor_want_no_sizes(struct zsr_cursor *c, struct zsr_err *err)
{
	return reopen(c, ZSR_WANT_ALL, err);
}

const uint64_t *zsr_cursor_births(const struct zsr_cursor *c)
{
	return c->births;
}

void zsr_cursor_close(struct zsr_cursor *c)
{
	if (!c)
		return;
	zsr_reader_close(c->reader);
	free(c);
}
