// SPDX-License-Identifier: GPL-2.0-only
/* Events into segments of columns. */
#include <stdlib.h>
#include <string.h>

#include "pack/events.h"
#include "pack/token.h"

struct pk_encoder {
	struct pk_columns *columns;
	struct pk_cpu *cpu;
	int64_t *value; /* of a column */
	int64_t *other; /* another way to say it */
	uint64_t next_obj;
	int64_t slot;
};

struct pk_encoder *pk_encoder_new(void)
{
	struct pk_encoder *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->columns = pk_columns_new();
	e->cpu = calloc(PK_NR_CPUS, sizeof(*e->cpu));
	e->value = malloc(PK_SEGMENT * sizeof(*e->value));
	e->other = malloc(PK_SEGMENT * sizeof(*e->other));
	if (!e->columns || !e->cpu || !e->value || !e->other) {
		pk_encoder_free(e);
		return NULL;
	}
	return e;
}

void pk_encoder_free(struct pk_encoder *e)
{
	if (!e)
		return;
	pk_columns_free(e->columns);
	free(e->cpu);
	free(e->value);
	free(e->other);
	free(e);
}

static int64_t by_cpu_kind(struct pk_cpu *c, const struct zsr_event *ev)
{
	int64_t v = ev->kind == c->kind ? 0 : 1 + (int64_t)ev->kind;

	c->kind = ev->kind;
	return v;
}

static int64_t by_cpu_task(struct pk_cpu *c, const struct zsr_event *ev)
{
	int64_t v = ev->task == c->task ? 0 : 1 + (int64_t)ev->task;

	c->task = ev->task;
	return v;
}

static int64_t slot_step(struct pk_encoder *e, const struct zsr_event *ev)
{
	int64_t v = (int64_t)((uint64_t)ev->slot - (uint64_t)e->slot);

	e->slot = ev->slot;
	return v;
}

static int64_t value_of(struct pk_encoder *e, unsigned col,
			const struct zsr_event *ev)
{
	struct pk_cpu *c = &e->cpu[ev->cpu];

	switch (col) {
	case PK_COL_KIND:
		return by_cpu_kind(c, ev);
	case PK_COL_CPU:
		return ev->cpu;
	case PK_COL_TASK:
		return by_cpu_task(c, ev);
	case PK_COL_POOL:
		return ev->pool;
	case PK_COL_CALLER:
		return ev->caller;
	case PK_COL_FLAGS:
		return ev->flags;
	case PK_COL_CGROUP:
		return ev->cgroup;
	case PK_COL_AUX:
		return (int64_t)ev->aux;
	case PK_COL_SLOT:
		return slot_step(e, ev);
	case PK_COL_MALLOC_GFP:
	case PK_COL_OTHER_GFP:
		return ev->gfp;
	case PK_COL_MALLOC_SIZE:
	case PK_COL_OTHER_SIZE:
		return ev->size;
	default:
		return (int64_t)ev->dur_ns;
	}
}

/* Time that a CPU was at no call, for those events that COL is of. */
static size_t gather_idle(struct pk_encoder *e, unsigned col,
			  const struct zsr_event *ev, size_t n)
{
	size_t i, m = 0;

	for (i = 0; i < n; i++) {
		struct pk_cpu *c = &e->cpu[ev[i].cpu];

		if (pk_has(col, &ev[i]))
			e->value[m++] = (int64_t)(pk_begin(&ev[i]) - c->end);
		c->end = pk_end(&ev[i]);
	}
	return m;
}

/* All three columns of it look at the same past. */
static int add_idle(struct pk_encoder *e, const struct zsr_event *ev, size_t n,
		    struct zsr_err *err)
{
	unsigned col;
	size_t i, m;
	uint64_t *end = calloc(PK_NR_CPUS, sizeof(*end));
	int ret = end ? 0 : zsr_err_nomem(err, "columns");

	for (i = 0; i < PK_NR_CPUS && !ret; i++)
		end[i] = e->cpu[i].end;
	for (col = PK_COL_MALLOC_IDLE; col <= PK_COL_OTHER_IDLE && !ret; col++) {
		for (i = 0; i < n; i++)
			e->cpu[ev[i].cpu].end = end[ev[i].cpu];
		m = gather_idle(e, col, ev, n);
		ret = pk_columns_add(e->columns, e->value, m, err);
	}
	free(end);
	return ret;
}

/* Which objects are freed: 0 none, else 1 + the step from the one freed before
 * on the CPU, or 1 + how far back from the newest. */
static int add_frees(struct pk_encoder *e, const struct zsr_event *ev, size_t n,
		     struct zsr_err *err)
{
	uint64_t newest = e->next_obj;
	bool back;
	size_t i, m = 0;
	int ret;

	for (i = 0; i < n; i++) {
		struct pk_cpu *c = &e->cpu[ev[i].cpu];

		newest += ev[i].kind == ZSR_EV_MALLOC;
		if (ev[i].kind != ZSR_EV_FREE)
			continue;
		if (ev[i].obj == ZSR_OBJ_NONE) {
			e->value[m] = e->other[m] = 0;
			m++;
			continue;
		}
		e->value[m] =
			1 + (int64_t)pk_zigzag((int64_t)(ev[i].obj - c->freed));
		e->other[m] = (int64_t)(newest - ev[i].obj);
		c->freed = ev[i].obj + 1;
		m++;
	}
	e->next_obj = newest;
	back = pk_columns_cost(e->columns, e->other, m) <
	       pk_columns_cost(e->columns, e->value, m);
	ret = pk_columns_add_byte(e->columns,
				  back ? PK_FREE_BACK : PK_FREE_STEP, err);
	return ret ? ret
		   : pk_columns_add(e->columns, back ? e->other : e->value, m,
				    err);
}

static int add_column(struct pk_encoder *e, unsigned col,
		      const struct zsr_event *ev, size_t n, struct zsr_err *err)
{
	size_t i, m = 0;

	for (i = 0; i < n; i++)
		if (pk_has(col, &ev[i]))
			e->value[m++] = value_of(e, col, &ev[i]);
	return pk_columns_add(e->columns, e->value, m, err);
}

int pk_encode(struct pk_encoder *e, const struct zsr_event *ev, size_t n,
	      const void **bytes, size_t *len, struct zsr_err *err)
{
	unsigned col, k;
	int ret = 0;

	pk_columns_start(e->columns);
	for (k = 0; k < 4 && !ret; k++)
		ret = pk_columns_add_byte(e->columns, (uint8_t)(n >> 8 * k),
					  err);
	for (col = 0; col < PK_COL_MALLOC_IDLE && !ret; col++)
		ret = col == PK_COL_FREE_OBJ ? add_frees(e, ev, n, err)
					     : add_column(e, col, ev, n, err);
	if (!ret)
		ret = add_idle(e, ev, n, err);
	*bytes = pk_columns_bytes(e->columns, len);
	return ret;
}
