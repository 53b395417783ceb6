// SPDX-License-Identifier: GPL-2.0-only
/* A stopped instance's ring buffer as a trace.dat. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/record/record.h"
#include "capture/write/write.h"

#define MISSED 0x80000000u /* in a sub-buffer's commit word */
#define STORED 0x40000000u /* and how many, behind its data */
#define LENGTH 0x000fffffu

struct collect {
	struct rec_session *s;
	struct rec_output *o;
	const char *const *events;
	struct zsr_recorded *out;
	FILE *stats; /* each cpu's, one after the other */
	char *stats_text;
	size_t stats_len;
};

/* ---- what was lost ------------------------------------------------------------ */

static uint64_t number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void add_loss(struct zsr_recorded *out, unsigned cpu, uint64_t nr,
		     uint64_t from_ns, uint64_t until_ns)
{
	if (out->nr_losses < ZSR_RECORD_CPUS)
		out->loss[out->nr_losses++] = (struct zsr_record_loss){
			.cpu = cpu,
			.nr = nr,
			.from_ns = from_ns,
			.until_ns = until_ns,
		};
}

/* A sub-buffer says whether any are missing before it. */
static void see_loss(struct collect *c, unsigned cpu, const uint8_t *page,
		     uint64_t *last_ns)
{
	size_t word = c->o->data_at - 8, at;
	uint32_t commit;
	uint64_t t_ns, nr = 0;

	memcpy(&t_ns, page, 8);
	memcpy(&commit, page + 8, 4);
	at = c->o->data_at + (commit & LENGTH);
	if (commit & STORED && at + word <= c->o->page_size)
		memcpy(&nr, page + at, word);
	if (commit & MISSED)
		add_loss(c->out, cpu, nr, *last_ns, t_ns);
	*last_ns = t_ns;
}

/* Before its rest is read: that changes them. */
static int take_stats(struct collect *c, unsigned cpu, struct zsr_err *err)
{
	char path[60], *text;
	uint64_t dropped;

	snprintf(path, sizeof(path), "per_cpu/cpu%u/stats", cpu);
	text = tracefs_instance_file_read(c->s->instance, path, NULL);
	if (!text)
		return 0;
	c->out->nr_events += number(text, "entries: ") +
			     number(text, "read events: ");
	dropped = number(text, "dropped events: ");
	if (dropped)
		add_loss(c->out, cpu, dropped, 0, 0);
	c->out->nr_lost += number(text, "\noverrun: ") + dropped;
	fprintf(c->stats, "CPU: %u\n%s%c", cpu, text, 0);
	free(text);
	return ferror(c->stats) ? zsr_err_nomem(err, "statistics") : 0;
}

/* The second number of each of our probes. */
static void count_missed(struct zsr_recorded *out)
{
	char *text = tracefs_instance_file_read(NULL, "kprobe_profile", NULL);
	char *save = NULL, *line, name[200];
	unsigned long long hits, missed;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, " %199s %llu %llu", name, &hits, &missed) == 3 &&
		    (!strncmp(name, "zs_", 3) || !strcmp(name, "free_zspage")))
			out->nr_missed += missed;
	free(text);
}

/* ---- pages --------------------------------------------------------------------- */

static int take_rest(struct collect *c, struct zsr_err *err)
{
	unsigned cpu;
	int ret = 0;

	for (cpu = 0; cpu < c->o->nr_cpus && !ret; cpu++) {
		ret = take_stats(c, cpu, err);
		if (!ret)
			ret = rec_output_rest(&c->o->cpu[cpu], c->s, err);
	}
	return ret;
}

#define AT_ONCE 16 /* sub-buffers */

/* A CPU's are given back when they are in the file, so that few lie there twice. */
static int append_cpu(struct collect *c, unsigned cpu, uint8_t *buf,
		      struct zsr_err *err)
{
	struct rec_cpu *from = &c->o->cpu[cpu];
	size_t size = c->o->page_size;
	uint64_t page, last_ns = 0, i, n;

	for (page = 0; page < from->nr_pages; page += n) {
		n = zsr_min(from->nr_pages - page, (uint64_t)AT_ONCE);
		if (pread(from->fd, buf, n * size, (off_t)(page * size)) !=
		    (ssize_t)(n * size))
			return zsr_err_sys(err, EIO, "temporary file");
		for (i = 0; i < n; i++)
			see_loss(c, cpu, buf + i * size, &last_ns);
		if (fwrite(buf, size, n, c->o->file.f) != n)
			break; /* whoever closes it will see */
		fallocate(from->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(page * size), (off_t)(n * size));
	}
	rec_output_drop(from);
	return 0;
}

static int append_pages(struct collect *c, struct zsr_err *err)
{
	uint8_t *buf = malloc(AT_ONCE * c->o->page_size);
	int ret = buf ? 0 : zsr_err_nomem(err, "pages");
	unsigned cpu;

	for (cpu = 0; cpu < c->o->nr_cpus && !ret; cpu++)
		ret = append_cpu(c, cpu, buf, err);
	free(buf);
	return ret;
}

/* ---- the head --------------------------------------------------------------------- */

static void put_formats_of(struct collect *c, const char *system, FILE *f)
{
	char **events = tracefs_system_events(NULL, system), *text;
	int nr = 0, i;

	for (i = 0; events && events[i]; i++)
		nr += tracefs_event_file_exists(c->s->instance, system,
						events[i], "format");
	wr_num(f, (uint64_t)nr, 4);
	for (i = 0; events && events[i]; i++) {
		if (!tracefs_event_file_exists(c->s->instance, system,
					       events[i], "format"))
			continue;
		text = tracefs_event_file_read(c->s->instance, system,
					       events[i], "format", NULL);
		wr_text(f, text ? text : "", text ? strlen(text) : 0, 8);
		free(text);
	}
	tracefs_list_free(events);
}

static void put_system(struct collect *c, const char *name, size_t len, FILE *f)
{
	char system[100];

	snprintf(system, sizeof(system), "%.*s", (int)len, name);
	fwrite(system, strlen(system) + 1, 1, f);
	put_formats_of(c, system, f);
}

/* Of its system, in the list. */
static bool is_first(const char *const *events, unsigned i)
{
	size_t len = strcspn(events[i], ":") + 1;
	unsigned j;

	for (j = 0; j < i; j++)
		if (!strncmp(events[j], events[i], len))
			return false;
	return true;
}

static void put_formats(struct collect *c, FILE *f)
{
	static const char *const own[] = { "print", "funcgraph_entry",
					   "funcgraph_exit" };
	unsigned nr = 1, nr_own = c->s->method == ZSR_METHOD_GRAPH ? 3 : 1, i;

	wr_num(f, nr_own, 4);
	for (i = 0; i < nr_own; i++) {
		char *text = rec_read("%s/events/ftrace/%s/format",
				      tracefs_tracing_dir(), own[i]);

		wr_text(f, text ? text : "", text ? strlen(text) : 0, 8);
		free(text);
	}
	for (i = 0; c->events && c->events[i]; i++)
		nr += is_first(c->events, i);
	wr_num(f, nr, 4);
	put_system(c, c->s->group, strlen(c->s->group), f);
	for (i = 0; c->events && c->events[i]; i++)
		if (is_first(c->events, i))
			put_system(c, c->events[i], strcspn(c->events[i], ":"),
				   f);
}

/* Those by which functions in the capture are named, no more: a kernel has
 * megabytes of them. */
static void put_symbols(FILE *f)
{
	static const char *const parts[] = {
		" tracing_mark_write", " zs_",    "zram_",     "swap",
		" __free_zspage",      "_munmap", " exit_mmap"
	};
	char *buf = NULL, line[512];
	FILE *from = fopen("/proc/kallsyms", "re");
	size_t len = 0, i;
	FILE *to = open_memstream(&buf, &len);

	while (from && to && fgets(line, sizeof(line), from))
		for (i = 0; i < ZSR_ARRAY_SIZE(parts); i++)
			if (strstr(line, parts[i])) {
				fputs(line, to);
				break;
			}
	if (from)
		fclose(from);
	if (to)
		fclose(to);
	wr_text(f, buf ? buf : "", len, 4);
	free(buf);
}

static void put_options(struct collect *c, const struct rec_facts *facts,
			FILE *f)
{
	const char *text = c->stats_text, *end = text + c->stats_len;
	struct utsname u;
	char *line;
	char s[300];
	size_t i;

	wr_options(f);
	for (; text < end; text += strlen(text) + 1)
		wr_option(f, WR_OPT_CPUSTAT, text);
	for (i = 0; i < facts->nr; i++) {
		if (asprintf(&line, "zsr:fact %s", facts->line[i]) < 0)
			continue;
		wr_option(f, WR_OPT_CPUSTAT, line);
		free(line);
	}
	wr_option(f, WR_OPT_CLOCK, "[mono]");
	uname(&u);
	snprintf(s, sizeof(s), "Linux (none) %s %s", u.release, u.machine);
	wr_option(f, WR_OPT_UNAME, s);
	wr_option(f, WR_OPT_VERSION, "zsr " ZSR_VERSION);
	wr_options_end(f);
}

static int put_head(struct collect *c, const struct rec_facts *facts,
		    struct zsr_err *err)
{
	const struct rec_output *o = c->o;
	struct wr_cpu *cpu = calloc(o->nr_cpus, sizeof(*cpu));
	char *head = NULL, *tasks;
	unsigned i;
	size_t len;
	FILE *f = cpu ? open_memstream(&head, &len) : NULL;

	if (!f) {
		free(cpu);
		return zsr_err_nomem(err, "head");
	}
	for (i = 0; i < o->nr_cpus; i++)
		cpu[i].nr_pages = o->cpu[i].nr_pages;
	tasks = rec_read("%s/saved_cmdlines", tracefs_tracing_dir());
	wr_head(f, o->page_size, o->header_page, o->header_event);
	put_formats(c, f);
	put_symbols(f);
	wr_num(f, 0, 4); /* no formats of trace_printk() */
	wr_text(f, tasks ? tasks : "", tasks ? strlen(tasks) : 0, 8);
	wr_num(f, o->nr_cpus, 4);
	put_options(c, facts, f);
	free(tasks);
	if (!fclose(f)) {
		fwrite(head, len, 1, o->file.f);
		wr_places(o->file.f, o->page_size, cpu, o->nr_cpus, len);
	} else {
		len = 0;
	}
	free(cpu);
	free(head);
	return len ? 0 : zsr_err_nomem(err, "head");
}

int rec_collect(struct rec_session *s, struct rec_output *o,
		const struct zsr_record_opts *opts,
		const struct rec_facts *facts, struct zsr_recorded *out,
		struct zsr_err *err)
{
	struct collect c = { .s = s, .o = o, .out = out };
	int ret;

	c.events = opts->events;
	c.stats = open_memstream(&c.stats_text, &c.stats_len);
	if (!c.stats)
		return zsr_err_nomem(err, "capture");
	count_missed(out);
	ret = rec_output_stop(o, err);
	if (!ret)
		ret = take_rest(&c, err);
	fflush(c.stats);
	if (!ret)
		ret = put_head(&c, facts, err);
	if (!ret)
		ret = append_pages(&c, err);
	out->nr_bytes = (uint64_t)zsr_max(ftell(o->file.f), 0L);
	if (!ret)
		ret = zsr_outfile_close(&o->file, err);
	fclose(c.stats);
	free(c.stats_text);
	return ret;
}
