// SPDX-License-Identifier: GPL-2.0-only
/*
 * The check as a whole. The kernel's code runs in a child, which tells what
 * comes of it in messages of one size: a kernel that goes astray in it takes
 * nothing else along.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/engine/check/private.h"

#define OBSERVED "observed"
#define TIMED    "timed"

enum what { STARTED, CHECKED, TIMED_ONE, FAILED, DONE };

struct message {
	enum what what;
	char name[ZSR_CHECK_PATH];
	uint64_t ops, rows;
	bool differs;
	char text[sizeof(((struct zsr_check_compare *)0)->difference)];
	struct zsr_check_timing timing;
	struct zsr_err err;
};

struct job {
	const struct zsr_check *check;
	struct zsr_check_build build;
	struct zsr_check_compare compare;
	struct message message;
	int fd;
};

/* ---- in the child ----------------------------------------------------------- */

/* There for what the kernel's code calls back. */
static struct job *child_job;

static void say(struct job *j, enum what what)
{
	const char *p = (const char *)&j->message;
	size_t left = sizeof(j->message);
	ssize_t n;

	j->message.what = what;
	for (; left; p += n, left -= (size_t)n) {
		n = write(j->fd, p, left);
		if (n <= 0)
			_exit(1);
	}
}

static void *reserve(unsigned long bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* A kernel sees its memory through large pages, too. */
	madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

static void bug(const char *what, const char *file, int line)
{
	struct job *j = child_job;
	char at[64];

	zsr_check_at(at);
	zsr_err_input(&j->message.err, "%s: %s%sthe kernel stops at %s:%d: %s",
		      j->message.name, at, *at ? ": " : "",
		      strncmp(file, "./tree/", 7) ? file : file + 7, line, what);
	say(j, FAILED);
	_exit(0);
}

static const struct zsr_kernel_host host = {
	.reserve = reserve,
	.clock_ns = zsr_check_clock_ns,
	.bug = bug,
	.event = zsr_check_event,
};

static int load(struct job *j, const char *name)
{
	j->message.name[0] = '\0';
	return zsr_check_load(&j->build, name, &host, &j->compare.kernel,
			      &j->message.err);
}

static void start(struct job *j, const char *name)
{
	snprintf(j->message.name, sizeof(j->message.name), "%s", name);
	say(j, STARTED);
}

/* 0, or 1 when it differs. */
static int compare_file(struct job *j, const char *name, const char *path)
{
	struct message *m = &j->message;
	int ret;

	start(j, name);
	ret = zsr_check_compare(&j->compare, path, &m->err);
	if (ret)
		return ret;
	m->ops = j->compare.ops;
	m->rows = j->compare.rows;
	m->differs = j->compare.difference[0];
	memcpy(m->text, j->compare.difference, sizeof(m->text));
	say(j, CHECKED);
	return m->differs;
}

static int time_file(struct job *j, const char *name, const char *path)
{
	struct message *m = &j->message;
	int ret;

	start(j, name);
	memset(&m->timing, 0, sizeof(m->timing));
	ret = zsr_check_time(&j->compare, path, &m->timing, &m->err);
	if (ret)
		return zsr_err_wrap(&m->err, ret, "%s", name);
	say(j, TIMED_ONE);
	return 0;
}

/* Each of our sequences goes through a file, as those of others do. */
static int each_of_ours(struct job *j,
			const char *(*generate)(unsigned i, unsigned page_size,
						FILE *f),
			int (*run)(struct job *j, const char *name,
				   const char *path))
{
	char path[ZSR_CHECK_PATH + 256];
	const char *name;
	unsigned i;
	bool bad;
	FILE *f;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/sequence", j->build.dir);
	for (i = 0; !ret; i++) {
		f = fopen(path, "w");
		if (!f)
			return zsr_err_sys(&j->message.err, errno, "%s", path);
		name = generate(i, j->compare.page_size, f);
		bad = ferror(f) || (name && !*name);
		if (fclose(f) || bad)
			return zsr_err_sys(&j->message.err, errno, "%s", path);
		if (!name)
			break;
		ret = run(j, name, path);
	}
	return ret;
}

static int each_file(struct job *j, const char *const *files, unsigned nr,
		     int (*run)(struct job *j, const char *name,
				const char *path))
{
	unsigned i;
	int ret = 0;

	for (i = 0; !ret && i < nr; i++)
		ret = run(j, files[i], files[i]);
	return ret;
}

/* Those to be timed too: their ids are known to be in order then. */
static int compare_all(struct job *j)
{
	const struct zsr_check *c = j->check;
	int ret;

	if (c->nr_sequences)
		ret = each_file(j, c->sequences, c->nr_sequences, compare_file);
	else
		ret = each_of_ours(j, zsr_check_generate, compare_file);
	if (!ret && c->time)
		ret = each_file(j, c->timed_sequences, c->nr_timed_sequences,
				compare_file);
	return ret;
}

static int time_all(struct job *j)
{
	const struct zsr_check *c = j->check;

	if (c->nr_timed_sequences)
		return each_file(j, c->timed_sequences, c->nr_timed_sequences,
				 time_file);
	if (c->nr_sequences)
		return each_file(j, c->sequences, c->nr_sequences, time_file);
	return each_of_ours(j, zsr_check_generate_timed, time_file);
}

static int run_child(void *ctx, int fd)
{
	struct job *j = ctx;
	int ret;

	j->fd = fd;
	child_job = j;
	signal(SIGPIPE, SIG_IGN);
	ret = load(j, OBSERVED);
	if (!ret)
		ret = compare_all(j);
	if (!ret && j->check->time) {
		ret = load(j, TIMED);
		if (!ret)
			ret = time_all(j);
	}
	say(j, ret < 0 ? FAILED : DONE);
	return 0;
}

/* ---- in the parent ------------------------------------------------------------- */

/* 1 with a message, 0 at the end of them. */
static int hear(struct zsr_child *child, const struct zsr_signals *s,
		struct message *m, struct zsr_err *err)
{
	size_t got = 0;
	ssize_t n = 1;

	while (got < sizeof(*m) && n > 0) {
		n = zsr_child_read(child, s, (char *)m + got, sizeof(*m) - got,
				   err);
		got += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? (int)n : got == sizeof(*m);
}

static void pass_on(const struct zsr_check *c, struct message *m, bool *differs)
{
	if (m->what == STARTED)
		return;
	if (m->what == CHECKED) {
		*differs |= m->differs;
		c->checked(c->ctx,
			   &(struct zsr_check_result){
				   .name = m->name,
				   .ops = m->ops,
				   .rows = m->rows,
				   .difference = m->differs ? m->text : NULL });
	} else {
		m->timing.name = m->name;
		c->timed(c->ctx, &m->timing);
	}
}

static int run_job(struct job *j, const struct zsr_signals *s,
		   struct zsr_err *err)
{
	struct message *m = &j->message;
	struct zsr_child child;
	bool differs = false;
	int ret, status;

	memset(m, 0, sizeof(*m));
	ret = zsr_child_start(&child, s, run_child, j, err);
	if (ret)
		return ret;
	while ((ret = hear(&child, s, m, err)) > 0) {
		if (m->what == FAILED || m->what == DONE)
			break;
		pass_on(j->check, m, &differs);
	}
	status = zsr_child_end(&child);
	if (ret < 0)
		return ret;
	if (!ret)
		return zsr_err_input(
			err, "%s: the kernel's code went astray: %s", m->name,
			WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
					    : "its process ended");
	if (m->what == FAILED) {
		*err = m->err;
		return err->kind == ZSR_ERR_SYSTEM ? -EIO : -EINVAL;
	}
	return differs;
}

static int set_pool(struct job *j, struct zsr_err *err)
{
	const struct zsr_check *c = j->check;
	const struct zsr_model *m = zsr_model_find(j->build.release);

	if (!m)
		return zsr_err_input(err, "%s: no rules are known for kernel %s",
				     c->tree, j->build.release);
	j->compare.model = m;
	j->compare.page_size = c->page_size ? c->page_size : 4096;
	j->compare.chain_size = c->chain_size ? c->chain_size : m->default_chain;
	if (m->chain == ZSR_CHAIN_PERCENT && j->compare.chain_size != 4)
		return zsr_err_usage(err,
				     "kernel %s has chains of 4 pages, which "
				     "cannot be set",
				     j->build.release);
	return 0;
}

static int build_and_run(struct job *j, const struct zsr_signals *s,
			 struct zsr_err *err)
{
	const struct zsr_check *c = j->check;
	struct zsr_check_compare *p = &j->compare;
	int ret;

	ret = zsr_check_dir_make(&j->build, err);
	if (!ret)
		ret = zsr_check_prepare(&j->build, c->tree, err);
	if (!ret)
		ret = set_pool(j, err);
	if (!ret)
		ret = zsr_check_compile(&j->build, s, OBSERVED, true,
					p->page_size, p->chain_size, err);
	if (!ret && c->time)
		ret = zsr_check_compile(&j->build, s, TIMED, false,
					p->page_size, p->chain_size, err);
	if (ret)
		return ret;
	c->begin(c->ctx,
		 &(struct zsr_check_pool){ .release = j->build.release,
					   .model = p->model->name,
					   .page_size = p->page_size,
					   .chain_size = p->chain_size });
	return run_job(j, s, err);
}

int zsr_check_run(const struct zsr_check *c, struct zsr_err *err)
{
	struct job *j = calloc(1, sizeof(*j));
	struct zsr_signals signals;
	int ret;

	if (!j)
		return zsr_err_nomem(err, "check");
	j->check = c;
	zsr_signals_hold(&signals);
	ret = build_and_run(j, &signals, err);
	zsr_check_dir_remove(&j->build);
	zsr_signals_restore(&signals);
	free(j);
	return ret;
}
