// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes a pack into a database and replays it as its results say it was: prints
 * the trace's digest, each run's, and the SHA-256 of a pack made of the trace.
 * 1 when a digest is not the promised one. What arm64.t runs on two
 * architectures.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack/pack.h"
#include "replay/replay.h"

struct again {
	struct zsr_db *db;
	struct zsr_trace trace;
	const struct zsr_run *promised;
	unsigned nr, nr_differ;
};

static int on_run(void *ctx, struct zsr_run *run, struct zsr_err *err)
{
	struct again *a = ctx;

	(void)err;
	a->nr++;
	a->nr_differ += strcmp(run->digest, a->promised->digest) != 0;
	printf("%s %s\n", run->policy, run->digest);
	return 0;
}

/* Runs of samples are those of the defaults. */
static int on_result(void *ctx, const struct zsr_run *run, struct zsr_err *err)
{
	struct again *a = ctx;
	struct zsr_replay_opts o = { .policies = run->policy,
				     .seed = run->seed,
				     .cpus = run->cpus };
	unsigned i;

	for (i = 0; zsr_outer_lock_name(i); i++)
		if (!strcmp(run->outer_lock, zsr_outer_lock_name(i)))
			o.outer = i;
	a->promised = run;
	return zsr_replay(a->db, &a->trace, &o, on_run, a, err);
}

static int pack_again(struct again *a, struct zsr_err *err)
{
	const struct zsr_pack_what what = {
		.db = a->db,
		.trace = &a->trace,
		.readme = "again\n",
		.results = "",
	};
	char hex[ZSR_SHA_HEX], block[4096];
	FILE *f = tmpfile();
	struct zsr_sha sha;
	uint64_t bytes;
	size_t n;
	int ret = zsr_pack_write(&what, f, &bytes, err);

	rewind(f);
	zsr_sha_init(&sha);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		zsr_sha_bytes(&sha, block, n);
	zsr_sha_hex(&sha, hex);
	printf("pack %s\n", hex);
	fclose(f);
	return ret;
}

static int again(struct again *a, const char *path, struct zsr_err *err)
{
	struct zsr_pack *p = NULL;
	int fd = open(path, O_RDONLY);
	int ret = zsr_pack_open(&p, fd, path, err);

	if (!ret)
		ret = zsr_pack_import(p, a->db, "again", false, &a->trace, err);
	if (!ret)
		printf("trace %s\n", a->trace.digest);
	if (!ret)
		ret = zsr_results_read(zsr_pack_results(p), on_result, a, err);
	if (!ret)
		ret = pack_again(a, err);
	zsr_pack_close(p);
	close(fd);
	return ret;
}

int main(int argc, char **argv)
{
	struct zsr_scratch s;
	struct zsr_err err = { 0 };
	struct again a = { 0 };
	int ret = argc == 2 ? zsr_scratch_open(&s, &err)
			    : zsr_err_usage(&err, "again PACK");

	if (!ret) {
		a.db = s.db;
		ret = again(&a, argv[1], &err);
		zsr_scratch_close(&s);
	}
	if (ret)
		fprintf(stderr, "again: %s\n", err.msg);
	return ret || a.nr_differ || !a.nr;
}
