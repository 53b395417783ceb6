// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "replay/engine/check/timed.h"
#include "replay/engine/seq.h"

static int add_malloc(struct zsr_timed_ops *o, struct zsr_timed_op *op)
{
	if (zsr_grow(&o->place, &o->ids_cap, o->nr_ids + 1, sizeof(*o->place)))
		return -ENOMEM;
	op->place = o->nr_unused ? o->unused[--o->nr_unused] : o->nr_places++;
	o->place[o->nr_ids++] = op->place;
	return 0;
}

static int add_free(struct zsr_timed_ops *o, struct zsr_timed_op *op,
		    uint64_t id)
{
	if (id >= o->nr_ids)
		return -EINVAL;
	if (zsr_grow(&o->unused, &o->unused_cap, o->nr_unused + 1,
		     sizeof(*o->unused)))
		return -ENOMEM;
	op->place = o->unused[o->nr_unused++] = o->place[id];
	return 0;
}

static int add(struct zsr_timed_ops *o, const struct zsr_seq_op *s,
	       struct zsr_err *err)
{
	struct zsr_timed_op op = { .size = ZSR_TIMED_COMPACT };
	int ret = 0;

	if (s->op != 'm' && s->op != 'f' && s->op != 'c')
		return zsr_err_input(err,
				     "only mallocs, frees and compactions can "
				     "be timed");
	if (zsr_grow(&o->op, &o->cap, o->nr + 1, sizeof(*o->op)))
		return zsr_err_nomem(err, "ops");
	if (s->op == 'm') {
		op.size = (unsigned)zsr_min(s->size, ZSR_TIMED_COMPACT - 1ull);
		ret = add_malloc(o, &op);
	} else if (s->op == 'f') {
		op.size = ZSR_TIMED_FREE;
		ret = add_free(o, &op, s->id);
	}
	if (ret == -EINVAL)
		return zsr_err_input(err, "op %zu frees what was never stored",
				     o->nr + 1);
	if (ret)
		return zsr_err_nomem(err, "ops");
	o->op[o->nr++] = op;
	o->nr_timed += op.size != ZSR_TIMED_COMPACT;
	return 0;
}

int zsr_timed_ops_load(struct zsr_timed_ops *o, const char *path,
		       struct zsr_err *err)
{
	struct zsr_seq *s = malloc(sizeof(*s));
	struct zsr_seq_op op;
	int ret;

	*o = (struct zsr_timed_ops){ 0 };
	if (!s)
		return zsr_err_nomem(err, "ops");
	ret = zsr_seq_open(s, path, err);
	if (!ret) {
		while ((ret = zsr_seq_next(s, &op, err)) > 0) {
			ret = add(o, &op, err);
			if (ret)
				break;
		}
		zsr_seq_close(s);
	}
	free(s);
	return ret;
}

uint64_t zsr_timed_ops_peak(const struct zsr_timed_ops *o, struct zsr_engine *e,
			    zsr_handle *handle)
{
	const struct zsr_timed_op *op, *end = o->op + o->nr;
	uint64_t peak = 0;

	for (op = o->op; op < end; op++) {
		if (op->size == ZSR_TIMED_FREE)
			zsr_engine_free(e, handle[op->place]);
		else if (op->size == ZSR_TIMED_COMPACT)
			zsr_engine_compact(e);
		else
			zsr_engine_malloc(e, op->size, &handle[op->place]);
		peak = zsr_max(peak, zsr_engine_pages(e));
	}
	return peak;
}

void zsr_timed_ops_free(struct zsr_timed_ops *o)
{
	free(o->op);
	free(o->place);
	free(o->unused);
	*o = (struct zsr_timed_ops){ 0 };
}
