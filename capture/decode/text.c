// SPDX-License-Identifier: GPL-2.0-only
/*
 * ftrace text: the files trace and trace_pipe of tracefs, and what
 * `trace-cmd report` prints. Lines are scanned by hand from a large buffer.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/text.h"

struct text {
	struct dec *d;
	struct dec_lines in;
	struct text_events events;
	struct dec_tasks tasks;
	uint64_t nr_records;
	bool has_header;
	uint64_t announced; /* records, by the headers */
	uint64_t header_lost; /* not placed on a cpu yet */
	uint64_t lost[DEC_MAX_CPUS]; /* before that cpu's next record */
	bool lost_here[DEC_MAX_CPUS]; /* ... perhaps uncounted */
	bool any_lost;
	uint64_t last_ns;
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

static int comment(struct text *t, const char *line, const char *end,
		   struct zsr_err *err)
{
	if (text_begins(line, end, "# entries-in-buffer/"))
		return entries(t, line, end, err);
	return 0;
}

/* ---- events ---------------------------------------------------------- */

static void hold_mark(struct text *t, const struct text_head *h, const char *p,
		      const char *end)
{
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

static bool is_mark(const char *name, size_t len)
{
	static const char *const names[] = { "tracing_mark_write", "print",
					     "write_marker_to_buffer" };
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && !memcmp(names[i], name, len))
			return true;
	return false;
}

static int event(struct text *t, const struct text_head *h, const char *end,
		 struct zsr_err *err)
{
	const char *name = h->rest, *p = name, *sub;
	size_t len;

	if (t->header_lost)
		place_header_lost(t, h->cpu);
	if (t->any_lost)
		lost_before(t, h->cpu, h->t_ns);
	/* "<...>": the kernel had forgotten it. */
	if (h->comm_len != 5 || memcmp(h->comm, "<...>", 5))
		dec_tasks_see(t->d, &t->tasks, h->pid, h->comm, h->comm_len);
	t->nr_records++;
	t->last_ns = h->t_ns;
	while (p < end && *p != ':' && *p != ' ')
		p++;
	len = p < end && *p == ':' ? (size_t)(p - name) : 0;
	for (p += p < end; p < end && *p == ' ';)
		p++;
	if (is_mark(name, len)) {
		/* trace-cmd: "print: tracing_mark_write: text" */
		sub = len == 5 ? memmem(p, (size_t)(end - p), ": ", 2) : NULL;
		hold_mark(t, h, sub ? sub + 2 : p, end);
		return 0;
	}
	return text_event(t->d, &t->events, h, name, len, p, end,
			  t->in.buf + t->in.used, err);
}

static int line(struct text *t, const char *p, const char *end,
		struct zsr_err *err)
{
	struct text_head h;
	uint64_t count;
	unsigned cpu;

	if (text_head(&h, p, end)) {
		release_mark(t);
		return event(t, &h, end, err);
	}
	if (text_lost(p, end, &cpu, &count)) {
		release_mark(t);
		t->lost[cpu] += count;
		t->lost_here[cpu] = t->any_lost = true;
		return 0;
	}
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

bool dec_is_perf_text(const uint8_t *head, size_t len)
{
	const char *p = (const char *)head;
	const char *nl = memchr(p, '\n', len);

	return nl && text_is_perf(p, nl);
}

static int end_of_text(struct text *t, struct zsr_err *err)
{
	unsigned cpu;
	int ret;

	release_mark(t);
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

int dec_text(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	struct text *t = calloc(1, sizeof(*t));
	const char *p = NULL, *end = NULL;
	int ret;

	if (!t)
		return zsr_err_nomem(err, f->name);
	t->d = d;
	ret = dec_lines_open(&t->in, f, err);
	if (ret)
		goto out;
	d->started = true;
	dec_out_meta(d->out, "format", "ftrace text");
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
