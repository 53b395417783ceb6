// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pass that measures how long calls take: a pair of probes on each function,
 * or the function_graph tracer, and what they cost themselves, measured on a
 * function that does next to nothing. Every read of mm_stat calls it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/record/record.h"

#define EMPTY   "zs_get_total_pages"
#define READS   256 /* of mm_stat, for one number */
#define ROUNDS  2 /* of reads with and without: to change that takes time */
#define OF_FREE " pool=$arg1:x64 handle=$arg2:x64"

static const struct measured {
	const char *event, *symbol;
	const char *args; /* that the empty one has, too: fetching costs */
	bool optional; /* not in every kernel, or inlined */
} functions[] = {
	{ "zs_free", "zs_free", OF_FREE, false },
	{ EMPTY, EMPTY, OF_FREE, true },
	{ "free_zspage", "__free_zspage", "", true },
	{ "munmap", "__vm_munmap", "", true },
	{ "exit_mmap", "exit_mmap", "", true },
};

/* ---- ways ------------------------------------------------------------------------ */

static const char *const method_names[ZSR_NR_METHODS] = {
	[ZSR_METHOD_AUTO] = "auto",
	[ZSR_METHOD_FPROBE] = "fprobe",
	[ZSR_METHOD_KPROBE] = "kprobe",
	[ZSR_METHOD_GRAPH] = "function_graph",
};

const char *zsr_record_method_name(unsigned method)
{
	return method < ZSR_NR_METHODS ? method_names[method] : NULL;
}

static bool in_text_of(const char *name, const char *word)
{
	char *text = rec_read("%s/%s", tracefs_tracing_dir(), name);
	bool found = text && strstr(text, word);

	free(text);
	return found;
}

enum zsr_record_method rec_method(void)
{
	if (in_text_of("README", "f[:[") && in_text_of("README", "%return"))
		return ZSR_METHOD_FPROBE;
	if (tracefs_file_exists(NULL, "kprobe_events") ||
	    !in_text_of("available_tracers", "function_graph"))
		return ZSR_METHOD_KPROBE;
	return ZSR_METHOD_GRAPH;
}

/* ---- probes ------------------------------------------------------------------------ */

static int arm_pair(struct rec_session *s, const struct measured *m,
		    const char *more)
{
	bool is_fprobe = s->method == ZSR_METHOD_FPROBE;
	int ret = rec_probe(s, "%c:%s/%s %s%s%s", is_fprobe ? 'f' : 'p',
			    s->group, m->event, m->symbol, m->args, more);

	if (ret)
		return ret;
	return is_fprobe ? rec_probe(s, "f:%s/%s_ret %s%%return", s->group,
				     m->event, m->symbol)
			 : rec_probe(s, "r1024:%s/%s_ret %s", s->group,
				     m->event, m->symbol);
}

int rec_arm_pairs(struct rec_session *s, const struct zsr_record_opts *opts)
{
	size_t i;
	int ret;

	for (i = 0; i < ZSR_ARRAY_SIZE(functions); i++) {
		const struct measured *m = &functions[i];
		const char *more = !i && opts->caller ? " caller=$caller:x64"
				   : opts->placement && !strcmp(m->event,
								"free_zspage")
					   ? " class=$arg2:x64 zspage=$arg3:x64"
					   : "";

		ret = arm_pair(s, m, more);
		if (ret && !m->optional)
			return ret;
	}
	return 0;
}

static int write_name(int fd, const char *symbol)
{
	char name[80];
	int n = snprintf(name, sizeof(name), "%s\n", symbol);

	return write(fd, name, (size_t)n) == n ? 0 : -EINVAL;
}

/* A name a write, for one that is not there refuses all of it; the kernel
 * changes its code when the file is closed. */
static int filter(struct rec_session *s)
{
	int fd = tracefs_instance_file_open(s->instance, "set_ftrace_filter",
					    O_WRONLY | O_TRUNC);
	int ret = fd < 0 ? -EINVAL : write_name(fd, "zs_malloc");
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(functions) && !ret; i++)
		if (write_name(fd, functions[i].symbol) && !functions[i].optional)
			ret = -EINVAL;
	if (fd >= 0)
		close(fd);
	return ret;
}

int rec_arm_graph(struct rec_session *s, struct zsr_err *err)
{
	if (filter(s) ||
	    tracefs_instance_file_write(s->instance, "current_tracer",
					"function_graph") < 0)
		return zsr_err_sys(err, EINVAL,
				   "no function_graph tracer for an instance "
				   "of its own (Linux 6.11)");
	return 0;
}

/* ---- calibration --------------------------------------------------------------------- */

/* Whether calls of the empty function are recorded. */
static int record_empty(struct rec_session *s, bool on)
{
	static const char *const names[] = { EMPTY, EMPTY "_ret" };
	size_t i;

	if (s->method == ZSR_METHOD_GRAPH)
		return tracefs_instance_file_append(
			       s->instance, "set_ftrace_filter",
			       on ? EMPTY "\n" : "!" EMPTY "\n") < 0
			       ? -EIO
			       : 0;
	for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
		if (on ? tracefs_event_enable(s->instance, s->group, names[i])
		       : tracefs_event_disable(s->instance, s->group, names[i]))
			return -EIO;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t ns[READS])
{
	qsort(ns, READS, sizeof(*ns), by_value);
	return ns[READS / 2];
}

/* What each of some reads takes, in turn on all CPUs; false: it cannot be. */
static bool read_often(const char *zram, uint64_t *ns, unsigned nr)
{
	unsigned i, cpu = 0;
	char path[80], buf[256];
	cpu_set_t before, one;
	uint64_t begin;
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/mm_stat", zram);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (sched_getaffinity(0, sizeof(before), &before))
		CPU_ZERO(&before);
	for (i = 0; i < nr; i++) {
		if (i % (READS / 16) == 0 && CPU_COUNT(&before)) {
			while (!CPU_ISSET(cpu % CPU_SETSIZE, &before))
				cpu++;
			CPU_ZERO(&one);
			CPU_SET(cpu++ % CPU_SETSIZE, &one);
			sched_setaffinity(0, sizeof(one), &one);
		}
		begin = zsr_clock_ns();
		if (pread(fd, buf, sizeof(buf), 0) <= 0)
			break;
		ns[i] = zsr_clock_ns() - begin;
	}
	if (CPU_COUNT(&before))
		sched_setaffinity(0, sizeof(before), &before);
	close(fd);
	return i == nr;
}

/* With an empty device, where there is none in use. */
static bool some_zram(struct rec_session *s, char zram[16], bool *own)
{
	struct zsr_err none = { 0 };

	*own = !*zram && !*s->zram && !rec_zram_new(s, 1u << 20, NULL, &none);
	if (*own)
		snprintf(zram, 16, "%s", s->zram);
	return *zram;
}

static void remove_own(struct rec_session *s, bool own)
{
	if (own && !rec_zram_remove(s->zram))
		rec_session_zram(s, "");
}

/* By turns with and without: what changes meanwhile is the same for both. */
void rec_calibrate(struct rec_session *s, const char *device)
{
	uint64_t bare[READS], armed[READS], bare_ns, armed_ns;
	unsigned i, n = READS / ROUNDS;
	char zram[16];
	bool own, ok;

	snprintf(zram, sizeof(zram), "%s", device);
	if (!some_zram(s, zram, &own))
		return;
	for (i = 0, ok = true; i < READS && ok; i += n)
		ok = !record_empty(s, false) && read_often(zram, bare + i, n) &&
		     !record_empty(s, true) && read_often(zram, armed + i, n);
	remove_own(s, own);
	if (!ok)
		return;
	bare_ns = median(bare);
	armed_ns = median(armed);
	s->whole_ns = armed_ns > bare_ns ? armed_ns - bare_ns : 0;
}

void rec_calibrate_again(struct rec_session *s, const char *device)
{
	uint64_t ns[READS];
	char zram[16];
	bool own;

	snprintf(zram, sizeof(zram), "%s", device);
	if (!some_zram(s, zram, &own))
		return;
	read_often(zram, ns, READS);
	remove_own(s, own);
}

int rec_facts_latency(struct rec_facts *f, const struct rec_session *s,
		      struct zsr_err *err)
{
	char number[24];
	int ret = rec_fact(f, "cost.method", method_names[s->method], err);

	if (!ret)
		ret = rec_fact(f, "cost.function", EMPTY, err);
	snprintf(number, sizeof(number), "%" PRIu64, s->whole_ns);
	return ret || !s->whole_ns ? ret
				   : rec_fact(f, "cost.whole_ns", number, err);
}
