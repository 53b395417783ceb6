// SPDX-License-Identifier: GPL-2.0-only
/* Segments of columns into events. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pack/events.h"
#include "pack/token.h"

struct pk_decoder {
	struct pk_uncolumns *columns;
	struct pk_cpu *cpu;
	struct zsr_event *ev;
	int64_t *value;
	uint64_t next_obj;
	int64_t slot;
};

struct pk_decoder *pk_decoder_new(void)
{
	struct pk_decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->columns = pk_uncolumns_new();
	d->cpu = calloc(PK_NR_CPUS, sizeof(*d->cpu));
	d->ev = calloc(PK_SEGMENT, sizeof(*d->ev));
	d->value = malloc(PK_SEGMENT * sizeof(*d->value));
	if (!d->columns || !d->cpu || !d->ev || !d->value) {
		pk_decoder_free(d);
		return NULL;
	}
	return d;
}

void pk_decoder_free(struct pk_decoder *d)
{
	if (!d)
		return;
	pk_uncolumns_free(d->columns);
	free(d->cpu);
	free(d->ev);
	free(d->value);
	free(d);
}

/* What a column's values may be. */
static int64_t max_of(unsigned col)
{
	switch (col) {
	case PK_COL_KIND:
		return ZSR_EV_NR;
	case PK_COL_CPU:
	case PK_COL_POOL:
		return UINT16_MAX;
	case PK_COL_TASK:
		return 1 + (int64_t)UINT32_MAX;
	case PK_COL_CALLER:
	case PK_COL_FLAGS:
		return UINT8_MAX;
	case PK_COL_CGROUP:
		return INT32_MAX;
	case PK_COL_MALLOC_GFP:
	case PK_COL_OTHER_GFP:
	case PK_COL_MALLOC_SIZE:
	case PK_COL_OTHER_SIZE:
		return UINT32_MAX;
	default:
		return INT64_MAX;
	}
}

static int64_t min_of(unsigned col)
{
	switch (col) {
	case PK_COL_CGROUP:
		return INT32_MIN;
	case PK_COL_SLOT:
	case PK_COL_MALLOC_IDLE:
	case PK_COL_FREE_IDLE:
	case PK_COL_OTHER_IDLE:
		return INT64_MIN;
	default:
		return 0;
	}
}

/* The values of a column that M events have. */
static int take(struct pk_decoder *d, struct pk_bytes *from, unsigned col,
		size_t m, struct zsr_err *err)
{
	int64_t min = min_of(col), max = max_of(col);
	size_t i;
	int ret = pk_uncolumns_take(d->columns, from, d->value, m, err);

	for (i = 0; i < m && !ret; i++)
		if (d->value[i] < min || d->value[i] > max)
			ret = zsr_err_input(
				err, "%" PRId64 " is out of the column's range",
				d->value[i]);
	return ret ? zsr_err_wrap(err, ret, "column %u", col) : 0;
}

static void set_kind(struct pk_decoder *d, struct zsr_event *ev, int64_t v)
{
	struct pk_cpu *c = &d->cpu[ev->cpu];

	if (v)
		c->kind = (uint8_t)(v - 1);
	ev->kind = c->kind;
}

static void set(struct pk_decoder *d, unsigned col, struct zsr_event *ev,
		int64_t v)
{
	struct pk_cpu *c = &d->cpu[ev->cpu];

	switch (col) {
	case PK_COL_TASK:
		if (v)
			c->task = (uint32_t)(v - 1);
		ev->task = c->task;
		break;
	case PK_COL_POOL:
		ev->pool = (uint16_t)v;
		break;
	case PK_COL_CALLER:
		ev->caller = (uint8_t)v;
		break;
	case PK_COL_FLAGS:
		ev->flags = (uint8_t)v;
		break;
	case PK_COL_CGROUP:
		ev->cgroup = (int32_t)v;
		break;
	case PK_COL_AUX:
		ev->aux = (uint64_t)v;
		break;
	case PK_COL_SLOT:
		d->slot = (int64_t)((uint64_t)d->slot + (uint64_t)v);
		ev->slot = d->slot;
		break;
	case PK_COL_MALLOC_GFP:
	case PK_COL_OTHER_GFP:
		ev->gfp = (uint32_t)v;
		break;
	case PK_COL_MALLOC_SIZE:
	case PK_COL_OTHER_SIZE:
		ev->size = (uint32_t)v;
		break;
	case PK_COL_MALLOC_IDLE:
	case PK_COL_FREE_IDLE:
	case PK_COL_OTHER_IDLE:
		ev->t_ns = (uint64_t)v; /* until all are known */
		break;
	default:
		ev->dur_ns = (uint64_t)v;
	}
}

static int take_column(struct pk_decoder *d, struct pk_bytes *from,
		       unsigned col, size_t n, struct zsr_err *err)
{
	size_t i, m = 0;
	int ret;

	for (i = 0; i < n; i++)
		m += pk_has(col, &d->ev[i]);
	ret = take(d, from, col, m, err);
	for (i = 0, m = 0; i < n && !ret; i++)
		if (pk_has(col, &d->ev[i]))
			set(d, col, &d->ev[i], d->value[m++]);
	return ret;
}

/* Kinds are by CPU, so those come first though they follow. */
static int take_kinds(struct pk_decoder *d, struct pk_bytes *from, size_t n,
		      struct zsr_err *err)
{
	int64_t *kind = malloc(n * sizeof(*kind));
	size_t i;
	int ret = kind ? take(d, from, PK_COL_KIND, n, err)
		       : zsr_err_nomem(err, "column");

	if (!ret) {
		memcpy(kind, d->value, n * sizeof(*kind));
		ret = take(d, from, PK_COL_CPU, n, err);
	}
	for (i = 0; i < n && !ret; i++) {
		d->ev[i] = (struct zsr_event){
			.cpu = (uint16_t)d->value[i],
			.obj = ZSR_OBJ_NONE,
		};
		set_kind(d, &d->ev[i], kind[i]);
	}
	free(kind);
	return ret;
}

static int take_frees(struct pk_decoder *d, struct pk_bytes *from, size_t n,
		      struct zsr_err *err)
{
	uint64_t v;
	uint8_t mode;
	size_t i, m = 0;
	int ret = pk_uncolumns_byte(from, &mode, err);

	if (!ret && mode > PK_FREE_BACK)
		ret = zsr_err_input(err, "unknown way %u to count objects",
				    mode);
	for (i = 0; i < n; i++)
		m += d->ev[i].kind == ZSR_EV_FREE;
	if (!ret)
		ret = take(d, from, PK_COL_FREE_OBJ, m, err);
	for (i = 0, m = 0; i < n && !ret; i++) {
		struct zsr_event *ev = &d->ev[i];
		struct pk_cpu *c = &d->cpu[ev->cpu];

		if (ev->kind == ZSR_EV_MALLOC)
			ev->obj = d->next_obj++;
		if (ev->kind != ZSR_EV_FREE)
			continue;
		v = (uint64_t)d->value[m++];
		if (!v)
			continue;
		ev->obj = mode == PK_FREE_BACK
				  ? d->next_obj - v
				  : c->freed + (uint64_t)pk_unzigzag(v - 1);
		c->freed = ev->obj + 1;
	}
	return ret;
}

static void set_times(struct pk_decoder *d, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct zsr_event *ev = &d->ev[i];
		struct pk_cpu *c = &d->cpu[ev->cpu];
		uint64_t begin = c->end + ev->t_ns;

		ev->t_ns = ev->kind == ZSR_EV_MALLOC ? begin + ev->dur_ns
						     : begin;
		c->end = pk_end(ev);
	}
}

static int decode(struct pk_decoder *d, struct pk_bytes *from, size_t n,
		  struct zsr_err *err)
{
	unsigned col;
	int ret = take_kinds(d, from, n, err);

	if (!ret)
		ret = take_frees(d, from, n, err);
	for (col = PK_COL_TASK; col <= PK_COL_OTHER_IDLE && !ret; col++)
		ret = take_column(d, from, col, n, err);
	if (!ret)
		set_times(d, n);
	return ret;
}

int pk_decode(struct pk_decoder *d, const void *bytes, size_t len,
	      const struct zsr_event **ev, struct zsr_err *err)
{
	struct pk_bytes from = { bytes, (const uint8_t *)bytes + len };
	uint32_t n = 0;
	uint8_t b;
	unsigned k;
	int ret = 0;

	for (k = 0; k < 4 && !ret; k++) {
		ret = pk_uncolumns_byte(&from, &b, err);
		n |= ret ? 0 : (uint32_t)b << 8 * k;
	}
	if (!ret && (!n || n > PK_SEGMENT))
		ret = zsr_err_input(err, "a segment of %u events", n);
	if (!ret)
		ret = decode(d, &from, n, err);
	if (!ret && from.p != from.end)
		ret = zsr_err_input(err, "%zu bytes too many",
				    (size_t)(from.end - from.p));
	*ev = d->ev;
	return ret ? ret : (int)n;
}
