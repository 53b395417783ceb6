// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "synth/synth.h"

/* Spacing of the generated times. The replay takes gaps from its profile; these
 * only have to keep the order and stay below what counts as a pause. */
#define STORE_NS   6000
#define RELEASE_NS 250
#define SETTLE_NS  100000
#define BATCH      4096

enum { TEXT_BARRIER, TEXT_BEGIN, TEXT_END };

static const char *const texts[] = {
	[TEXT_BARRIER] = "barrier:stored",
	[TEXT_BEGIN] = "release-begin",
	[TEXT_END] = "release-end",
};

struct gen {
	const struct zsr_synth_munmap *s;
	struct zsr_writer *w;
	uint64_t pages; /* a process */
	struct zsr_rng rng;
	struct zsr_event batch[BATCH];
	size_t nr;
	struct zsr_err *err;
};

static int flush(struct gen *g)
{
	int ret = zsr_writer_add(g->w, g->batch, g->nr, g->err);

	g->nr = 0;
	return ret;
}

static int emit(struct gen *g, struct zsr_event ev)
{
	ev.slot = -1;
	ev.cgroup = -1;
	g->batch[g->nr++] = ev;
	return g->nr == BATCH ? flush(g) : 0;
}

static int mark(struct gen *g, uint64_t t_ns, uint32_t proc, uint64_t text)
{
	return emit(g, (struct zsr_event){ .t_ns = t_ns,
					   .kind = ZSR_EV_MARK,
					   .task = proc,
					   .cpu = (uint16_t)proc,
					   .obj = ZSR_OBJ_NONE,
					   .aux = text });
}

/* All processes store their pages in turn: object k of process p is number
 * k * procs + p. */
static int store_all(struct gen *g, uint64_t *t_ns)
{
	uint64_t step = zsr_max(STORE_NS / g->s->procs, 1), k;
	uint32_t proc;
	int ret = 0;

	for (k = 0; k < g->pages && !ret; k++)
		for (proc = 0; proc < g->s->procs && !ret; proc++) {
			ret = emit(g,
				   (struct zsr_event){
					   .t_ns = *t_ns,
					   .kind = ZSR_EV_MALLOC,
					   .task = proc,
					   .cpu = (uint16_t)proc,
					   .obj = k * g->s->procs + proc,
					   .size = zsr_sizes_draw(
						   &g->s->sizes,
						   g->s->page_size, &g->rng) });
			*t_ns += step;
		}
	return ret;
}

static int release_all(struct gen *g, uint64_t t_ns)
{
	uint32_t proc;
	uint64_t k;
	int ret = 0;

	for (proc = 0; proc < g->s->procs && !ret; proc++)
		ret = mark(g, t_ns, proc, TEXT_BEGIN);
	for (k = 0; k < g->pages && !ret; k++) {
		t_ns += RELEASE_NS;
		for (proc = 0; proc < g->s->procs && !ret; proc++)
			ret = emit(g, (struct zsr_event){
					      .t_ns = t_ns,
					      .kind = ZSR_EV_FREE,
					      .caller = ZSR_CALLER_SWAP_RELEASE,
					      .task = proc,
					      .cpu = (uint16_t)proc,
					      .obj = k * g->s->procs + proc });
	}
	t_ns += RELEASE_NS;
	for (proc = 0; proc < g->s->procs && !ret; proc++)
		ret = mark(g, t_ns, proc, TEXT_END);
	return ret;
}

static int write_tables(struct gen *g)
{
	struct zsr_task task;
	uint32_t i;
	int ret = 0;

	for (i = 0; i < g->s->procs && !ret; i++) {
		task = (struct zsr_task){ .row = i, .pid = (int32_t)i + 1 };
		snprintf(task.comm, sizeof(task.comm), "munmap-%u", i);
		ret = zsr_writer_task(g->w, &task, g->err);
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(texts) && !ret; i++)
		ret = zsr_writer_row(g->w, ZSR_TABLE_MARKS, i, "", texts[i],
				     g->err);
	if (!ret)
		ret = zsr_writer_row(g->w, ZSR_TABLE_POOLS, 0, "", "zram0",
				     g->err);
	return ret;
}

/* The experiment's parameters travel with the trace. */
static int write_facts(struct gen *g)
{
	char text[64];
	int ret;

	snprintf(text, sizeof(text), "munmap, %u x %llu bytes", g->s->procs,
		 (unsigned long long)g->s->size);
	ret = zsr_writer_row(g->w, ZSR_TABLE_META, -1, "workload", text, g->err);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)g->s->seed);
	return zsr_writer_row(g->w, ZSR_TABLE_META, -1, "seed", text, g->err);
}

int zsr_synth_munmap(struct zsr_db *db, const struct zsr_synth_munmap *s,
		     struct zsr_trace *t, struct zsr_err *err)
{
	struct gen *g = calloc(1, sizeof(*g));
	uint64_t t_ns = 0;
	int ret;

	if (!g)
		return zsr_err_nomem(err, "synth");
	*t = (struct zsr_trace){ .page_size = s->page_size,
				 .chain_size = s->chain_size,
				 .fact_flags = ZSR_GIVEN_KERNEL,
				 .times = ZSR_TIMES_SYNTHETIC,
				 .from_empty = true };
	snprintf(t->name, sizeof(t->name), "%s", s->name);
	snprintf(t->kernel, sizeof(t->kernel), "%s", s->kernel);
	snprintf(t->format, sizeof(t->format), "synth");
	snprintf(t->clock, sizeof(t->clock), "synthetic");
	g->s = s;
	g->err = err;
	g->pages = s->size / s->page_size;
	g->rng.state = s->seed;
	ret = zsr_writer_begin(db, t, &g->w, err);
	if (ret)
		goto out;
	ret = write_tables(g);
	if (!ret)
		ret = write_facts(g);
	if (!ret)
		ret = store_all(g, &t_ns);
	if (!ret)
		ret = mark(g, t_ns, 0, TEXT_BARRIER);
	if (!ret)
		ret = release_all(g, t_ns + SETTLE_NS);
	if (!ret && g->nr)
		ret = flush(g);
	if (ret)
		zsr_writer_abort(g->w);
	else
		ret = zsr_writer_commit(g->w, t, err);
out:
	free(g);
	return ret ? zsr_err_wrap(err, ret, "synth %s", s->name) : 0;
}
