// SPDX-License-Identifier: GPL-2.0-only
/* zsr capture: record a command's use of zsmalloc, on the target. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "capture/capture.h"
#include "cmd/cmd.h"

static void say_time(char *buf, size_t size, const char *what, uint64_t t_ns)
{
	snprintf(buf, size, " %s %" PRIu64 ".%06" PRIu64 " s", what,
		 t_ns / 1000000000, t_ns / 1000 % 1000000);
}

static void say_loss(const struct zsr_record_loss *l)
{
	char n[ZSR_FMT_LEN] = "some", from[60] = "", until[60] = " at the end";

	if (l->nr)
		zsr_fmt_count(n, l->nr);
	if (l->from_ns)
		say_time(from, sizeof(from), "between", l->from_ns);
	if (l->until_ns)
		say_time(until, sizeof(until), l->from_ns ? "and" : "before",
			 l->until_ns);
	fprintf(stderr, "zsr capture: cpu %u: %s events lost%s%s (--buffer)\n",
		l->cpu, n, from, until);
}

#define MAX_SAID 8

static void say_losses(const struct zsr_recorded *r)
{
	char n[ZSR_FMT_LEN];
	unsigned i;

	for (i = 0; i < r->nr_losses && i < MAX_SAID; i++)
		say_loss(&r->loss[i]);
	if (i < r->nr_losses)
		fprintf(stderr, "zsr capture: %u more times events were lost\n",
			r->nr_losses - i);
	if (r->nr_missed)
		fprintf(stderr, "zsr capture: probes missed %s calls\n",
			zsr_fmt_count(n, r->nr_missed));
}

/* Whether all that happened is in the file. */
static bool lost_any(const struct zsr_recorded *r)
{
	return r->nr_losses || r->nr_lost || r->nr_missed;
}

static void say(const struct zsr_record_opts *opts, const struct zsr_recorded *r)
{
	char n[ZSR_FMT_LEN], b[ZSR_FMT_LEN];

	say_losses(r);
	if (!r->proved)
		fputs("zsr capture: no zram device could be added, so nothing "
		      "proves what the probes' arguments are\n",
		      stderr);
	if (r->gone)
		fputs("zsr capture: zsmalloc was unloaded meanwhile\n", stderr);
	if (r->sig)
		fprintf(stderr, "zsr capture: ended by signal %d\n", r->sig);
	else if (WIFSIGNALED(r->status))
		fprintf(stderr, "zsr capture: %s died of signal %d\n",
			*opts->command, WTERMSIG(r->status));
	else if (WEXITSTATUS(r->status))
		fprintf(stderr, "zsr capture: %s ended with %d\n",
			*opts->command, WEXITSTATUS(r->status));
	fprintf(stderr, "%s: %s events, %s, %s lost\n", opts->output,
		zsr_fmt_count(n, r->nr_events), zsr_fmt_size(b, r->nr_bytes),
		lost_any(r) ? "some" : "none");
}

/* 1: something was lost, and nothing may be. */
static int record(const struct zsr_record_opts *opts, struct zsr_recorded *r,
		  bool lossless, struct zsr_err *err)
{
	int ret = zsr_record(opts, r, err);

	if (ret)
		return ret;
	say(opts, r);
	return lossless && lost_any(r);
}

/* Again, for durations: into x-latency.dat where the other is x.dat. */
static int record_latency(struct zsr_record_opts *opts, struct zsr_recorded *r,
			  bool lossless, struct zsr_err *err)
{
	const char *path = opts->output, *dot = strrchr(path, '.');
	size_t stem = dot && dot > path && !strchr(dot, '/')
			      ? (size_t)(dot - path)
			      : strlen(path);
	char *beside;
	int ret;

	if (asprintf(&beside, "%.*s-latency%s", (int)stem, path, path + stem) < 0)
		return zsr_err_nomem(err, "path");
	opts->output = beside;
	opts->pass = ZSR_RECORD_LATENCY;
	ret = record(opts, r, lossless, err);
	free(beside);
	return ret;
}

static int pass_of(const char *name, enum zsr_record_pass *pass,
		   struct zsr_err *err)
{
	*pass = ZSR_RECORD_OPS;
	if (!name || !strcmp(name, "ops"))
		return 0;
	*pass = ZSR_RECORD_LATENCY;
	if (!strcmp(name, "latency"))
		return 0;
	return zsr_err_usage(err, "'%s' is no pass: ops, latency", name);
}

static int method_of(const char *name, enum zsr_record_method *method,
		     struct zsr_err *err)
{
	unsigned i;

	*method = ZSR_METHOD_AUTO;
	for (i = 0; name && i < ZSR_NR_METHODS; i++)
		if (!strcmp(name, zsr_record_method_name(i))) {
			*method = i;
			return 0;
		}
	return name ? zsr_err_usage(err,
				    "'%s' is no method: fprobe, kprobe, "
				    "function_graph",
				    name)
		    : 0;
}

/* What options mean that name a few. */
static const char *const sched[] = { "sched:sched_switch", "sched:sched_waking",
				     NULL };
static const char *const locks[] = { "lock:contention_begin",
				     "lock:contention_end", NULL };
static const char *const pages[] = { "kmem:mm_page_free", NULL };
static const char *const moves[] = { "compaction:mm_compaction_begin",
				     "compaction:mm_compaction_end", NULL };
static const char *const munmaps[] = { "syscalls:sys_enter_munmap",
				       "syscalls:sys_exit_munmap", NULL };

#define MAX_EVENTS 64

/* Of LIST, cut at its commas, and of the options. */
static int events_of(char *list, const int *wanted, const char **events,
		     struct zsr_err *err)
{
	static const char *const *const sets[] = { sched, locks, pages, munmaps,
						   moves };
	char *save = NULL, *word;
	size_t n = 0, i, j;

	for (i = 0; i < ZSR_ARRAY_SIZE(sets); i++)
		for (j = 0; wanted[i] && sets[i][j]; j++)
			events[n++] = sets[i][j];
	for (word = list ? strtok_r(list, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save)) {
		if (n == MAX_EVENTS - 1)
			return zsr_err_usage(err, "more than %d events",
					     MAX_EVENTS - 1);
		events[n++] = word;
	}
	events[n] = NULL;
	return 0;
}

static int samples_of(bool wanted, const char *every,
		      struct zsr_record_opts *opts, struct zsr_err *err)
{
	uint64_t ns = 2000000;
	int ret = every ? zsr_parse_ns(every, &ns, err) : 0;

	if (!ret && (ns < 100000 || ns > 3600000000000))
		ret = zsr_err_usage(err, "samples every %s: 100us to 3600s",
				    every);
	if (!ret && (wanted || every))
		opts->sample_us = (unsigned)(ns / 1000);
	return ret;
}

static int pid_of(const char *text, bool has_command,
		  struct zsr_record_opts *opts, struct zsr_err *err)
{
	uint64_t n = 0;
	int ret = zsr_parse_u64(text, "--pid", 1, INT32_MAX, &n, err);

	if (!ret && has_command)
		ret = zsr_err_usage(err, "a command, or --pid?");
	opts->pid = (pid_t)n;
	return ret;
}

static int cleanup(struct zsr_err *err)
{
	unsigned nr;
	int ret = zsr_record_cleanup(&nr, err);

	if (!ret)
		printf("%u removed\n", nr);
	return ret ? ret : zsr_cmd_flush(err);
}

static int check(struct zsr_err *err)
{
	int ret = zsr_record_check(stdout, err);

	return ret < 0 || zsr_cmd_flush(err) ? -EIO : ret;
}

int zsr_cmd_capture(int argc, const char **argv)
{
	char *fresh = NULL, *buffer = NULL, *pass = NULL, *output = NULL;
	char *zram = NULL, *algorithm = NULL, *every = NULL, *pid = NULL;
	int wants_cleanup = 0, wants_check = 0, lossless = 0, place = 0;
	int stream = 0, caller = 0, print_script = 0, both = 0,
	    wanted[5] = { 0 }, vmstat = 0;
	const char *events[MAX_EVENTS];
	char *list = NULL, *method = NULL;
	const struct poptOption table[] = {
		{ "output", 'o', POPT_ARG_STRING, &output, 0,
		  "the trace.dat to write (default zsr.dat)", "FILE" },
		{ "pass", '\0', POPT_ARG_STRING, &pass, 0,
		  "ops (default): every call, in order; latency: its duration "
		  "too",
		  "PASS" },
		{ "method", '\0', POPT_ARG_STRING, &method, 0,
		  "how latency is measured: fprobe, kprobe, function_graph "
		  "(default: the first that is there)",
		  "METHOD" },
		{ "fresh-zram", '\0', POPT_ARG_STRING, &fresh, 0,
		  "swap on a zram device of this size, made for the run",
		  "SIZE" },
		{ "algorithm", '\0', POPT_ARG_STRING, &algorithm, 0,
		  "its compressor", "NAME" },
		{ "zram", '\0', POPT_ARG_STRING, &zram, 0,
		  "whose numbers are noted (default: the only one)", "DEVICE" },
		{ "buffer", '\0', POPT_ARG_STRING, &buffer, 0,
		  "ring buffer a CPU (default: a 64th of memory, 4M to 64M)",
		  "SIZE" },
		{ "stream", '\0', POPT_ARG_NONE, &stream, 0,
		  "to the file while it runs, for long runs", NULL },
		{ "both", '\0', POPT_ARG_NONE, &both, 0,
		  "run the command twice: ops into FILE, latency beside it",
		  NULL },
		{ "placement", '\0', POPT_ARG_NONE, &place, 0,
		  "record where every object is put", NULL },
		{ "caller", '\0', POPT_ARG_NONE, &caller, 0,
		  "record who calls zs_free", NULL },
		{ "event", 'e', POPT_ARG_STRING, &list, ZSR_OPTION_LIST,
		  "record these events of the kernel, too",
		  "SYSTEM:EVENT[,...]" },
		{ "sched", '\0', POPT_ARG_NONE, &wanted[0], 0,
		  "record who runs", NULL },
		{ "locks", '\0', POPT_ARG_NONE, &wanted[1], 0,
		  "record waits for locks", NULL },
		{ "pages", '\0', POPT_ARG_NONE, &wanted[2], 0,
		  "record pages that go back", NULL },
		{ "munmap", '\0', POPT_ARG_NONE, &wanted[3], 0,
		  "record calls of munmap", NULL },
		{ "compact", '\0', POPT_ARG_NONE, &wanted[4], 0,
		  "record compaction of memory, which moves zspages", NULL },
		{ "vmstat", '\0', POPT_ARG_NONE, &vmstat, 0,
		  "record samples of the pool's and of free pages", NULL },
		{ "vmstat-every", '\0', POPT_ARG_STRING, &every, 0,
		  "at this interval (default 2ms)", "TIME" },
		{ "pid", '\0', POPT_ARG_STRING, &pid, 0,
		  "instead of a command: this process and its children, until "
		  "it ends",
		  "PID" },
		{ "lossless", '\0', POPT_ARG_NONE, &lossless, 0,
		  "exit 1 when events were lost", NULL },
		{ "check", '\0', POPT_ARG_NONE, &wants_check, 0,
		  "say what this kernel can record", NULL },
		{ "print-script", '\0', POPT_ARG_NONE, &print_script, 0,
		  "print a shell script that records the same", NULL },
		{ "cleanup", '\0', POPT_ARG_NONE, &wants_cleanup, 0,
		  "remove what killed captures left", NULL },
		POPT_TABLEEND
	};
	struct zsr_record_opts opts = { 0 };
	struct zsr_err err = { 0 };
	struct zsr_recorded *r = calloc(1, sizeof(*r));
	struct zsr_options o = { 0 };
	int ret;

	ret = r ? zsr_options_parse(&o, argc, argv, table,
				    "capture [OPTION...] -- COMMAND [ARG...]",
				    &err)
		: zsr_err_nomem(&err, "capture");
	if (ret) {
		free(r);
		return ret > 0 ? ZSR_EXIT_OK : zsr_cmd_fail("capture", &err);
	}
	if (fresh)
		ret = zsr_parse_size(fresh, &opts.fresh_bytes, &err);
	if (!ret && buffer)
		ret = zsr_parse_size(buffer, &opts.buffer_bytes, &err);
	if (!ret)
		ret = pass_of(pass, &opts.pass, &err);
	if (!ret)
		ret = method_of(method, &opts.method, &err);
	if (!ret)
		ret = samples_of(vmstat, every, &opts, &err);
	if (!ret && pid)
		ret = pid_of(pid, o.nr_rest > 0, &opts, &err);
	if (!ret && !wants_check && !wants_cleanup && !print_script && !pid &&
	    !o.nr_rest)
		ret = zsr_err_usage(&err, "which command is to be captured?");
	if (!ret)
		ret = events_of(list, wanted, events, &err);
	opts.events = events;
	opts.output = output ? output : "zsr.dat";
	opts.command = (char *const *)o.rest;
	opts.zram = zram;
	opts.algorithm = algorithm;
	opts.placement = place;
	opts.caller = caller;
	opts.stream = stream;
	if (!ret && wants_check) {
		ret = check(&err);
	} else if (!ret && print_script) {
		fputs(zsr_record_script, stdout);
		ret = zsr_cmd_flush(&err);
	} else if (!ret && wants_cleanup) {
		ret = cleanup(&err);
	} else if (!ret) {
		ret = record(&opts, r, lossless, &err);
		if (ret >= 0 && both) {
			int again = record_latency(&opts, r, lossless, &err);

			ret = again < 0 ? again : ret | again;
		}
	}
	zsr_options_free(&o);
	free(fresh);
	free(buffer);
	free(pass);
	free(method);
	free(output);
	free(zram);
	free(algorithm);
	free(every);
	free(pid);
	free(list);
	free(r);
	if (ret < 0)
		return zsr_cmd_fail("capture", &err);
	return ret ? ZSR_EXIT_NEGATIVE : ZSR_EXIT_OK;
}
