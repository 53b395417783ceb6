// SPDX-License-Identifier: GPL-2.0-only
/* Releases that belong together. */
#include <stdlib.h>

#include "analyze/burst.h"

/* The share of all objects that makes a burst the main one: 1 / this. */
#define MAIN_SHARE 4

struct item {
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t nr;
	struct zsr_burst_key key;
	uint64_t pause_ns; /* before it nobody released for this long */
};

static int cmp(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_task(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->key.task != y->key.task ? cmp(x->key.task, y->key.task)
					  : cmp(x->begin_ns, y->begin_ns);
}

static int by_begin(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->begin_ns != y->begin_ns ? cmp(x->begin_ns, y->begin_ns)
					  : by_task(a, b);
}

static int by_key(const void *a, const void *b)
{
	const struct zsr_burst_key *x = a, *y = b;

	return x->task != y->task ? cmp(x->task, y->task)
				  : cmp(x->ordinal, y->ordinal);
}

static int by_value(const void *a, const void *b)
{
	return cmp(*(const uint64_t *)a, *(const uint64_t *)b);
}

/* A run's releases by their begin, with their place in their task and the
 * pause before them. NULL: no memory, or none (then run->nr_releases is 0). */
static struct item *make_items(const struct zsr_run *run)
{
	size_t n = run->nr_releases, i;
	struct item *it = calloc(n + 1, sizeof(*it));
	uint64_t end = 0;

	if (!it)
		return NULL;
	for (i = 0; i < n; i++) {
		const struct zsr_release *r = &run->releases[i];

		it[i] = (struct item){ .begin_ns = r->begin_ns,
				       .end_ns = zsr_max(r->begin_ns, r->end_ns),
				       .nr = zsr_min(r->nr, UINT32_MAX),
				       .key.task = r->task };
	}
	qsort(it, n, sizeof(*it), by_task);
	for (i = 1; i < n; i++)
		if (it[i].key.task == it[i - 1].key.task)
			it[i].key.ordinal = it[i - 1].key.ordinal + 1;
	qsort(it, n, sizeof(*it), by_begin);
	for (i = 0; i < n; i++) {
		if (i && it[i].begin_ns > end)
			it[i].pause_ns = it[i].begin_ns - end;
		end = zsr_max(end, it[i].end_ns);
	}
	return it;
}

struct range {
	size_t from, to;
	uint64_t nr;
};

/* The burst of most objects when pauses up to `pause` are within one. */
static struct range largest(const struct item *it, size_t n, uint64_t pause)
{
	struct range best = { 0, 0, 0 }, now = { 0, 0, 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		if (it[i].pause_ns > pause)
			now = (struct range){ i, i, 0 };
		now.to = i + 1;
		now.nr += it[i].nr;
		if (now.nr > best.nr || !best.to)
			best = now;
	}
	return best;
}

/* The shortest pause that will do, by bisection over those there are. */
static int main_range(const struct item *it, size_t n, struct range *out)
{
	uint64_t *pause = calloc(n, sizeof(*pause)), total = 0;
	size_t lo = 0, hi = n - 1, i;

	if (!pause)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		pause[i] = it[i].pause_ns;
		total += it[i].nr;
	}
	qsort(pause, n, sizeof(*pause), by_value);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (largest(it, n, pause[mid]).nr >= total / MAIN_SHARE)
			hi = mid;
		else
			lo = mid + 1;
	}
	*out = largest(it, n, pause[lo]);
	free(pause);
	return 0;
}

int zsr_burst_find(const struct zsr_run *run, struct zsr_burst *burst)
{
	struct item *it = make_items(run);
	struct range r;
	int ret = -ENOMEM;
	size_t i;

	*burst = (struct zsr_burst){ .all = true };
	if (!it)
		return -ENOMEM;
	if (!run->nr_releases) {
		ret = 0;
		goto out;
	}
	if (main_range(it, run->nr_releases, &r))
		goto out;
	burst->key = calloc(r.to - r.from, sizeof(*burst->key));
	if (!burst->key)
		goto out;
	for (i = r.from; i < r.to; i++)
		burst->key[burst->nr++] = it[i].key;
	qsort(burst->key, burst->nr, sizeof(*burst->key), by_key);
	burst->all = burst->nr == run->nr_releases;
	ret = 0;
out:
	free(it);
	return ret;
}

int zsr_burst_span(const struct zsr_run *run, const struct zsr_burst *burst,
		   struct zsr_span *s)
{
	unsigned __int128 sum = 0;
	bool parted = false;
	struct item *it;
	size_t i;

	*s = (struct zsr_span){ .begin_ns = UINT64_MAX, .next_ns = UINT64_MAX };
	if (!run->nr_releases && run->v.tasks) {
		*s = (struct zsr_span){ run->v.first_release_ns,
					run->v.last_return_ns,
					run->v.last_return_ns, UINT64_MAX, 1 };
		return 0;
	}
	it = make_items(run);
	if (!it)
		return -ENOMEM;
	for (i = 0; i < run->nr_releases; i++) {
		if (!burst->nr || !bsearch(&it[i].key, burst->key, burst->nr,
					   sizeof(*burst->key), by_key))
			continue;
		parted |= s->nr && it[i].begin_ns > s->end_ns;
		s->begin_ns = zsr_min(s->begin_ns, it[i].begin_ns);
		s->end_ns = zsr_max(s->end_ns, it[i].end_ns);
		sum += it[i].end_ns;
		s->nr++;
	}
	s->mean_end_ns = UINT64_MAX;
	if (s->nr && !parted)
		s->mean_end_ns = (uint64_t)(sum / s->nr);
	for (i = 0; i < run->nr_releases && s->next_ns == UINT64_MAX; i++)
		if (it[i].begin_ns > s->end_ns)
			s->next_ns = it[i].begin_ns;
	free(it);
	return 0;
}
