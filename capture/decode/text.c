// SPDX-License-Identifier: GPL-2.0-only
/*
 * ftrace text: the files trace and trace_pipe of tracefs, and what
 * `trace-cmd report` prints; and what `perf script` prints. Lines are scanned by
 * hand from a large buffer.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/text.h"

#define MAX_NAMES 1024

struct text {
	struct dec *d;
	struct dec_lines in;
	bool is_perf;
	struct text_events events;
	struct dec_tasks tasks;
	char names[MAX_NAMES][DEC_COMM_LEN]; /* of tasks without a pid */
	unsigned nr_names;
	uint64_t nr_records;
	bool has_header;
	uint64_t announced; /* records, by the headers */
	uint64_t header_lost; /* not placed on a cpu yet */
	uint64_t lost[DEC_MAX_CPUS]; /* before that cpu's next record */
	bool lost_here[DEC_MAX_CPUS]; /* ... perhaps uncounted */
	bool any_lost;
	uint64_t lost_next; /* before the next record, of whatever cpu */
	bool lost_next_here;
	uint64_t last_ns;
	unsigned last_cpu;
	struct zsr_rec *callee; /* whose caller the call chain may tell */
	const struct text_event *callee_is;
	uint64_t callee_at; /* address */
	bool in_chain;
	bool in_mark; /* a mark is held back: it may have more lines */
	struct zsr_rec mark;
	size_t mark_len;
	char mark_text[8192];
};

/* ---- lines that are no events ---------------------------------------- */

/* "# entries-in-buffer/entries-written: 2089/15003   #P:2" */
static int entries(struct text *t, const char *p, const char *end,
		   struct zsr_err *err)
{
	char copy[128], *rest;
	uint64_t in_buffer, written;

	snprintf(copy, sizeof(copy), "%.*s",
		 (int)zsr_min((size_t)(end - p), sizeof(copy) - 1), p);
	rest = strchr(copy, ':');
	in_buffer = rest ? strtoull(rest + 1, &rest, 10) : 0;
	if (!rest || *rest != '/')
		return zsr_err_input(err, "damaged header");
	written = strtoull(rest + 1, &rest, 10);
	if (written < in_buffer)
		return zsr_err_input(err,
				     "header: %" PRIu64 " entries kept of "
				     "%" PRIu64 " written",
				     in_buffer, written);
	rest = strstr(rest, "#P:");
	if (rest && atoi(rest + 3) > 0)
		dec_out_metaf(t->d->out, "cpus", "%d", atoi(rest + 3));
	t->has_header = true;
	t->announced += in_buffer;
	t->header_lost += written - in_buffer;
	return 0;
}

/* The ring buffers' statistics, when they are there and add up to what the
 * header says, know which cpu lost how much. */
static void place_header_lost(struct text *t, unsigned first_cpu)
{
	uint64_t sum = 0;
	unsigned cpu;

	for (cpu = 0; cpu < DEC_MAX_CPUS; cpu++)
		sum += t->d->stats[cpu].overrun;
	for (cpu = 0; cpu < DEC_MAX_CPUS && sum == t->header_lost; cpu++) {
		t->lost[cpu] += t->d->stats[cpu].overrun;
		t->lost_here[cpu] |= t->d->stats[cpu].overrun != 0;
	}
	if (sum != t->header_lost) {
		t->lost[first_cpu] += t->header_lost;
		t->lost_here[first_cpu] = true;
	}
	t->header_lost = 0;
	t->any_lost = true;
}

static void lost_before(struct text *t, unsigned cpu, uint64_t t_ns)
{
	if (!t->lost_here[cpu])
		return;
	dec_lost(t->d, t_ns, cpu, t->lost[cpu]);
	t->lost_here[cpu] = false;
	t->lost[cpu] = 0;
}

static void lose(struct text *t, int cpu, uint64_t count)
{
	if (cpu < 0) {
		t->lost_next += count;
		t->lost_next_here = true;
	} else {
		t->lost[cpu] += count;
		t->lost_here[cpu] = t->any_lost = true;
	}
}

/* Losses of a cpu that was not told are those of the next record's. */
static void place_lost_next(struct text *t, unsigned cpu)
{
	if (!t->lost_next_here)
		return;
	lose(t, (int)cpu, t->lost_next);
	t->lost_next = 0;
	t->lost_next_here = false;
}

static int comment(struct text *t, const char *line, const char *end,
		   struct zsr_err *err)
{
	if (t->is_perf) {
		perf_comment(t->d, line, end);
		return 0;
	}
	if (text_begins(line, end, "# entries-in-buffer/"))
		return entries(t, line, end, err);
	return 0;
}

/* ---- events ---------------------------------------------------------- */

static void hold_mark(struct text *t, struct text_event *ev,
		      const struct text_head *h, const char *end)
{
	const char *p;

	text_mark(t->d, ev, h, &p, &end);
	t->mark = (struct zsr_rec){
		.t_ns = h->t_ns,
		.pid = h->pid,
		.cpu = (uint16_t)h->cpu,
		.has = h->coarse ? ZSR_REC_COARSE_TIME : 0,
	};
	t->mark_len = zsr_min((size_t)(end - p), sizeof(t->mark_text));
	memcpy(t->mark_text, p, t->mark_len);
	t->in_mark = true;
}

static void release_mark(struct text *t)
{
	if (t->in_mark)
		dec_mark(t->d, &t->mark, t->mark_text, t->mark_len);
	t->in_mark = false;
}

/* A mark with a line break in it goes on in the next line. */
static bool continue_mark(struct text *t, const char *line, const char *end)
{
	size_t n = (size_t)(end - line);

	if (!t->in_mark)
		return false;
	if (n + 1 < sizeof(t->mark_text) - t->mark_len) {
		t->mark_text[t->mark_len++] = '\n';
		memcpy(t->mark_text + t->mark_len, line, n);
		t->mark_len += n;
	}
	return true;
}

/* Tasks without a pid are told apart by their names: a number each. */
static int32_t number_of_name(struct text *t, const struct text_head *h)
{
	size_t len = zsr_min(h->comm_len, (size_t)DEC_COMM_LEN - 1);
	unsigned i;

	for (i = 0; i < t->nr_names; i++)
		if (!memcmp(t->names[i], h->comm, len) && !t->names[i][len])
			break;
	if (i == t->nr_names && i < MAX_NAMES)
		memcpy(t->names[t->nr_names++], h->comm, len);
	return (int32_t)i + 1;
}

static void task(struct text *t, struct text_head *h)
{
	if (h->pid < 0)
		h->pid = number_of_name(t, h);
	/* "<...>": the kernel had forgotten it. */
	if (h->comm_len && (h->comm_len != 5 || memcmp(h->comm, "<...>", 5)))
		dec_tasks_see(t->d, &t->tasks, h->pid, h->comm, h->comm_len);
}

/* Whose caller is not known yet: the call chain in the next lines may tell. */
static void await_chain(struct text *t, const struct text_event *ev,
			const struct text_head *h, const char *end,
			struct zsr_rec *rec)
{
	struct text_where w;

	t->in_chain = true;
	t->callee = NULL;
	if (!rec || rec->has & ZSR_REC_HAS_CALLER)
		return;
	t->callee = rec;
	t->callee_is = ev;
	t->callee_at = text_where(&w, h->rest, end) ? w.func : 0;
}

/* A line of a call chain: the first that is not the probed function itself is
 * its caller. */
static void chain(struct text *t, const char *p, const char *end)
{
	enum dec_func func;
	const char *symbol;
	uint64_t address;
	size_t len;

	if (!t->callee)
		return;
	perf_frame(p, end, &address, &symbol, &len);
	func = dec_func_of_symbol(symbol, len);
	if (address && address != t->callee_at &&
	    (!func || func != t->callee_is->means.func)) {
		t->callee->caller = address;
		t->callee->has |= ZSR_REC_HAS_CALLER;
		t->callee = NULL;
	}
}

static int event(struct text *t, struct text_head *h, const char *end,
		 struct zsr_err *err)
{
	struct text_event *ev;
	struct zsr_rec *rec;
	int ret;

	h->cpu = zsr_max(h->cpu, 0);
	place_lost_next(t, (unsigned)h->cpu);
	if (t->header_lost)
		place_header_lost(t, (unsigned)h->cpu);
	if (t->any_lost)
		lost_before(t, (unsigned)h->cpu, h->t_ns);
	task(t, h);
	t->nr_records++;
	t->last_ns = h->t_ns;
	t->last_cpu = (unsigned)h->cpu;
	ret = text_event_of(t->d, &t->events, h, end, t->in.buf + t->in.used,
			    &ev, err);
	if (ret)
		return ret;
	if (ev && ev->shape.kind == ZSR_REC_MARK) {
		rec = NULL;
		hold_mark(t, ev, h, end);
	} else {
		ret = text_event(t->d, ev, h, end, &rec, err);
	}
	if (t->is_perf)
		await_chain(t, ev, h, end, rec);
	return ret;
}

/* A line that is no event, in ftrace's text: 1 when it was known. */
static int ftrace_line(struct text *t, const char *p, const char *end)
{
	uint64_t count;
	unsigned cpu;

	if (!text_lost(p, end, &cpu, &count))
		return 0;
	release_mark(t);
	lose(t, (int)cpu, count);
	return 1;
}

/* The same in perf's. */
static int perf_line(struct text *t, const char *p, const char *end)
{
	uint64_t count;

	if (p == end)
		t->in_chain = false;
	if (perf_lost_line(p, end, &count)) {
		release_mark(t);
		lose(t, -1, count);
		return 1;
	}
	return text_begins(p, end, "Warning:") ||
	       text_begins(p, end, "Check IO/CPU overload!");
}

static int line(struct text *t, const char *p, const char *end,
		struct zsr_err *err)
{
	struct text_head h;
	uint64_t count;

	if (t->in_chain && p < end && *p == '\t') {
		chain(t, p + 1, end);
		return 0;
	}
	if (t->events.head(&h, p, end)) {
		release_mark(t);
		t->in_chain = false;
		if (!t->is_perf || !perf_is_own(&h))
			return event(t, &h, end, err);
		if (perf_lost_record(&h, end, &count))
			lose(t, h.cpu, count);
		return 0;
	}
	if (t->is_perf ? perf_line(t, p, end) : ftrace_line(t, p, end))
		return 0;
	if (text_begins(p, end, "#")) {
		release_mark(t);
		return comment(t, p, end, err);
	}
	if (continue_mark(t, p, end))
		return 0;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	/* Blank lines, stack traces, the head of trace-cmd report. */
	if (p == end || text_begins(p, end, "=> ") ||
	    text_begins(p, end, "cpus=") || text_begins(p, end, "version = "))
		return 0;
	return zsr_err_input(err, "neither an event nor a comment");
}

/* ---- whole files ----------------------------------------------------- */

bool dec_is_text(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head, *end = p + len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		struct text_head h;
		uint64_t count;
		unsigned cpu;

		if (text_begins(p, stop, "# tracer: ") || text_head(&h, p, stop))
			return true;
		if (p != stop && *p != '#' && !text_begins(p, stop, "cpus=") &&
		    !text_begins(p, stop, "version = ") &&
		    !text_lost(p, stop, &cpu, &count))
			return false;
		p = stop + 1;
	}
	return false;
}

static int end_of_text(struct text *t, struct zsr_err *err)
{
	unsigned cpu;
	int ret;

	release_mark(t);
	place_lost_next(t, t->last_cpu);
	for (cpu = 0; cpu < DEC_MAX_CPUS; cpu++) {
		const struct dec_cpu_stats *st = &t->d->stats[cpu];

		if (st->dropped + st->commit_overrun) {
			t->lost[cpu] += st->dropped + st->commit_overrun;
			t->lost_here[cpu] = true;
		}
		lost_before(t, cpu, t->last_ns);
	}
	if (!t->nr_records && !t->has_header)
		return zsr_err_input(err, "holds no event");
	if (t->nr_records >= t->announced)
		return 0;
	ret = zsr_err_input(err,
			    "truncated: %" PRIu64 " records, its header tells "
			    "of %" PRIu64,
			    t->nr_records, t->announced);
	return dec_fault(t->d, ret, err);
}

static int decode(struct dec *d, struct dec_file *f, bool is_perf,
		  struct zsr_err *err)
{
	struct text *t = calloc(1, sizeof(*t));
	const char *p = NULL, *end = NULL;
	int ret;

	if (!t)
		return zsr_err_nomem(err, f->name);
	t->d = d;
	t->is_perf = is_perf;
	t->events.head = is_perf ? perf_head : text_head;
	ret = dec_lines_open(&t->in, f, err);
	if (ret)
		goto out;
	d->started = true;
	dec_out_meta(d->out, "format", is_perf ? "perf script" : "ftrace text");
	dec_stats_meta(d);
	while ((ret = dec_lines_next(&t->in, &p, &end, err)) > 0) {
		ret = line(t, p, end, err);
		if (ret < 0)
			break;
	}
	if (ret < 0) {
		release_mark(t);
		zsr_err_wrap(err, ret, "line %" PRIu64, t->in.nr);
	} else {
		ret = end_of_text(t, err);
	}
	if (ret)
		zsr_err_wrap(err, ret, "%s", f->name);
out:
	dec_lines_close(&t->in);
	free(t);
	return ret;
}

int dec_text(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	return decode(d, f, false, err);
}

int dec_perf_text(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	return decode(d, f, true, err);
}
