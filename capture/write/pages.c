// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into sub-buffers as the kernel's ring buffer fills them (their layout
 * stands in capture/decode/page.c). Pages lie in a file in the order in which
 * they became full; memory is one page a cpu and four bytes a page.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/write/write.h"

#define DATA        16 /* behind time stamp and commit word */
#define MISSED      (1u << 31)
#define STORED      (1u << 30)
#define DELTA_BITS  27
#define TYPE_EXTEND 30
#define SHORT_MAX   112 /* bytes that the type of an event can say */
#define MAX_CPUS    1024 /* what a reader takes */
#define NO_PAGE     UINT32_MAX

struct cpu {
	struct wr_cpu sum;
	uint8_t *page;
	unsigned used; /* of its data */
	uint64_t t_ns; /* of its last event */
	uint32_t flags;
	uint64_t missed; /* before the page */
	bool lost; /* before the next event */
	uint32_t first; /* of its pages in the file */
	uint32_t last;
};

struct wr_pages {
	unsigned size;
	int fd;
	struct cpu *cpu;
	unsigned nr_cpus;
	struct wr_cpu *sums;
	uint32_t *next; /* each page's follower on its cpu */
	size_t nr_pages;
	size_t cap;
};

int wr_pages_new(struct wr_pages **out, unsigned size, int fd,
		 struct zsr_err *err)
{
	struct wr_pages *p = calloc(1, sizeof(*p));

	*out = p;
	if (p)
		p->cpu = calloc(MAX_CPUS, sizeof(*p->cpu));
	if (!p || !p->cpu) {
		free(p);
		close(fd);
		*out = NULL;
		return zsr_err_nomem(err, "pages");
	}
	p->size = size;
	p->fd = fd;
	return 0;
}

void wr_pages_free(struct wr_pages *p)
{
	unsigned i;

	if (!p)
		return;
	for (i = 0; i < p->nr_cpus; i++)
		free(p->cpu[i].page);
	close(p->fd);
	free(p->cpu);
	free(p->sums);
	free(p->next);
	free(p);
}

static void put32(uint8_t *to, uint32_t v)
{
	v = htole32(v);
	memcpy(to, &v, sizeof(v));
}

static void put64(uint8_t *to, uint64_t v)
{
	v = htole64(v);
	memcpy(to, &v, sizeof(v));
}

static struct cpu *find_cpu(struct wr_pages *p, unsigned cpu,
			    struct zsr_err *err)
{
	if (cpu >= MAX_CPUS) {
		zsr_err_input(err, "cpu %u: only %u can be written", cpu,
			      MAX_CPUS);
		return NULL;
	}
	while (p->nr_cpus <= cpu)
		p->cpu[p->nr_cpus++].first = NO_PAGE;
	return &p->cpu[cpu];
}

static int write_page(struct wr_pages *p, const uint8_t *page,
		      struct zsr_err *err)
{
	size_t done = 0;

	while (done < p->size) {
		ssize_t n = pwrite(p->fd, page + done, p->size - done,
				   (off_t)(p->nr_pages * p->size + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return zsr_err_sys(err, n ? errno : EIO,
					   "temporary file");
		done += (size_t)n;
	}
	return 0;
}

/* The cpu's page goes as it is. */
static int flush(struct wr_pages *p, struct cpu *c, struct zsr_err *err)
{
	uint32_t commit = c->used | c->flags;
	int ret;

	if (!c->used)
		return 0;
	put64(c->page + 8, commit);
	if (c->flags & STORED)
		put64(c->page + DATA + c->used, c->missed);
	if (p->nr_pages == NO_PAGE ||
	    zsr_grow(&p->next, &p->cap, p->nr_pages + 1, sizeof(*p->next)))
		return zsr_err_nomem(err, "pages");
	ret = write_page(p, c->page, err);
	if (ret)
		return ret;
	p->next[p->nr_pages] = NO_PAGE;
	if (c->first == NO_PAGE)
		c->first = (uint32_t)p->nr_pages;
	else
		p->next[c->last] = (uint32_t)p->nr_pages;
	c->last = (uint32_t)p->nr_pages++;
	c->sum.nr_pages++;
	memset(c->page, 0, p->size);
	c->used = 0;
	c->flags = 0;
	c->missed = 0;
	return 0;
}

int wr_pages_lost(struct wr_pages *p, unsigned cpu, uint64_t count,
		  struct zsr_err *err)
{
	struct cpu *c = find_cpu(p, cpu, err);
	int ret = c ? flush(p, c, err) : -EINVAL;

	if (ret)
		return ret;
	/* One place that is not counted hides what others count. */
	c->missed = !count || (c->lost && !c->missed) ? 0 : c->missed + count;
	c->lost = true;
	c->sum.lost += count;
	c->sum.all_lost += count;
	return 0;
}

static int begin(struct wr_pages *p, struct cpu *c, uint64_t t_ns,
		 struct zsr_err *err)
{
	if (!c->page)
		c->page = calloc(1, p->size);
	if (!c->page)
		return zsr_err_nomem(err, "pages");
	put64(c->page, t_ns);
	c->t_ns = t_ns;
	if (c->lost)
		c->flags = MISSED | (c->missed ? STORED : 0);
	c->lost = false;
	c->sum.lost = 0;
	return 0;
}

/* Room for an event, the time extend it may need, and a count of losses. */
static bool fits(const struct wr_pages *p, const struct cpu *c, uint64_t t_ns,
		 unsigned len)
{
	unsigned need = c->used + 4 + len + (len > SHORT_MAX ? 4 : 0);

	if ((t_ns - c->t_ns) >> DELTA_BITS)
		need += 8;
	return need + (c->flags & STORED ? 8 : 0) <= p->size - DATA;
}

static uint8_t *head(struct cpu *c, unsigned type, uint32_t delta)
{
	uint8_t *to = c->page + DATA + c->used;

	put32(to, type | delta << 5);
	c->used += 4;
	return to + 4;
}

int wr_pages_event(struct wr_pages *p, unsigned cpu, uint64_t t_ns,
		   const void *data, unsigned len, struct zsr_err *err)
{
	struct cpu *c = find_cpu(p, cpu, err);
	uint64_t delta;
	uint8_t *to;
	int ret = 0;

	if (!c)
		return -EINVAL;
	if (len > p->size / 2)
		return zsr_err_input(err, "an event of %u bytes", len);
	if (c->used && !fits(p, c, t_ns, len))
		ret = flush(p, c, err);
	if (!ret && !c->used)
		ret = begin(p, c, t_ns, err);
	if (ret)
		return ret;
	delta = t_ns - c->t_ns;
	if (delta >> DELTA_BITS) {
		to = head(c, TYPE_EXTEND,
			  (uint32_t)delta & ((1u << DELTA_BITS) - 1));
		put32(to, (uint32_t)(delta >> DELTA_BITS));
		c->used += 4;
		delta = 0;
	}
	to = head(c, len > SHORT_MAX ? 0 : len / 4, (uint32_t)delta);
	if (len > SHORT_MAX) {
		put32(to, len + 4);
		to += 4;
		c->used += 4;
	}
	memcpy(to, data, len);
	c->used += len;
	c->t_ns = t_ns;
	c->sum.nr_events++;
	return 0;
}

int wr_pages_end(struct wr_pages *p, const struct wr_cpu **cpu, unsigned *nr,
		 struct zsr_err *err)
{
	unsigned i;
	int ret = 0;

	p->sums = calloc(p->nr_cpus + 1, sizeof(*p->sums));
	if (!p->sums)
		return zsr_err_nomem(err, "cpus");
	for (i = 0; i < p->nr_cpus && !ret; i++) {
		if (p->cpu[i].used)
			ret = flush(p, &p->cpu[i], err);
		p->sums[i] = p->cpu[i].sum;
	}
	*cpu = p->sums;
	*nr = p->nr_cpus;
	return ret;
}

int wr_pages_copy(struct wr_pages *p, FILE *to, struct zsr_err *err)
{
	uint8_t *page = malloc(p->size);
	unsigned i;
	uint32_t nr;
	int ret = page ? 0 : zsr_err_nomem(err, "pages");

	for (i = 0; i < p->nr_cpus && !ret; i++)
		for (nr = p->cpu[i].first; nr != NO_PAGE; nr = p->next[nr]) {
			if (pread(p->fd, page, p->size, (off_t)nr * p->size) !=
			    (ssize_t)p->size) {
				ret = zsr_err_sys(err, EIO, "temporary file");
				break;
			}
			if (!fwrite(page, p->size, 1, to))
				break; /* whoever closes it will see */
		}
	free(page);
	return ret;
}
