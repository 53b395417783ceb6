// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes on the allocator. Arguments are taken by register, which every kernel
 * can; their order never moved, but is not taken for granted: it is seen on a
 * device of our own before anything else is recorded.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/record/record.h"

#define MALLOC_ARGS "pool=$arg1:x64 size=$arg2:u32 gfp=$arg3:x32"

bool rec_has_zsmalloc(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " zs_free\t") ||
			strstr(line, " zs_free\n");
	if (f)
		fclose(f);
	return found;
}

/* Of "[   80.405414] trace_kprobe: error: Invalid ...\n  Command: ..." what
 * tells something. */
static int why(const char *what, struct zsr_err *err)
{
	char *log, *last;
	int ret;

	if (!rec_has_zsmalloc())
		return zsr_err_sys(err, ENOENT,
				   "no zsmalloc in this kernel, or its module "
				   "is not loaded (modprobe zram)");
	log = tracefs_error_last(NULL);
	last = log ? strstr(log, "error: ") : NULL;
	if (last)
		last[strcspn(last, "\n")] = '\0';
	ret = zsr_err_sys(err, EINVAL, "probe on %s refused%s%s", what,
			  last ? ": " : "", last ? last + 7 : "");
	free(log);
	return ret;
}

/*
 * One event a malloc, at its return, where return probes have arguments (from
 * 6.9 on); else two. Durations take two, and so do places, for only then is it
 * known which calls overlapped.
 */
static int probe_malloc(struct rec_session *s,
			const struct zsr_record_opts *opts)
{
	const char *obj = opts->placement ? " obj=+0($retval):x64" : "";
	int ret;

	if (opts->pass == ZSR_RECORD_OPS && !opts->placement &&
	    !rec_probe(s,
		       "r1024:%s/zs_malloc_done zs_malloc "
		       "handle=$retval:x64 " MALLOC_ARGS,
		       s->group))
		return 0;
	ret = rec_probe(s, "p:%s/zs_malloc zs_malloc " MALLOC_ARGS, s->group);
	if (!ret)
		ret = rec_probe(s,
				"r1024:%s/zs_malloc_ret zs_malloc "
				"handle=$retval:x64%s",
				s->group, obj);
	return ret;
}

int rec_arm(struct rec_session *s, const struct zsr_record_opts *opts,
	    struct zsr_err *err)
{
	int ret;

	if (opts->pass == ZSR_RECORD_LATENCY)
		s->method = opts->method ? opts->method : rec_method();
	if (s->method == ZSR_METHOD_FPROBE && rec_method() != s->method)
		return zsr_err_sys(err, ENOTSUP,
				   "no fprobe events in this kernel");
	if (s->method == ZSR_METHOD_GRAPH)
		return rec_arm_graph(s, err);
	ret = probe_malloc(s, opts);
	if (ret)
		return why("zs_malloc", err);
	if (s->method)
		ret = rec_arm_pairs(s, opts);
	else
		ret = rec_probe(
			s,
			"p:%s/zs_free zs_free pool=$arg1:x64 handle=$arg2"
			":x64%s",
			s->group, opts->caller ? " caller=$caller:x64" : "");
	if (ret)
		return why("zs_free", err);
	ret = rec_probe(s, "r:%s/zs_create_pool zs_create_pool pool=$retval:x64",
			s->group);
	if (!ret)
		ret = rec_probe(
			s,
			"p:%s/zs_destroy_pool zs_destroy_pool pool=$arg1"
			":x64",
			s->group);
	if (!ret)
		ret = rec_probe(s, "p:%s/zs_compact zs_compact pool=$arg1:x64",
				s->group);
	if (!ret)
		ret = rec_probe(s,
				"r:%s/zs_compact_ret zs_compact "
				"freed=$retval:u64",
				s->group);
	if (ret)
		return why("zsmalloc", err);
	/* Compilers take it apart in some kernels: places are recorded still. */
	if (opts->placement && !s->method)
		rec_probe(s,
			  "p:%s/free_zspage __free_zspage class=$arg2"
			  ":x64 zspage=$arg3:x64",
			  s->group);
	if (tracefs_event_enable(s->instance, s->group, NULL))
		return zsr_err_sys(err, errno, "enabling the probes");
	return 0;
}

/* ---- the proof --------------------------------------------------------------------- */

/* Stores a page twice: a malloc, and a malloc and a free. */
static int store_twice(const char *name)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	char path[32], *p = NULL;
	int fd, round, ret = 0;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (posix_memalign((void **)&p, page, page))
		ret = -ENOMEM;
	for (round = 0; round < 2 && !ret; round++) {
		for (i = 0; i < page; i++)
			p[i] = (char)(i < page / 8 ? i * i * 31 + i / 7 +
							     (size_t)round
						   : 0);
		if (pwrite(fd, p, page, 0) != (ssize_t)page || fsync(fd))
			ret = -errno;
	}
	free(p);
	close(fd);
	return ret;
}

/* The value of " NAME=" in a line of text; 0: none. */
static uint64_t value(const char *line, const char *name)
{
	char what[32];
	const char *at;

	snprintf(what, sizeof(what), " %s=", name);
	at = strstr(line, what);
	return at ? strtoull(at + strlen(what), NULL, 0) : 0;
}

struct proof {
	uint64_t pool;
	uint64_t handle[8];
	unsigned nr_handles;
	unsigned nr_mallocs;
	unsigned nr_frees;
};

static void look(struct proof *p, const char *line)
{
	uint64_t pool = value(line, "pool"), handle = value(line, "handle");
	uint64_t size = value(line, "size");
	unsigned i;

	if (strstr(line, " zs_create_pool: "))
		p->pool = pool;
	if (strstr(line, " zs_malloc: ") || strstr(line, " zs_malloc_done: "))
		p->nr_mallocs += pool == p->pool && size &&
				 size <= (uint64_t)sysconf(_SC_PAGESIZE);
	if ((strstr(line, " zs_malloc_ret: ") ||
	     strstr(line, " zs_malloc_done: ")) &&
	    p->nr_handles < ZSR_ARRAY_SIZE(p->handle))
		p->handle[p->nr_handles++] = handle;
	if (!strstr(line, " zs_free: ") || pool != p->pool)
		return;
	for (i = 0; i < p->nr_handles; i++)
		if (p->handle[i] == handle) {
			p->nr_frees++;
			break;
		}
}

static int verdict(struct rec_session *s, struct zsr_err *err)
{
	char *text = tracefs_instance_file_read(s->instance, "trace", NULL);
	struct proof p = { 0 };
	char *save = NULL, *line;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		look(&p, line);
	free(text);
	tracefs_instance_file_clear(s->instance, "trace");
	if (p.pool && p.nr_mallocs && p.nr_frees)
		return 0;
	return zsr_err_sys(err, EPROTO,
			   "the probes do not show what a store and a release "
			   "on %s did (%u mallocs, %u frees)",
			   s->zram, p.nr_mallocs, p.nr_frees);
}

int rec_prove(struct rec_session *s, struct zsr_err *err)
{
	struct zsr_err none = { 0 };
	int ret;

	/* It records no arguments. */
	if (s->method == ZSR_METHOD_GRAPH)
		return 0;
	tracefs_trace_on(s->instance);
	if (rec_zram_new(s, 1u << 20, NULL, &none)) {
		tracefs_trace_off(s->instance);
		return 1;
	}
	ret = store_twice(s->zram);
	tracefs_trace_off(s->instance);
	ret = ret ? zsr_err_sys(err, -ret, "/dev/%s", s->zram) : verdict(s, err);
	if (!ret)
		ret = rec_zram_remove(s->zram);
	if (ret < 0 && !err->kind)
		ret = zsr_err_sys(err, -ret, "removing %s", s->zram);
	/* The next device of this number is not ours. */
	if (!ret)
		rec_session_zram(s, "");
	return ret;
}
