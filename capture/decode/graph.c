// SPDX-License-Identifier: GPL-2.0-only
/*
 * The function_graph tracer: which functions were called, when, and how long
 * they took, but not with what. Its binary events name a function by address,
 * its text by name.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/decode/text.h"

/* ---- symbols -------------------------------------------------------------- */

struct dec_symbol {
	uint64_t address;
	enum dec_func func;
};

/* The tracer's address is behind what a function begins with for it. */
#define PROLOGUE    16
#define MAX_SYMBOLS 256

bool dec_graph_wants_symbols(const struct dec_events *e)
{
	size_t i;

	for (i = 0; i < e->nr; i++)
		if (e->ev[i].graph)
			return true;
	return false;
}

/* "ffff800081234560 T zs_free	[zsmalloc]" */
static int symbol(struct dec_events *e, const char *line, const char *end,
		  struct zsr_err *err)
{
	struct dec_symbol s = { 0 };
	const char *p = line, *name;

	for (; p < end && p - line < 16; p++) {
		unsigned char c = (unsigned char)*p | 0x20;
		unsigned digit = c >= 'a' && c <= 'f'     ? c - 'a' + 10u
				 : *p >= '0' && *p <= '9' ? *p - '0' + 0u
							  : 16u;

		if (digit > 15)
			break;
		s.address = s.address << 4 | digit;
	}
	if (!s.address || end - p < 4 || *p != ' ' || p[2] != ' ')
		return 0;
	for (name = p += 3; p < end && *p != '\t' && *p != ' ';)
		p++;
	s.func = dec_func_of_symbol(name, (size_t)(p - name));
	if (!s.func || e->nr_symbols == MAX_SYMBOLS)
		return 0;
	if (zsr_grow(&e->symbol, &e->cap_symbols, e->nr_symbols + 1, sizeof(s)))
		return zsr_err_nomem(err, "symbols");
	e->symbol[e->nr_symbols++] = s;
	return 0;
}

int dec_graph_symbols(struct dec_events *e, const char *text, size_t len,
		      struct zsr_err *err)
{
	const char *end = text + len, *nl;
	int ret = 0;

	for (; text < end && !ret; text = nl + 1) {
		nl = memchr(text, '\n', (size_t)(end - text));
		nl = nl ? nl : end;
		ret = symbol(e, text, nl, err);
	}
	return ret;
}

enum dec_func dec_graph_func(const struct dec_events *e, uint64_t address)
{
	size_t i;

	for (i = 0; i < e->nr_symbols; i++)
		if (address - e->symbol[i].address < PROLOGUE)
			return e->symbol[i].func;
	return DEC_NO_FUNC;
}

/* ---- records --------------------------------------------------------------- */

void dec_graph_emit(struct dec *d, enum dec_func func, bool is_ret,
		    struct zsr_rec rec, uint64_t dur_ns)
{
	const char *missing;
	bool place;

	rec.kind = (uint8_t)dec_kind_of(func, is_ret, 0, &place, &missing);
	if (rec.kind == ZSR_REC_COMPACT_RET || rec.kind == ZSR_REC_OTHER) {
		rec.kind = ZSR_REC_OTHER;
	} else {
		rec.has |= (uint8_t)dec_has_of(rec.kind, 0);
		if (is_ret && dur_ns != UINT64_MAX) {
			rec.has |= ZSR_REC_HAS_DUR;
			rec.value = dur_ns;
		}
	}
	*dec_out_rec(d->out) = rec;
}

/* ---- lines of text ---------------------------------------------------------- */

#define MAX_DEPTH 64
#define MAX_TASKS 4096

/* A call that is open: what a "}" ends. */
struct open {
	enum dec_func func;
	uint64_t t_ns;
};

/* Calls of a task, or of a CPU as long as nobody says which task it runs. */
struct stack {
	struct open call[MAX_DEPTH];
	unsigned depth; /* beyond MAX_DEPTH: only counted */
};

struct graph {
	struct dec *d;
	struct dec_lines in;
	struct dec_tasks tasks;
	int32_t pid[DEC_MAX_CPUS];
	struct stack *stack[MAX_TASKS]; /* by pid or cpu, made when used */
	uint64_t now_ns; /* without times of its own: what calls took */
	uint64_t nr_calls;
	uint64_t lost[DEC_MAX_CPUS];
	bool lost_here[DEC_MAX_CPUS];
	bool has_times;
};

struct line {
	uint64_t t_ns, dur_ns; /* UINT64_MAX: not said */
	unsigned cpu;
	const char *task, *call; /* columns */
	size_t task_len, call_len;
};

static const char *blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static const char *digits(const char *p, const char *end, uint64_t *v)
{
	const char *q = p;

	for (*v = 0; q < end && *q >= '0' && *q <= '9' && q - p < 12; q++)
		*v = *v * 10 + (unsigned)(*q - '0');
	return q;
}

/* NUMBER.FRACTION of something of UNIT ns; NULL when there is none. */
static const char *decimal(const char *p, const char *end, uint64_t unit,
			   uint64_t *ns)
{
	uint64_t whole, digit;
	const char *q = digits(p, end, &whole);

	if (q == p || whole > 1000000000000ull / unit * 1000000)
		return NULL;
	*ns = whole * unit;
	if (q == end || *q != '.')
		return q;
	for (q++; q < end && *q >= '0' && *q <= '9'; q++) {
		unit /= 10;
		digit = (unsigned)(*q - '0');
		*ns += digit * unit;
	}
	return q;
}

/* "  0.864 us  ", "+ 12.3 us": a duration; or nothing at all. */
static bool duration(struct line *l, const char *p, const char *end)
{
	const char *q;

	l->dur_ns = UINT64_MAX;
	p = blanks(p, end);
	if (p == end)
		return true;
	if (strchr("+!#*@$", *p))
		p = blanks(p + 1, end);
	q = decimal(p, end, 1000, &l->dur_ns);
	if (!q)
		return false;
	q = blanks(q, end);
	return end - q >= 2 && !memcmp(q, "us", 2) && blanks(q + 2, end) == end;
}

/* "[TIME |] CPU) [TASK |] [FLAGS |] [DURATION] |  CALL" */
static bool take_apart(struct line *l, const char *p, const char *end)
{
	const char *bar, *q;
	uint64_t v;
	unsigned column;

	*l = (struct line){ .t_ns = UINT64_MAX, .dur_ns = UINT64_MAX };
	p = blanks(p, end);
	bar = memchr(p, '|', (size_t)(end - p));
	q = decimal(p, end, 1000000000, &l->t_ns);
	if (q && bar && blanks(q, bar) == bar)
		p = blanks(bar + 1, end);
	else
		l->t_ns = UINT64_MAX;
	q = digits(p, end, &v);
	if (q == p || q == end || *q != ')' || v >= DEC_MAX_CPUS)
		return false;
	l->cpu = (unsigned)v;
	for (p = q + 1, column = 0; column < 4; column++, p = bar + 1) {
		bar = memchr(p, '|', (size_t)(end - p));
		if (!bar)
			return false;
		if (duration(l, p, bar)) {
			l->call = blanks(bar + 1, end);
			l->call_len = (size_t)(end - l->call);
			return true;
		}
		q = blanks(p, bar);
		if (memchr(q, '-', (size_t)(bar - q)) && !l->task) {
			l->task = q;
			l->task_len = (size_t)(bar - q);
		}
	}
	return false;
}

/* "comm-PID": whom a CPU runs from now on. */
static bool runs(struct graph *g, unsigned cpu, const char *p, size_t len)
{
	const char *end = p + len, *dash;
	uint64_t pid;

	while (end > p && end[-1] == ' ')
		end--;
	for (dash = end; dash > p && dash[-1] >= '0' && dash[-1] <= '9';)
		dash--;
	if (dash == end || dash - p < 2 || dash[-1] != '-' ||
	    digits(dash, end, &pid) != end || pid > INT32_MAX)
		return false;
	g->pid[cpu] = (int32_t)pid;
	if (dash - 1 - p != 5 || memcmp(p, "<...>", 5))
		dec_tasks_see(g->d, &g->tasks, (int32_t)pid, p,
			      (size_t)(dash - 1 - p));
	return true;
}

/* " 0)     sh-144     =>     wl-181    " */
static bool switches(struct graph *g, const char *p, const char *end)
{
	const char *arrow = memmem(p, (size_t)(end - p), " => ", 4);
	uint64_t cpu;

	p = blanks(p, end);
	p = digits(p, end, &cpu);
	if (!arrow || p == end || *p != ')' || cpu >= DEC_MAX_CPUS)
		return false;
	p = blanks(arrow + 4, end);
	return runs(g, (unsigned)cpu, p, (size_t)(end - p));
}

static struct stack *stack_of(struct graph *g, unsigned cpu)
{
	size_t i = g->pid[cpu] < 0 ? cpu : (uint32_t)g->pid[cpu] % MAX_TASKS;

	if (!g->stack[i])
		g->stack[i] = calloc(1, sizeof(**g->stack));
	return g->stack[i];
}

static void emit(struct graph *g, const struct line *l, enum dec_func func,
		 bool is_ret, uint64_t t_ns)
{
	struct zsr_rec rec = {
		.t_ns = t_ns,
		.pid = g->pid[l->cpu],
		.cpu = (uint16_t)l->cpu,
		.has = g->has_times ? ZSR_REC_COARSE_TIME : 0,
	};

	if (g->lost_here[l->cpu])
		dec_lost(g->d, t_ns, l->cpu, g->lost[l->cpu]);
	g->lost_here[l->cpu] = false;
	g->lost[l->cpu] = 0;
	g->nr_calls++;
	dec_graph_emit(g->d, func, is_ret, rec, is_ret ? l->dur_ns : UINT64_MAX);
}

/* "}" or "} (name)" in a comment: the innermost call ends. */
static void closes(struct graph *g, const struct line *l, struct stack *s)
{
	struct open *o;

	if (!s->depth || --s->depth >= MAX_DEPTH)
		return;
	o = &s->call[s->depth];
	if (!g->has_times && l->dur_ns != UINT64_MAX)
		g->now_ns = zsr_max(g->now_ns, o->t_ns + l->dur_ns);
	if (o->func)
		emit(g, l, o->func, true, g->now_ns);
}

/* A call whose return is not in a line of its own stands for both; the return
 * has its time, for the next line may have none later. */
static void leaf(struct graph *g, const struct line *l, enum dec_func func)
{
	if (func) {
		emit(g, l, func, false, g->now_ns);
		emit(g, l, func, true, g->now_ns);
	}
	if (!g->has_times && l->dur_ns != UINT64_MAX)
		g->now_ns += l->dur_ns;
}

static int call(struct graph *g, const struct line *l, struct zsr_err *err)
{
	const char *end = l->call + l->call_len, *p = l->call;
	struct stack *s = stack_of(g, l->cpu);
	enum dec_func func;

	if (!s)
		return zsr_err_nomem(err, "tasks");
	while (end > p && end[-1] == ' ')
		end--;
	/* Other tracers' lines among it, and interrupts' "=====>". */
	if (p == end || text_begins(p, end, "/*") || *p == '=' || *p == '<')
		return 0;
	if (*p == '}') {
		closes(g, l, s);
		return 0;
	}
	while (p < end && *p != '(' && *p != ' ')
		p++;
	/* "zs_free [zsmalloc]();" */
	if (!memchr(p, '(', (size_t)(end - p)))
		return zsr_err_input(err, "no call of a function");
	func = dec_func_of_symbol(l->call, (size_t)(p - l->call));
	if (end[-1] != '{' && !memchr(p, '{', (size_t)(end - p))) {
		leaf(g, l, func);
		return 0;
	}
	if (s->depth < MAX_DEPTH)
		s->call[s->depth] = (struct open){ func, g->now_ns };
	s->depth++;
	if (func)
		emit(g, l, func, false, g->now_ns);
	return 0;
}

static int one_line(struct graph *g, const char *p, const char *end,
		    struct zsr_err *err)
{
	const char *start = blanks(p, end);
	struct line l;
	uint64_t count;
	unsigned cpu;

	if (start == end || *start == '#' || *start == '-' ||
	    switches(g, p, end))
		return 0;
	if (text_lost(start, end, &cpu, &count)) {
		g->lost[cpu] += count;
		g->lost_here[cpu] = true;
		return 0;
	}
	if (!take_apart(&l, p, end))
		return zsr_err_input(err, "no line of function_graph");
	if (l.task && !runs(g, l.cpu, l.task, l.task_len))
		return zsr_err_input(err, "no task where one belongs");
	if (l.t_ns != UINT64_MAX) {
		if (!g->has_times)
			dec_out_meta(g->d->out, "clock", "local");
		g->has_times = true;
		g->now_ns = l.t_ns;
	}
	return call(g, &l, err);
}

/* ---- whole files ------------------------------------------------------------- */

bool dec_is_graph_text(const uint8_t *head, size_t len)
{
	static const char tracer[] = "# tracer: function_graph";
	const char *p = (const char *)head, *end = p + len, *nl;
	struct line l;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl ? nl : end;
		if (text_begins(p, nl, tracer))
			return true;
		if (blanks(p, nl) == nl || *p == '#')
			continue;
		return take_apart(&l, p, nl) && l.call_len;
	}
	return false;
}

static int end_of(struct graph *g, struct zsr_err *err)
{
	unsigned cpu;

	for (cpu = 0; cpu < DEC_MAX_CPUS; cpu++)
		if (g->lost_here[cpu])
			dec_lost(g->d, g->now_ns, cpu, g->lost[cpu]);
	if (!g->nr_calls)
		return zsr_err_input(err, "holds no call of zsmalloc");
	if (!g->has_times)
		dec_out_meta(g->d->out, "clock", "none");
	return 0;
}

int dec_graph_text(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	struct graph *g = calloc(1, sizeof(*g));
	const char *p = NULL, *end = NULL;
	int ret;
	size_t i;

	if (!g)
		return zsr_err_nomem(err, f->name);
	g->d = d;
	for (i = 0; i < DEC_MAX_CPUS; i++)
		g->pid[i] = -1;
	ret = dec_lines_open(&g->in, f, err);
	if (ret)
		goto out;
	d->started = true;
	dec_out_meta(d->out, "format", "function_graph text");
	dec_out_meta(d->out, "cost.method", "function_graph");
	dec_stats_meta(d);
	while ((ret = dec_lines_next(&g->in, &p, &end, err)) > 0) {
		ret = one_line(g, p, end, err);
		if (ret < 0)
			break;
	}
	ret = ret < 0 ? zsr_err_wrap(err, ret, "line %llu",
				     (unsigned long long)g->in.nr)
		      : end_of(g, err);
	if (ret)
		zsr_err_wrap(err, ret, "%s", f->name);
out:
	dec_lines_close(&g->in);
	for (i = 0; i < MAX_TASKS; i++)
		free(g->stack[i]);
	free(g);
	return ret;
}
