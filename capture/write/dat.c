// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace.dat of trace-cmd, version 6, as trace-cmd.dat.v6(5) describes it:
 * everything about the capture, then each cpu's pages. What comes first is
 * only known at the end, so pages wait in a file without a name.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/write/write.h"

#define FIRST_ID  1000 /* of the probe events; 5 is the kernel's print */
#define PRINT_ID  5
#define MAX_EVENT 1100

#define COMMON                                                                 \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;"      \
	"\tsigned:0;\n"                                                        \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

static const char print_format[] =
	"name: print\nID: 5\nformat:\n" COMMON
	"\tfield:unsigned long ip;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:char buf[];\toffset:16;\tsize:0;\tsigned:0;\n\n"
	"print fmt: \"%ps: %s\", (void *)REC->ip, REC->buf\n";

struct dat {
	struct zsr_outfile file;
	struct wr_pages *pages; /* NULL until the first record */
	struct wr_facts facts;
	struct wr_tasks tasks;
	uint8_t has[ZSR_REC_OTHER + 1]; /* of each kind's first record */
	bool seen[ZSR_REC_OTHER + 1];
	uint64_t page_size;
	char release[96];
	char arch[64];
	char clock[16];
};

/* ---- events -------------------------------------------------------------- */

struct event {
	uint8_t p[MAX_EVENT];
	unsigned len;
};

static void put(struct event *e, uint64_t v, unsigned size)
{
	v = htole64(v);
	memcpy(e->p + e->len, &v, size);
	e->len += size;
}

static void put_common(struct event *e, unsigned id, int32_t pid)
{
	e->len = 0;
	put(e, id, 2);
	put(e, 0, 2);
	put(e, (uint32_t)pid, 4);
}

static int print(struct dat *d, const struct zsr_rec *at, int32_t pid,
		 const char *text, struct zsr_err *err)
{
	size_t n = zsr_min(strlen(text), (size_t)1000);
	struct event e;

	put_common(&e, PRINT_ID, pid);
	put(&e, WR_MARK_IP, 8);
	memcpy(e.p + e.len, text, n);
	e.len += (unsigned)n;
	put(&e, '\n', 2);
	while (e.len % 4)
		put(&e, 0, 1);
	return wr_pages_event(d->pages, at->cpu, at->t_ns, e.p, e.len, err);
}

/* The first record decides where the facts go. */
static int start(struct dat *d, const struct zsr_rec *at, struct zsr_err *err)
{
	const char *text = d->facts.text, *end = text + d->facts.len;
	int fd, ret;

	if (d->pages)
		return 0;
	fd = zsr_outfile_scratch(&d->file, err);
	if (fd < 0)
		return fd;
	ret = wr_pages_new(&d->pages, (unsigned)d->page_size, fd, err);
	for (; text < end && !ret; text += strlen(text) + 1)
		ret = print(d, at, 0, text, err);
	return ret;
}

static bool has_field(const struct dat *d, unsigned kind,
		      const struct wr_field *f)
{
	/* A return's caller has its own field. */
	if (f->value == WR_CALLER && wr_events[kind].is_ret)
		return false;
	return f->name && (!f->has || d->has[kind] & f->has);
}

static int write_rec(struct dat *d, const struct zsr_rec *rec,
		     struct zsr_err *err)
{
	const struct wr_event *ev = &wr_events[rec->kind];
	struct event e;
	unsigned i;

	if (!d->seen[rec->kind]) {
		d->seen[rec->kind] = true;
		d->has[rec->kind] = rec->has;
	}
	put_common(&e, FIRST_ID + rec->kind, rec->pid);
	put(&e, wr_ip(rec->kind), 8);
	if (ev->is_ret)
		put(&e, rec->caller, 8);
	for (i = 0; i < WR_FIELDS; i++)
		if (has_field(d, rec->kind, &ev->field[i]))
			put(&e, wr_value_of(rec, ev->field[i].value),
			    ev->field[i].size);
	return wr_pages_event(d->pages, rec->cpu, rec->t_ns, e.p, e.len, err);
}

static int dat_recs(void *ctx, const struct zsr_rec *recs, size_t n,
		    struct zsr_err *err)
{
	struct dat *d = ctx;
	size_t i;
	int ret = n ? start(d, recs, err) : 0;

	for (i = 0; i < n && !ret; i++)
		if (recs[i].kind == ZSR_REC_LOST)
			ret = wr_pages_lost(d->pages, recs[i].cpu,
					    recs[i].value, err);
		else if (recs[i].kind < ZSR_REC_OTHER &&
			 wr_events[recs[i].kind].name)
			ret = write_rec(d, &recs[i], err);
	return ret;
}

static int dat_mark(void *ctx, const struct zsr_rec *rec, const char *text,
		    struct zsr_err *err)
{
	struct dat *d = ctx;
	int ret = start(d, rec, err);

	return ret ? ret : print(d, rec, rec->pid, text, err);
}

/* ---- facts --------------------------------------------------------------- */

static int dat_task(void *ctx, int32_t pid, const char *comm,
		    struct zsr_err *err)
{
	struct dat *d = ctx;

	return wr_tasks_add(&d->tasks, pid, comm, err);
}

static int set_page_size(struct dat *d, const char *value, struct zsr_err *err)
{
	int ret = zsr_parse_u64(value, "page_size", 4096, 65536, &d->page_size,
				err);

	if (!ret && d->page_size & (d->page_size - 1))
		ret = zsr_err_input(err, "a page size of %" PRIu64,
				    d->page_size);
	if (!ret && d->pages)
		ret = zsr_err_input(err, "the page size comes too late");
	return ret;
}

/* Those by which trace-cmd knows that stamps are nanoseconds. */
static bool known_clock(const char *name)
{
	static const char *const names[] = { "local", "global",   "perf",
					     "mono",  "mono_raw", "boot",
					     "tai" };
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static int dat_meta(void *ctx, const char *key, const char *value,
		    struct zsr_err *err)
{
	struct dat *d = ctx;

	if (!strcmp(key, "page_size"))
		return set_page_size(d, value, err);
	if (!strcmp(key, "kernel.release") && !strpbrk(value, " \n"))
		snprintf(d->release, sizeof(d->release), "%s", value);
	else if (!strcmp(key, "arch") && !strpbrk(value, " \n"))
		snprintf(d->arch, sizeof(d->arch), "%s", value);
	else if (!strcmp(key, "clock") && known_clock(value))
		snprintf(d->clock, sizeof(d->clock), "%s", value);
	else
		return wr_facts_add(&d->facts, key, value, err);
	return 0;
}

/* ---- what events look like ------------------------------------------------ */

static void add_field(FILE *f, const char *name, unsigned size, unsigned *off)
{
	fprintf(f, "\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:0;\n",
		name[0] == '_' ? "unsigned long"
		: size == 4    ? "u32"
			       : "u64",
		name, *off, size);
	*off += size;
}

static void describe_event(const struct dat *d, unsigned kind, FILE *f)
{
	const struct wr_event *ev = &wr_events[kind];
	const struct wr_field *field;
	unsigned off = 8, i;

	fprintf(f, "name: %s\nID: %u\nformat:\n" COMMON, ev->name,
		FIRST_ID + kind);
	add_field(f, ev->is_ret ? "__probe_func" : "__probe_ip", 8, &off);
	if (ev->is_ret)
		add_field(f, "__probe_ret_ip", 8, &off);
	for (i = 0; i < WR_FIELDS; i++)
		if (has_field(d, kind, &ev->field[i]))
			add_field(f, ev->field[i].name, ev->field[i].size, &off);
	fputs(ev->is_ret ? "\nprint fmt: \"(%lx <- %lx)"
			 : "\nprint fmt: \"(%lx)",
	      f);
	for (i = 0; i < WR_FIELDS; i++) {
		field = &ev->field[i];
		if (has_field(d, kind, field))
			fprintf(f, " %s=%s%s%s", field->name,
				field->decimal ? "%" : "0x%",
				field->size == 8 ? "L" : "",
				field->decimal ? "u" : "x");
	}
	fputs(ev->is_ret ? "\", REC->__probe_func, REC->__probe_ret_ip"
			 : "\", REC->__probe_ip",
	      f);
	for (i = 0; i < WR_FIELDS; i++)
		if (has_field(d, kind, &ev->field[i]))
			fprintf(f, ", REC->%s", ev->field[i].name);
	putc('\n', f);
}

/* What DESCRIBE prints, with its length of SIZE_OF_LEN bytes in front. */
static int described(const struct dat *d, unsigned arg, FILE *to,
		     size_t size_of_len,
		     void (*describe)(const struct dat *d, unsigned arg, FILE *f),
		     struct zsr_err *err)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&buf, &len);

	if (!f)
		return zsr_err_nomem(err, "formats");
	describe(d, arg, f);
	if (fclose(f)) {
		free(buf);
		return zsr_err_nomem(err, "formats");
	}
	wr_text(to, buf, len, size_of_len);
	free(buf);
	return 0;
}

static int put_formats(const struct dat *d, FILE *f, struct zsr_err *err)
{
	unsigned kind, nr = 0;
	int ret = 0;

	wr_num(f, 1, 4);
	wr_text(f, print_format, strlen(print_format), 8);
	for (kind = 0; kind < ZSR_REC_OTHER; kind++)
		nr += d->seen[kind];
	wr_num(f, nr != 0, 4);
	if (!nr)
		return 0;
	fwrite("zsm", 4, 1, f);
	wr_num(f, nr, 4);
	for (kind = 0; kind < ZSR_REC_OTHER && !ret; kind++)
		if (d->seen[kind])
			ret = described(d, kind, f, 8, describe_event, err);
	return ret;
}

static void describe_symbols(const struct dat *d, unsigned arg, FILE *f)
{
	unsigned kind;

	fprintf(f, "%016x T tracing_mark_write\n", WR_MARK_IP);
	for (kind = 0; kind < ZSR_REC_OTHER; kind++)
		if (wr_events[kind].name &&
		    wr_ip(kind) == WR_MARK_IP + 16 * (kind + 1))
			fprintf(f, "%016" PRIx64 " T %s\n", wr_ip(kind),
				wr_events[kind].symbol);
}

static void describe_tasks(const struct dat *d, unsigned arg, FILE *f)
{
	size_t i;

	for (i = 0; i < d->tasks.nr; i++)
		if (*d->tasks.task[i].comm)
			fprintf(f, "%d %s\n", d->tasks.task[i].pid,
				d->tasks.task[i].comm);
}

static void put_options(const struct dat *d, const struct wr_cpu *cpu,
			unsigned nr, FILE *f)
{
	char s[300];
	unsigned i;

	wr_options(f);
	for (i = 0; i < nr; i++) {
		snprintf(s, sizeof(s),
			 "CPU: %u\nentries: 0\noverrun: %" PRIu64
			 "\ncommit overrun: 0\ndropped events: 0\n"
			 "read events: %" PRIu64 "\n",
			 i, cpu[i].all_lost, cpu[i].nr_events);
		wr_option(f, WR_OPT_CPUSTAT, s);
	}
	if (*d->clock) {
		snprintf(s, sizeof(s), "[%s]", d->clock);
		wr_option(f, WR_OPT_CLOCK, s);
	}
	if (*d->release) {
		snprintf(s, sizeof(s), "Linux (none) %s %s", d->release,
			 *d->arch ? d->arch : "unknown");
		wr_option(f, WR_OPT_UNAME, s);
	}
	wr_option(f, WR_OPT_VERSION, "zsr " ZSR_VERSION);
	wr_options_end(f);
}

static int put_head(const struct dat *d, FILE *f, struct zsr_err *err)
{
	int ret;

	wr_head(f, (unsigned)d->page_size, NULL, NULL);
	ret = put_formats(d, f, err);
	if (!ret)
		ret = described(d, 0, f, 4, describe_symbols, err);
	wr_num(f, 0, 4); /* no formats of trace_printk() */
	return ret ? ret : described(d, 0, f, 8, describe_tasks, err);
}

static int dat_finish(void *ctx, struct zsr_err *err)
{
	const struct zsr_rec none = { 0 };
	const struct wr_cpu *cpu = NULL;
	struct dat *d = ctx;
	char *head = NULL;
	size_t len = 0;
	unsigned nr = 0;
	FILE *f;
	int ret = start(d, &none, err);

	wr_tasks_settle(&d->tasks);
	if (!ret)
		ret = wr_pages_end(d->pages, &cpu, &nr, err);
	if (ret)
		return ret;
	f = open_memstream(&head, &len);
	if (!f)
		return zsr_err_nomem(err, "head");
	ret = put_head(d, f, err);
	wr_num(f, nr, 4);
	put_options(d, cpu, nr, f);
	if (fclose(f) && !ret)
		ret = zsr_err_nomem(err, "head");
	if (!ret) {
		fwrite(head, len, 1, d->file.f);
		wr_places(d->file.f, (unsigned)d->page_size, cpu, nr, len);
		ret = wr_pages_copy(d->pages, d->file.f, err);
	}
	free(head);
	return ret ? ret : zsr_outfile_close(&d->file, err);
}

static void dat_free(void *ctx)
{
	struct dat *d = ctx;

	zsr_outfile_abort(&d->file);
	wr_pages_free(d->pages);
	free(d->facts.text);
	free(d->tasks.task);
	free(d);
}

int wr_dat_new(const char *path, struct wr_format *f, struct zsr_err *err)
{
	struct dat *d = calloc(1, sizeof(*d));
	int ret;

	if (!d)
		return zsr_err_nomem(err, "trace.dat");
	d->page_size = 4096;
	ret = zsr_outfile_open(&d->file, path, err);
	if (ret) {
		free(d);
		return ret;
	}
	f->sink = (struct zsr_sink){
		.ctx = d,
		.recs = dat_recs,
		.mark = dat_mark,
		.task = dat_task,
		.meta = dat_meta,
	};
	f->finish = dat_finish;
	f->free = dat_free;
	return 0;
}
