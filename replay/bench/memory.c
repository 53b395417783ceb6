// SPDX-License-Identifier: GPL-2.0-only
/*
 * Most memory (resident) of a replay of 4 M stored objects, 64 tasks on 16
 * virtual CPUs, by policy, held against the bar: all policies, or those named
 * on the command line, each in a child of its own.
 *
 *	memory [POLICY...]
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/policy/policy.h"
#include "replay/replay.h"
#include "synth/synth.h"

#define TASKS     64
#define TASK_SIZE (256ull << 20) /* 65,536 objects each */
#define BAR_MB    200

static struct zsr_err err;
static char db_path[64];

static int store(const char *policy)
{
	struct zsr_synth_munmap s = { .name = "bench",
				      .kernel = "7.2",
				      .size = TASK_SIZE,
				      .procs = TASKS,
				      .page_size = 4096,
				      .chain_size = 8,
				      .seed = 1 };
	struct zsr_db *db = NULL;
	struct zsr_trace t;
	int ret;

	(void)policy;
	ret = zsr_db_open(&db, db_path, ZSR_DB_CREATE, &err);
	if (!ret)
		ret = zsr_sizes_parse("text", 4096, &s.sizes, &err);
	if (!ret)
		ret = zsr_synth_munmap(db, &s, &t, &err);
	zsr_db_close(db);
	return ret;
}

static int done(void *ctx, struct zsr_run *run, struct zsr_err *e)
{
	(void)ctx;
	(void)e;
	printf("%-14s %9" PRIu64 " frees", run->policy, run->v.frees);
	return 0;
}

static int play(const char *policy)
{
	const struct zsr_replay_opts opts = { .policies = policy,
					      .cpus = 16,
					      .seed = 1,
					      .conditions.memory = "64G" };
	struct zsr_trace t;
	struct zsr_db *db = NULL;
	int ret;

	ret = zsr_db_open(&db, db_path, 0, &err);
	if (!ret)
		ret = zsr_trace_find(db, "bench", &t, &err);
	if (!ret)
		ret = zsr_replay(db, &t, &opts, done, NULL, &err);
	zsr_db_close(db);
	return ret;
}

/* MB (10^6 bytes) that fn() took at most, in a child. */
static double in_child(int (*fn)(const char *policy), const char *policy)
{
	struct rusage use;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = fn(policy);
		if (status)
			fprintf(stderr, "memory bench: %s\n", err.msg);
		fflush(stdout);
		_exit(status != 0);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || status)
		exit(1);
	return (double)use.ru_maxrss * 1024 / 1e6;
}

static void measure(const char *policy)
{
	double mb = in_child(play, policy);

	printf("   %6.1f MB  <= %d  %s\n", mb, BAR_MB,
	       mb <= BAR_MB ? "holds" : "FAILS");
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/zsr-bench.XXXXXX";
	size_t i;

	if (!mkdtemp(dir))
		return 1;
	snprintf(db_path, sizeof(db_path), "%s/db", dir);
	in_child(store, NULL);
	for (i = 1; i < (size_t)argc; i++)
		measure(argv[i]);
	for (i = 0; argc == 1 && zsr_policies[i]; i++)
		measure(zsr_policies[i]->name);
	unlink(db_path);
	rmdir(dir);
	return 0;
}
