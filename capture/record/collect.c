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

struct collect {
	struct rec_session *s;
	const char *const *events;
	struct zsr_outfile file;
	FILE *pages;
	struct wr_cpu *cpu;
	unsigned nr_cpus;
	unsigned page_size; /* of a sub-buffer */
	char *header_page;
	char *header_event;
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

/* "oldest event ts:     8.123456" in ns. */
static uint64_t oldest_ns(const char *text)
{
	const char *at = strstr(text, "oldest event ts: ");
	unsigned long long s = 0, us = 0;

	if (at)
		sscanf(at + 17, "%llu.%6llu", &s, &us);
	return s * 1000000000ull + us * 1000;
}

static void add_loss(struct zsr_recorded *out, unsigned cpu, uint64_t nr,
		     uint64_t until_ns)
{
	if (nr && out->nr_losses < ZSR_RECORD_CPUS)
		out->loss[out->nr_losses++] = (struct zsr_record_loss){
			.cpu = cpu,
			.nr = nr,
			.until_ns = until_ns,
		};
}

/* Before its pages are read: that changes them. */
static int take_stats(struct collect *c, unsigned cpu, struct zsr_recorded *out,
		      struct zsr_err *err)
{
	char path[60], *text;

	snprintf(path, sizeof(path), "per_cpu/cpu%u/stats", cpu);
	text = tracefs_instance_file_read(c->s->instance, path, NULL);
	if (!text)
		return 0;
	out->nr_events += number(text, "entries: ");
	add_loss(out, cpu, number(text, "overrun: "), oldest_ns(text));
	add_loss(out, cpu, number(text, "dropped events: "), 0);
	fprintf(c->stats, "CPU: %u\n%s%c", cpu, text, 0);
	free(text);
	return ferror(c->stats) ? zsr_err_nomem(err, "statistics") : 0;
}

/* The second number of each of our probes. */
static void count_missed(struct collect *c, struct zsr_recorded *out)
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

static int copy_cpu(struct collect *c, unsigned cpu, char *buf,
		    struct zsr_err *err)
{
	char path[60];
	ssize_t n;
	int fd, ret = 0;

	snprintf(path, sizeof(path), "per_cpu/cpu%u/trace_pipe_raw", cpu);
	fd = tracefs_instance_file_open(c->s->instance, path,
					O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return 0; /* a CPU that never was */
	while ((n = read(fd, buf, c->page_size)) > 0 && !ret) {
		memset(buf + n, 0, c->page_size - (size_t)n);
		if (fwrite(buf, c->page_size, 1, c->pages) != 1)
			ret = zsr_err_sys(err, errno, "pages of cpu %u", cpu);
		c->cpu[cpu].nr_pages++;
	}
	if (n < 0 && errno != EAGAIN && !ret)
		ret = zsr_err_sys(err, errno, "%s", path);
	close(fd);
	return ret;
}

static int copy_pages(struct collect *c, struct zsr_recorded *out,
		      struct zsr_err *err)
{
	char *buf = malloc(c->page_size);
	int fd = buf ? zsr_outfile_scratch(&c->file, err)
		     : zsr_err_nomem(err, "pages");
	unsigned cpu;
	int ret = fd < 0 ? fd : 0;

	c->pages = fd < 0 ? NULL : fdopen(fd, "w+");
	for (cpu = 0; cpu < c->nr_cpus && !ret; cpu++) {
		ret = take_stats(c, cpu, out, err);
		if (!ret)
			ret = copy_cpu(c, cpu, buf, err);
	}
	free(buf);
	return ret;
}

static int append_pages(struct collect *c, struct zsr_err *err)
{
	char buf[65536];
	size_t n;

	rewind(c->pages);
	while ((n = fread(buf, 1, sizeof(buf), c->pages)))
		fwrite(buf, 1, n, c->file.f);
	return ferror(c->pages) ? zsr_err_sys(err, errno, "pages") : 0;
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
	unsigned nr = 1, i;
	char *print = rec_read("%s/events/ftrace/print/format",
			       tracefs_tracing_dir());

	wr_num(f, 1, 4);
	wr_text(f, print ? print : "", print ? strlen(print) : 0, 8);
	free(print);
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
	static const char *const parts[] = { " tracing_mark_write", " zs_",
					     "zram_", "swap" };
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
		    size_t *len, struct zsr_err *err)
{
	char *head = NULL, *tasks;
	FILE *f = open_memstream(&head, len);

	if (!f)
		return zsr_err_nomem(err, "head");
	tasks = rec_read("%s/saved_cmdlines", tracefs_tracing_dir());
	wr_head(f, c->page_size, c->header_page, c->header_event);
	put_formats(c, f);
	put_symbols(f);
	wr_num(f, 0, 4); /* no formats of trace_printk() */
	wr_text(f, tasks ? tasks : "", tasks ? strlen(tasks) : 0, 8);
	wr_num(f, c->nr_cpus, 4);
	put_options(c, facts, f);
	free(tasks);
	if (fclose(f)) {
		free(head);
		return zsr_err_nomem(err, "head");
	}
	fwrite(head, *len, 1, c->file.f);
	free(head);
	return 0;
}

/* "field: char data; offset:16; size:4080;": a sub-buffer ends with its data. */
static int read_headers(struct collect *c, struct zsr_err *err)
{
	const char *dir = tracefs_tracing_dir(), *at;
	unsigned offset = 0, size = 0;

	c->header_page = rec_read("%s/events/header_page", dir);
	c->header_event = rec_read("%s/events/header_event", dir);
	at = c->header_page ? strstr(c->header_page, "char data;") : NULL;
	if (at)
		sscanf(at, "char data; offset:%u; size:%u;", &offset, &size);
	c->page_size = offset + size;
	if (!c->header_event || c->page_size < 4096 || c->page_size > 1u << 20)
		return zsr_err_sys(err, EPROTO, "%s/events/header_page", dir);
	return 0;
}

int rec_collect(struct rec_session *s, const struct zsr_record_opts *opts,
		const struct rec_facts *facts, struct zsr_recorded *out,
		struct zsr_err *err)
{
	struct collect c = { .s = s, .events = opts->events };
	size_t len = 0;
	int ret = read_headers(&c, err);

	c.nr_cpus = (unsigned)zsr_min(sysconf(_SC_NPROCESSORS_CONF),
				      (long)ZSR_RECORD_CPUS);
	c.cpu = calloc(c.nr_cpus, sizeof(*c.cpu));
	c.stats = open_memstream(&c.stats_text, &c.stats_len);
	if (!ret && (!c.cpu || !c.stats))
		ret = zsr_err_nomem(err, "capture");
	if (!ret)
		ret = zsr_outfile_open(&c.file, opts->output, err);
	if (ret)
		goto out;
	count_missed(&c, out);
	ret = copy_pages(&c, out, err);
	fflush(c.stats);
	if (!ret)
		ret = put_head(&c, facts, &len, err);
	if (!ret) {
		wr_places(c.file.f, c.page_size, c.cpu, c.nr_cpus, len);
		ret = append_pages(&c, err);
	}
	out->nr_bytes = c.file.f ? (uint64_t)zsr_max(ftell(c.file.f), 0L) : 0;
	if (ret)
		zsr_outfile_abort(&c.file);
	else
		ret = zsr_outfile_close(&c.file, err);
out:
	if (c.pages)
		fclose(c.pages);
	if (c.stats)
		fclose(c.stats);
	free(c.stats_text);
	free(c.header_page);
	free(c.header_event);
	free(c.cpu);
	return ret;
}
