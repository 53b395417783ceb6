// SPDX-License-Identifier: GPL-2.0-only
/* One capture from its probes to its file. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/record/record.h"

#define MIB (1024 * 1024ull)

/* A flight recorder: nothing is read before the run is over. */
static int size_buffer(struct rec_session *s, uint64_t bytes,
		       struct zsr_err *err)
{
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			  (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t most = 64 * MIB;
	char kb[24];

	if (!bytes)
		bytes = zsr_max(4 * MIB, zsr_min(memory / 64, most));
	snprintf(kb, sizeof(kb), "%" PRIu64, (bytes + 1023) / 1024);
	if (tracefs_instance_file_write(s->instance, "buffer_size_kb", kb) < 0)
		return zsr_err_sys(err, errno, "a ring buffer of %s KiB a CPU",
				   kb);
	return 0;
}

static int set_environment(struct rec_session *s, const char *zram,
			   struct zsr_err *err)
{
	char *marker = tracefs_instance_get_file(s->instance, "trace_marker");

	if (!marker || setenv("ZSR_MARKER", marker, 1) ||
	    setenv("ZSR_SNAPSHOTS", s->dir, 1) || setenv("ZSR_ZRAM", zram, 1)) {
		tracefs_put_tracing_file(marker);
		return zsr_err_nomem(err, "environment");
	}
	tracefs_put_tracing_file(marker);
	return 0;
}

static int add_facts(struct rec_session *s, struct rec_facts *f,
		     const struct zsr_record_opts *opts, const char *zram,
		     const struct zsr_recorded *out, struct zsr_err *err)
{
	char *profile = tracefs_instance_file_read(NULL, "kprobe_profile", NULL);
	char probes[2000] = "";
	size_t len = 0;
	unsigned i;
	int ret;

	for (i = 0; i < s->nr_probes; i++)
		len += (size_t)snprintf(
			probes + len,
			len < sizeof(probes) ? sizeof(probes) - len : 0, "%s%s",
			i ? "\n" : "", s->probe[i]);
	ret = rec_facts_machine(f, zram, err);
	if (!ret)
		ret = rec_fact(f, "pass",
			       opts->pass == ZSR_RECORD_OPS ? "ops" : "latency",
			       err);
	if (!ret)
		ret = rec_fact(f, "probe", probes, err);
	if (!ret && s->method)
		ret = rec_facts_latency(f, s, err);
	if (!ret)
		ret = rec_fact(f, "kprobe_profile", profile, err);
	if (!ret)
		ret = rec_fact(f, "probe.proved", out->proved ? "yes" : "no",
			       err);
	if (!ret && opts->pid) {
		snprintf(probes, sizeof(probes), "%d", (int)opts->pid);
		ret = rec_fact(f, "filter.pid", probes, err);
		/* What others store and release is not there. */
		ret = ret ? ret : rec_fact(f, "zsr.from_empty", "0", err);
	}
	if (!ret)
		ret = rec_facts_snapshots(f, s->dir, err);
	free(profile);
	return ret;
}

/* Of the kernel's own. */
static int enable_events(struct rec_session *s, const char *const *event,
			 struct zsr_err *err)
{
	char system[100];
	const char *colon;

	for (; event && *event; event++) {
		colon = strchr(*event, ':');
		if (!colon || colon == *event || !colon[1] ||
		    colon - *event >= (ptrdiff_t)sizeof(system) ||
		    strchr(*event, '/'))
			return zsr_err_usage(err, "'%s' is no SYSTEM:EVENT",
					     *event);
		snprintf(system, sizeof(system), "%.*s", (int)(colon - *event),
			 *event);
		if (tracefs_event_enable(s->instance, system, colon + 1))
			return zsr_err_sys(err, ENOENT, "event %s", *event);
	}
	return 0;
}

/* Between here and there the trace is on. */
static int run(struct rec_session *s, const struct zsr_record_opts *opts,
	       char zram[16], struct zsr_recorded *out, struct zsr_err *err)
{
	pid_t sampler = 0;
	int ret = 0;

	if (tracefs_trace_on(s->instance))
		return zsr_err_sys(err, errno, "tracing on");
	if (opts->fresh_bytes)
		ret = rec_zram_new(s, opts->fresh_bytes, opts->algorithm, err);
	if (!ret && opts->fresh_bytes) {
		snprintf(zram, 16, "%s", s->zram);
		ret = rec_zram_swapon(s->zram, err);
	}
	if (!ret)
		ret = set_environment(s, zram, err);
	if (!ret)
		ret = zsr_record_snapshot("start", err);
	if (!ret && s->method)
		rec_calibrate(s, zram);
	if (!ret && opts->sample_us) {
		sampler = rec_sample_begin(zram, opts->sample_us, err);
		ret = zsr_min(sampler, 0);
	}
	if (!ret && opts->pid)
		ret = rec_await(opts->pid, &out->sig, err);
	else if (!ret)
		ret = rec_command(opts->command, &out->status, &out->sig, err);
	rec_sample_end(sampler);
	out->gone = !ret && !rec_has_zsmalloc();
	if (!ret)
		ret = zsr_record_snapshot("end", err);
	if (!ret && s->method)
		rec_calibrate_again(s, zram);
	tracefs_trace_off(s->instance);
	return ret;
}

static int record(struct rec_session *s, struct rec_output *o,
		  const struct zsr_record_opts *opts, struct zsr_recorded *out,
		  struct zsr_err *err)
{
	struct rec_facts facts = { 0 };
	char zram[16] = "";
	int ret;

	ret = rec_session_begin(s, err);
	if (!ret)
		ret = rec_output_open(o, opts->output, err);
	if (!ret)
		ret = size_buffer(s, opts->buffer_bytes, err);
	if (!ret)
		ret = rec_arm(s, opts, err);
	if (ret)
		return ret;
	ret = rec_prove(s, err);
	if (ret < 0)
		return ret;
	out->proved = !ret;
	ret = enable_events(s, opts->events, err);
	if (!ret && opts->pid)
		ret = rec_follow(s, opts->pid, err);
	if (ret)
		return ret;
	if (opts->zram)
		snprintf(zram, sizeof(zram), "%s", opts->zram);
	else
		rec_zram_find(zram);
	ret = opts->stream ? rec_output_stream(o, s, err) : 0;
	if (!ret)
		ret = run(s, opts, zram, out, err);
	if (!ret)
		ret = add_facts(s, &facts, opts, zram, out, err);
	if (!ret)
		ret = rec_collect(s, o, opts, &facts, out, err);
	rec_facts_free(&facts);
	return ret;
}

int zsr_record(const struct zsr_record_opts *opts, struct zsr_recorded *out,
	       struct zsr_err *err)
{
	struct rec_output o = { .stop = { -1, -1 } };
	struct rec_session s = { 0 };
	sigset_t ask, before;
	int ret;

	memset(out, 0, sizeof(*out));
	sigemptyset(&ask);
	sigaddset(&ask, SIGINT);
	sigaddset(&ask, SIGTERM);
	sigaddset(&ask, SIGHUP);
	sigaddset(&ask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ask, &before);
	ret = record(&s, &o, opts, out, err);
	rec_output_close(&o);
	rec_session_end(&s);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* ---- what can be done here ---------------------------------------------------------- */

static bool has(const char *name)
{
	return tracefs_file_exists(NULL, name);
}

static bool has_event(const char *system, const char *event)
{
	return tracefs_event_file_exists(NULL, system, event, "format");
}

static void say(FILE *f, const char *what, bool yes, const char *yes_text,
		const char *no_text)
{
	fprintf(f, "%-16s %s%s\n", what, yes ? "yes" : "no",
		yes ? yes_text : no_text);
}

/* An option that would help, and whether it can be had. */
static void say_options(FILE *f, const char *readme, const char *dir)
{
	say(f, "fprobe events", readme && strstr(readme, "f[:["), "", "");
	say(f, "function graph",
	    tracefs_tracer_available(dir, "function_graph"), "", "");
	say(f, "lock events", has_event("lock", "contention_begin"),
	    ": --locks", ": no --locks (from Linux 5.19 on)");
	say(f, "page events", has_event("kmem", "mm_page_free"), ": --pages",
	    ": no --pages");
	say(f, "system calls", has_event("syscalls", "sys_enter_munmap"),
	    ": --munmap", ": no --munmap (CONFIG_FTRACE_SYSCALLS)");
	say(f, "compaction", has_event("compaction", "mm_compaction_begin"),
	    ": --compact", ": no --compact");
	say(f, "pressure stalls", !access("/proc/pressure/memory", F_OK),
	    ": --vmstat has them", ": --vmstat is without (CONFIG_PSI, psi=1)");
}

int zsr_record_check(FILE *f, struct zsr_err *err)
{
	const char *dir = rec_tracefs(err);
	char zram[16] = "", *readme, *zswap;
	bool probes, symbols;

	if (!dir)
		return -EPERM;
	readme = rec_read("%s/README", dir);
	probes = has("kprobe_events");
	symbols = rec_has_zsmalloc();
	rec_zram_find(zram);
	fprintf(f, "%-16s %s\n", "tracefs", dir);
	say(f, "kprobe events", probes, "",
	    ": CONFIG_KPROBE_EVENTS is not set, nothing can be recorded");
	say(f, "zs_malloc", symbols, "",
	    ": no zsmalloc in this kernel, or its module is not loaded "
	    "(modprobe zram)");
	say_options(f, readme, dir);
	fprintf(f, "%-16s %s, by default (--method)\n", "latency pass",
		zsr_record_method_name(rec_method()));
	say(f, "new zram device", !access("/sys/class/zram-control", F_OK),
	    ": --fresh-zram", ": no zram here (modprobe zram)");
	fprintf(f, "%-16s %s\n", "zram device",
		*zram ? zram : "none, or several: --zram says which");
	zswap = rec_read("/sys/module/zswap/parameters/enabled");
	say(f, "zswap", zswap && *zswap == 'Y', "", zswap ? ": it is off" : "");
	say(f, "class tables", !access("/sys/kernel/debug/zsmalloc", F_OK), "",
	    ": CONFIG_ZSMALLOC_STAT is not set, or no debugfs");
	free(readme);
	free(zswap);
	return !probes || !symbols;
}
