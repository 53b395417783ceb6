// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that fill memory, have it swapped out and release it together. Each
 * waits for a letter, does what it stands for and answers; so all are at rest
 * when a snapshot is taken.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/record/record.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define MAX_PROCS 1000

enum step {
	FILL = 'f',
	OUT = 'o',
	REFAULT = 'r',
	HOLES = 'h',
	UNMAP = 'u',
	EXIT = 'x',
};

struct answer {
	int32_t error;
	uint64_t ns;
	uint64_t bytes_swapped;
};

/* ---- in a process ------------------------------------------------------------- */

struct area {
	const struct zsr_workload *w;
	char *at;
	size_t page;
	size_t nr; /* pages */
	struct zsr_rng rng;
};

/* Bytes of a page that no compressor makes smaller; never so few that zram sees
 * one word repeated, which takes no object. */
static size_t noise(struct area *a)
{
	size_t page = a->page, least = page / 64;
	uint64_t r;

	switch (a->w->pages) {
	case ZSR_PAGES_SMALL:
		return least + zsr_rng_below(&a->rng, page / 8 - least);
	case ZSR_PAGES_LARGE:
		return page / 2 + zsr_rng_below(&a->rng, page / 2);
	case ZSR_PAGES_UNIFORM:
		return least + zsr_rng_below(&a->rng, page - least);
	case ZSR_PAGES_MIX:
		break;
	}
	r = zsr_rng_below(&a->rng, 100);
	if (r < 5)
		return page;
	if (r < 20)
		return page / 2 + zsr_rng_below(&a->rng, page / 2);
	return least + zsr_rng_below(&a->rng, page / 2 - least);
}

static void fill_page(struct area *a, char *p)
{
	size_t n = noise(a), i;
	uint64_t word;

	if (a->w->same && zsr_rng_below(&a->rng, 100) < a->w->same)
		n = 0;
	for (i = 0; i < n; i += 8) {
		word = zsr_rng_next(&a->rng);
		memcpy(p + i, &word, 8);
	}
	word = zsr_rng_next(&a->rng);
	for (; i < a->page; i += 8)
		memcpy(p + i, &word, 8);
}

static int fill(struct area *a)
{
	size_t i;

	a->at = mmap(NULL, a->nr * a->page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (a->at == MAP_FAILED)
		return errno;
	madvise(a->at, a->nr * a->page, MADV_NOHUGEPAGE);
	for (i = 0; i < a->nr; i++)
		fill_page(a, a->at + i * a->page);
	return 0;
}

/* Each of PERCENT of the pages: HOLES gives it up, else it is read or written. */
static int touch(struct area *a, unsigned percent, enum step step)
{
	volatile char *p;
	size_t i;

	for (i = 0; i < a->nr; i++) {
		if (zsr_rng_below(&a->rng, 100) >= percent)
			continue;
		p = a->at + i * a->page;
		if (step == HOLES) {
			if (madvise((char *)p, a->page, MADV_DONTNEED))
				return errno;
		} else if (i & 1) {
			*p = (char)(*p + 1);
		} else {
			(void)*p;
		}
	}
	return 0;
}

/* From smaps, where the kernel counts it for us. */
static uint64_t swapped(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long kb = 0;
	char line[200];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmSwap: %llu", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * 1024;
}

/* The first part of it. */
static void swap_out(struct area *a, struct answer *out)
{
	size_t pages = (size_t)(a->nr * (uint64_t)a->w->out / 100);
	uint64_t begin = zsr_clock_ns();

	if (pages && madvise(a->at, pages * a->page, MADV_PAGEOUT))
		out->error = errno;
	out->ns = zsr_clock_ns() - begin;
	out->bytes_swapped = swapped();
}

/* To the NRth of the CPUs we may use, and again from the first. */
static void pin_to(unsigned nr)
{
	cpu_set_t may, one;
	int cpu;

	if (sched_getaffinity(0, sizeof(may), &may))
		return;
	nr %= (unsigned)CPU_COUNT(&may);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && !nr--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void unmap(struct area *a, struct answer *out)
{
	uint64_t begin;

	out->bytes_swapped = swapped();
	zsr_record_mark("release-begin");
	begin = zsr_clock_ns();
	if (munmap(a->at, a->nr * a->page))
		out->error = errno;
	out->ns = zsr_clock_ns() - begin;
	zsr_record_mark("release-end");
}

/* Whatever the area holds goes with the process. */
static void leave(void)
{
	zsr_record_mark("release-begin");
	_exit(0);
}

static void process(const struct zsr_workload *w, unsigned nr, int in, int out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct area a = { .w = w, .page = page, .nr = w->bytes / page };
	char step;

	a.rng.state = w->seed * 1000003 + nr;
	if (w->pin)
		pin_to(nr % MAX_PROCS);
	while (read(in, &step, 1) == 1) {
		struct answer answer = { 0 };

		switch (step) {
		case FILL:
			answer.error = fill(&a);
			break;
		case OUT:
			swap_out(&a, &answer);
			break;
		case REFAULT:
			answer.error = touch(&a, w->refault, REFAULT);
			answer.bytes_swapped = swapped();
			break;
		case HOLES:
			answer.error = touch(&a, w->holes, HOLES);
			answer.bytes_swapped = swapped();
			break;
		case UNMAP:
			unmap(&a, &answer);
			break;
		case EXIT:
			leave();
		}
		if (write(out, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(1);
}

/* ---- all of them ------------------------------------------------------------------ */

struct proc {
	pid_t pid;
	int to;
	int from;
	char step; /* the next */
	bool released;
	uint64_t bytes_swapped;
	uint64_t out_ns; /* the first time */
	uint64_t bytes_out;
};

struct crew {
	const struct zsr_workload *w;
	struct proc *proc;
	unsigned nr;
	unsigned round;
	int (*fn)(void *ctx, const struct zsr_workload_release *r);
	void *ctx;
};

static int start_one(struct crew *c, struct proc *p, struct zsr_err *err)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC))
		return zsr_err_sys(err, errno, "pipe");
	if (pipe2(from, O_CLOEXEC)) {
		close(to[0]);
		close(to[1]);
		return zsr_err_sys(err, errno, "pipe");
	}
	fflush(stdout);
	p->pid = fork();
	if (!p->pid) {
		close(to[1]);
		close(from[0]);
		process(c->w, c->round * MAX_PROCS + c->nr, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	*p = (struct proc){ .pid = p->pid, .to = to[1], .from = from[0] };
	if (p->pid > 0) {
		c->nr++;
		return 0;
	}
	close(p->to);
	close(p->from);
	return zsr_err_sys(err, errno, "fork");
}

static int answer_of(struct proc *p, struct answer *a, struct zsr_err *err)
{
	if (read(p->from, a, sizeof(*a)) != sizeof(*a))
		return zsr_err_sys(err, ESRCH, "a process of the workload");
	if (a->bytes_swapped)
		p->bytes_swapped = a->bytes_swapped;
	return a->error ? zsr_err_sys(err, a->error, "a process of the workload")
			: 0;
}

static int tell(struct crew *c, unsigned i, uint64_t ns)
{
	struct proc *p = &c->proc[i];

	if (p->released)
		return 0;
	p->released = true;
	return c->fn(c->ctx, &(struct zsr_workload_release){
				     .round = c->round,
				     .proc = i,
				     .ns = ns,
				     .bytes_swapped = p->bytes_swapped,
				     .out_ns = p->out_ns,
				     .bytes_out = p->bytes_out,
			     });
}

static int answered(struct crew *c, unsigned i, struct zsr_err *err)
{
	struct proc *p = &c->proc[i];
	struct answer a;
	int ret = answer_of(p, &a, err);

	if (!ret && p->step == OUT && !p->out_ns) {
		p->out_ns = a.ns;
		p->bytes_out = a.bytes_swapped;
	}
	return ret || p->step != UNMAP ? ret : tell(c, i, a.ns);
}

/* In each process its own step, all at once; then a snapshot named after it. */
static int steps(struct crew *c, const char *name, struct zsr_err *err)
{
	char mark[60];
	int ret = 0, one;
	unsigned i;

	for (i = 0; i < c->nr; i++)
		if (write(c->proc[i].to, &c->proc[i].step, 1) != 1)
			return zsr_err_sys(err, errno, "pipe");
	for (i = 0; i < c->nr; i++) {
		one = answered(c, i, err);
		ret = ret ? ret : one;
	}
	snprintf(mark, sizeof(mark), "%s-r%u", name, c->round);
	return ret || !*name ? ret : zsr_record_snapshot(mark, err);
}

static int all(struct crew *c, enum step step, const char *name,
	       struct zsr_err *err)
{
	unsigned i;

	for (i = 0; i < c->nr; i++)
		c->proc[i].step = (char)step;
	return steps(c, name, err);
}

/* One after the other comes back, while who was there before goes out. */
static int take_turns(struct crew *c, struct zsr_err *err)
{
	unsigned turn, i;
	char name[40];
	int ret = 0;

	for (turn = 0; turn < c->w->turns && !ret; turn++) {
		snprintf(name, sizeof(name), "switch-%u", turn);
		for (i = 0; i < c->nr; i++)
			c->proc[i].step = i == turn % c->nr ? REFAULT : OUT;
		ret = steps(c, name, err);
	}
	return ret;
}

/* So calls of zs_free meet calls of zs_malloc. */
static int half_unmap(struct crew *c, struct zsr_err *err)
{
	unsigned i;

	for (i = 0; i < c->nr; i++)
		c->proc[i].step = i % 2 ? OUT : UNMAP;
	return steps(c, "half-unmapped", err);
}

static int all_exit(struct crew *c, struct zsr_err *err)
{
	uint64_t begin = zsr_clock_ns();
	char byte = EXIT, mark[60];
	unsigned i, left = c->nr;
	int status, ret = 0;
	pid_t pid;

	for (i = 0; i < c->nr; i++)
		if (write(c->proc[i].to, &byte, 1) != 1)
			return zsr_err_sys(err, errno, "pipe");
	while (left && !ret && (pid = waitpid(-1, &status, 0)) > 0) {
		for (i = 0; i < c->nr && c->proc[i].pid != pid; i++)
			;
		if (i == c->nr)
			continue;
		c->proc[i].pid = 0;
		left--;
		ret = tell(c, i, zsr_clock_ns() - begin);
	}
	snprintf(mark, sizeof(mark), "exited-r%u", c->round);
	return ret ? ret : zsr_record_snapshot(mark, err);
}

static void dismiss(struct crew *c)
{
	struct proc *p;

	while (c->nr) {
		p = &c->proc[--c->nr];
		close(p->to);
		close(p->from);
		if (p->pid <= 0)
			continue;
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
}

/* Everybody is at rest. */
static int compact(struct crew *c, struct zsr_err *err)
{
	const char *zram = getenv("ZSR_ZRAM");
	char mark[60];
	int ret;

	if (!zram || !*zram)
		return 0;
	ret = rec_write("1", "/sys/block/%s/compact", zram);
	if (ret)
		return zsr_err_sys(err, -ret, "compacting %s", zram);
	snprintf(mark, sizeof(mark), "compacted-r%u", c->round);
	return zsr_record_snapshot(mark, err);
}

static int run_round(struct crew *c, struct zsr_err *err)
{
	int ret = 0;

	while (!ret && c->nr < c->w->procs)
		ret = start_one(c, &c->proc[c->nr], err);
	if (!ret)
		ret = all(c, FILL, "", err);
	if (!ret)
		ret = all(c, OUT, "paged-out", err);
	if (!ret && c->w->turns)
		ret = take_turns(c, err);
	else if (!ret && c->w->refault)
		ret = all(c, REFAULT, "refaulted", err);
	if (!ret && c->w->holes)
		ret = all(c, HOLES, "fragmented", err);
	if (!ret && c->w->compact)
		ret = compact(c, err);
	if (!ret && c->w->end == ZSR_WORKLOAD_MIXED)
		ret = half_unmap(c, err);
	if (!ret && c->w->end == ZSR_WORKLOAD_MUNMAP)
		ret = all(c, UNMAP, "unmapped", err);
	else if (!ret)
		ret = all_exit(c, err);
	dismiss(c);
	return ret;
}

int zsr_workload_run(const struct zsr_workload *w,
		     int (*fn)(void *ctx, const struct zsr_workload_release *r),
		     void *ctx, struct zsr_err *err)
{
	struct crew c = { .w = w, .fn = fn, .ctx = ctx };
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	int ret = 0;

	if (!w->procs || w->procs > MAX_PROCS)
		return zsr_err_usage(err, "1 to %d processes", MAX_PROCS);
	if (w->bytes < (uint64_t)sysconf(_SC_PAGESIZE))
		return zsr_err_usage(err, "less than a page a process");
	c.proc = calloc(w->procs, sizeof(*c.proc));
	if (!c.proc)
		return zsr_err_nomem(err, "processes");
	for (c.round = 0; c.round < w->rounds && !ret; c.round++)
		ret = run_round(&c, err);
	free(c.proc);
	signal(SIGPIPE, before);
	return ret;
}
