// SPDX-License-Identifier: GPL-2.0-only
/* A run as text: one line a step, charges between them. */
#include <stdlib.h>
#include <string.h>

#include "replay/machine/explore/private.h"

static const char *const op_text[] = {
#define X(name, text) text,
	OPS(X)
#undef X
};

static const char *const cost_name[] = {
#define X(name, text) #name,
	ZSR_COSTS(X)
#undef X
};

void zsr_explore_trace(struct zsr_explore *x, const struct step *step)
{
	if (step->t == &x->boot)
		return;
	x->steps += step->counts;
	if (zsr_grow(&x->trace, &x->cap_trace, x->nr_trace + 1,
		     sizeof(*x->trace))) {
		x->error = zsr_err_nomem(x->err, "schedule");
		return;
	}
	x->trace[x->nr_trace++] = *step;
}

static const char *kind_of(enum op op)
{
	switch (op) {
	case OP_line_read:
	case OP_line_write:
	case OP_line_atomic:
		return "line";
	case OP_queue_work:
	case OP_queue_delayed:
	case OP_cancel_delayed:
	case OP_flush_work:
	case OP_idle:
	case OP_work_done:
	case OP_fire:
		return "work";
	default:
		return "lock";
	}
}

/* What has no name of its own is numbered in order of first use. */
static void number_name(const struct zsr_explore *x, const void *object,
			char *buf, size_t size)
{
	const void *seen[64];
	const char *kind = "lock";
	unsigned nr = 0, k;
	size_t i;

	for (i = 0; i < x->nr_trace && nr < ZSR_ARRAY_SIZE(seen); i++) {
		const void *p = x->trace[i].object;

		for (k = 0; p && k < nr && seen[k] != p; k++)
			;
		if (!p || k < nr)
			continue;
		seen[nr++] = p;
		kind = kind_of(x->trace[i].op);
		if (p == object)
			break;
	}
	snprintf(buf, size, "%s %u", kind, nr);
}

void zsr_explore_name_of(const struct zsr_explore *x, const void *object,
			 char *buf, size_t size)
{
	unsigned i;

	for (i = 0; i < x->nr_tasks; i++) {
		if (object != &x->task[i])
			continue;
		snprintf(buf, size, "%s", x->task[i].name);
		return;
	}
	if (x->s->name_of && x->s->name_of(x->s->ctx, object, buf, size))
		return;
	number_name(x, object, buf, size);
}

static void print_step(const struct zsr_explore *x, const struct step *s,
		       unsigned nr, FILE *f)
{
	char name[64] = "";

	if (s->op == OP_charge)
		snprintf(name, sizeof(name), "%s",
			 s->counts ? "" : cost_name[s->arg]);
	else if (s->object)
		zsr_explore_name_of(x, s->object, name, sizeof(name));
	if (s->counts)
		fprintf(f, "%4u", nr);
	else
		fprintf(f, "    ");
	fprintf(f, " %c %-6s cpu %u  %s %s\n", s->preempts ? '*' : ' ',
		s->t ? s->t->name : "timer", s->cpu, op_text[s->op], name);
}

char *zsr_explore_schedule(const struct zsr_explore *x)
{
	unsigned nr = 0;
	size_t size, i;
	char *text;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "%s: %s, after %u preemption%s (*) and %llu steps\n",
		x->s->name, x->why, x->preemptions,
		x->preemptions == 1 ? "" : "s", (unsigned long long)x->steps);
	for (i = 0; i < x->nr_trace; i++) {
		const struct step *s = &x->trace[i];

		/* A charge that is a point is told once, as the charge. */
		nr += s->counts;
		if (s->op != OP_charge || !s->counts || s->preempts)
			print_step(x, s, nr, f);
	}
	if (fclose(f))
		return NULL;
	return text;
}
