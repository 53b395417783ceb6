// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU's pages as a stream of events, and the streams of all CPUs merged by
 * time. Memory is a block of pages a CPU, whatever the size of the file.
 */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "capture/decode/decode.h"

#define BLOCK     (64u << 10)
#define MAX_CHUNK (64u << 20)
/* Some clocks step back a little; more than a second is damage. */
#define BACKWARDS_MAX 1000000000ull

static int reserve(uint8_t **p, size_t *cap, size_t need, struct zsr_err *err)
{
	if (zsr_grow(p, cap, need, 1))
		return zsr_err_nomem(err, "pages");
	return 0;
}

static int fill_pages(struct dec_stream *s, struct zsr_err *err)
{
	size_t n = zsr_max(BLOCK / s->fmt.size, 1u) * (size_t)s->fmt.size;
	int ret;

	if (n > s->end - s->off)
		n = (size_t)(s->end - s->off);
	ret = reserve(&s->buf, &s->cap, n, err);
	if (!ret && n)
		ret = dec_file_read(s->file, s->off, s->buf, n, err);
	if (ret)
		return ret;
	s->off += n;
	s->used = n;
	return 0;
}

static int fill_chunk(struct dec_stream *s, struct zsr_err *err)
{
	uint32_t head[2], packed, plain;
	size_t n;
	int ret;

	if (!s->nr_chunks) {
		s->used = 0;
		if (s->end - s->off > sizeof(uint32_t))
			return zsr_err_input(err,
					     "%" PRIu64 " bytes behind the last"
					     " chunk",
					     s->end - s->off);
		return 0;
	}
	if (s->end - s->off < sizeof(head))
		return zsr_err_input(err, "truncated: %u chunks are missing",
				     s->nr_chunks);
	ret = dec_file_read(s->file, s->off, head, sizeof(head), err);
	if (ret)
		return ret;
	packed = le32toh(head[0]);
	plain = le32toh(head[1]);
	s->off += sizeof(head);
	if (packed > s->end - s->off)
		return zsr_err_input(err,
				     "chunk of %u bytes, %" PRIu64 " are left",
				     packed, s->end - s->off);
	if (plain > MAX_CHUNK || !plain || plain % s->fmt.size)
		return zsr_err_input(err,
				     "chunk of %u bytes is no number of "
				     "%u-byte pages",
				     plain, s->fmt.size);
	ret = reserve(&s->packed, &s->packed_cap, packed, err);
	if (!ret)
		ret = reserve(&s->buf, &s->cap, plain, err);
	if (!ret)
		ret = dec_file_read(s->file, s->off, s->packed, packed, err);
	if (ret)
		return ret;
	n = ZSTD_decompress(s->buf, plain, s->packed, packed);
	if (ZSTD_isError(n) || n != plain)
		return zsr_err_input(err, "damaged chunk: %s",
				     ZSTD_isError(n) ? ZSTD_getErrorName(n)
						     : "too short");
	s->off += packed;
	s->used = plain;
	s->nr_chunks--;
	return 0;
}

/*
 * A page is left for the next one only when the next event does not fit, so
 * what lies behind its data is empty or too small to matter. Else its length
 * was damaged and events would be dropped unseen.
 */
static int check_tail(const struct dec_page *before, const struct dec_page *p,
		      struct zsr_err *err)
{
	if (!before->dirty || p->missed || !p->first_len ||
	    before->room < p->first_len + 8)
		return 0;
	return zsr_err_input(err,
			     "%u bytes behind its data are not empty, though "
			     "the next event takes only %u",
			     before->room, p->first_len);
}

/* Returns 1, or 0 when there is no further page. */
static int next_page(struct dec_stream *s, struct zsr_err *err)
{
	struct dec_page before = s->page;
	int ret;

	s->at += s->nr_pages ? s->fmt.size : 0;
	if (s->at >= s->used) {
		s->at = 0;
		ret = s->chunked ? fill_chunk(s, err) : fill_pages(s, err);
		if (ret)
			return zsr_err_wrap(err, ret, "page %" PRIu64,
					    s->nr_pages);
		if (!s->used)
			return 0;
	}
	ret = dec_page_load(&s->page, &s->fmt, s->buf + s->at, err);
	if (ret)
		return zsr_err_wrap(err, ret, "page %" PRIu64, s->nr_pages);
	if (s->nr_pages++) {
		ret = check_tail(&before, &s->page, err);
		if (ret)
			return zsr_err_wrap(err, ret, "page %" PRIu64,
					    s->nr_pages - 2);
	}
	if (s->page.missed) {
		s->lost += s->page.missed_count;
		s->lost_unknown |= !s->page.missed_count;
	}
	if (s->nr_events && s->page.end != s->page.pos &&
	    s->page.t_ns + BACKWARDS_MAX < s->stamp) {
		ret = zsr_err_input(err,
				    "begins at %" PRIu64 ", the page before "
				    "ended at %" PRIu64,
				    s->page.t_ns, s->stamp);
		return zsr_err_wrap(err, ret, "page %" PRIu64, s->nr_pages - 1);
	}
	return 1;
}

static uint64_t to_ns(const struct dec_stream *s)
{
	return (uint64_t)(((unsigned __int128)s->stamp * s->mult) >> s->shift);
}

/* Returns 1 with the stream's next event, or 0 when it is over. */
static int advance(struct dec_stream *s, struct zsr_err *err)
{
	int ret;

	for (;;) {
		ret = dec_page_next(&s->page, &s->data, &s->len, err);
		if (ret > 0) {
			s->stamp = s->page.t_ns;
			s->t_ns = s->mult ? to_ns(s) : s->stamp;
			s->nr_events++;
			return 1;
		}
		if (ret < 0) {
			zsr_err_wrap(err, ret, "page %" PRIu64, s->nr_pages - 1);
			break;
		}
		ret = next_page(s, err);
		if (ret <= 0)
			break;
	}
	return ret < 0 ? zsr_err_wrap(err, ret, "%s", s->name) : 0;
}

static void deliver_lost(struct dec *d, struct dec_stream *s, uint64_t t_ns)
{
	if (s->lost)
		dec_lost(d, t_ns, s->cpu, s->lost);
	if (s->lost_unknown)
		dec_lost(d, t_ns, s->cpu, 0);
	s->nr_lost += s->lost;
	s->any_unknown |= s->lost_unknown;
	s->lost = 0;
	s->lost_unknown = false;
}

static int deliver(struct dec *d, struct dec_stream *s,
		   const struct dec_events *e, struct zsr_err *err)
{
	int ret;

	if (s->lost || s->lost_unknown)
		deliver_lost(d, s, s->t_ns);
	ret = dec_events_emit(d, e, s->cpu, s->t_ns, s->data, s->len, err);
	if (!ret)
		return 0;
	zsr_err_wrap(err, ret, "event %u", s->page.nr - 1);
	return zsr_err_wrap(err, ret, "%s: page %" PRIu64, s->name,
			    s->nr_pages - 1);
}

/* How many records the kernel had for whoever read its buffer: what was left
 * there when the statistics were taken, or all was read by then. */
static uint64_t expected(const struct dec_cpu_stats *st)
{
	if (!st->have)
		return 0;
	return st->entries ? st->entries : st->read;
}

/*
 * A stream is over: what the kernel counted as lost but could not say in the
 * data, and whether as many records came as it counted.
 */
static int finish(struct dec *d, struct dec_stream *s, bool stats,
		  uint64_t t_ns, struct zsr_err *err)
{
	const struct dec_cpu_stats *st = &d->stats[s->cpu];
	int ret;

	if (stats) {
		if (!s->any_unknown && !s->lost_unknown &&
		    st->overrun > s->nr_lost + s->lost)
			s->lost = st->overrun - s->nr_lost;
		s->lost += st->dropped + st->commit_overrun;
	}
	deliver_lost(d, s, t_ns);
	if (!stats || s->nr_events >= expected(st))
		return 0;
	ret = zsr_err_input(err,
			    "%s: cut short: %" PRIu64 " records, its statistics"
			    " count %" PRIu64,
			    s->name, s->nr_events, expected(st));
	return dec_fault(d, ret, err);
}

/* Cpus that have records by the statistics, but no data at all. */
static int missing(struct dec *d, const struct dec_stream *s, size_t nr,
		   struct zsr_err *err)
{
	unsigned cpu;
	int ret = 0;
	size_t i;

	for (cpu = 0; cpu < DEC_MAX_CPUS && !ret; cpu++) {
		if (!expected(&d->stats[cpu]))
			continue;
		for (i = 0; i < nr && s[i].cpu != cpu; i++)
			;
		if (i < nr)
			continue;
		ret = zsr_err_input(err,
				    "cpu %u: its data is missing, the "
				    "statistics count %" PRIu64 " records",
				    cpu, expected(&d->stats[cpu]));
		ret = dec_fault(d, ret, err);
	}
	return ret;
}

static inline bool before(const struct dec_stream *a, const struct dec_stream *b)
{
	if (a->t_ns != b->t_ns)
		return a->t_ns < b->t_ns;
	return a->cpu != b->cpu ? a->cpu < b->cpu : a < b;
}

static void sift_down(struct dec_stream **heap, size_t n, size_t i)
{
	for (;;) {
		size_t kid = 2 * i + 1;
		struct dec_stream *tmp;

		if (kid >= n)
			return;
		if (kid + 1 < n && before(heap[kid + 1], heap[kid]))
			kid++;
		if (!before(heap[kid], heap[i]))
			return;
		tmp = heap[i];
		heap[i] = heap[kid];
		heap[kid] = tmp;
		i = kid;
	}
}

/* The stream whose turn comes after the first one's. */
static struct dec_stream *second(struct dec_stream **heap, size_t n)
{
	if (n < 2)
		return NULL;
	return n > 2 && before(heap[2], heap[1]) ? heap[2] : heap[1];
}

static int merge(struct dec *d, struct dec_stream **heap, size_t n, bool stats,
		 const struct dec_events *e, uint64_t *last_ns,
		 struct zsr_err *err)
{
	size_t i;
	int ret;

	for (i = n / 2; i-- > 0;)
		sift_down(heap, n, i);
	while (n) {
		struct dec_stream *s = heap[0], *next = second(heap, n);

		do {
			ret = deliver(d, s, e, err);
			if (ret)
				return ret;
			*last_ns = s->t_ns;
			ret = advance(s, err);
		} while (ret > 0 && (!next || before(s, next)));
		if (ret < 0)
			return ret;
		if (!ret) {
			ret = finish(d, s, stats, s->t_ns, err);
			if (ret)
				return ret;
			heap[0] = heap[--n];
		}
		sift_down(heap, n, 0);
	}
	return 0;
}

int dec_streams_run(struct dec *d, struct dec_stream *s, size_t nr, bool stats,
		    const struct dec_events *e, struct zsr_err *err)
{
	struct dec_stream **heap = calloc(nr + 1, sizeof(*heap));
	uint64_t last_ns = 0;
	size_t n = 0, i;
	int ret;

	if (!heap)
		return zsr_err_nomem(err, "streams");
	d->started = true;
	ret = stats ? missing(d, s, nr, err) : 0;
	for (i = 0; i < nr && !ret; i++) {
		ret = advance(&s[i], err);
		if (ret > 0) {
			heap[n++] = &s[i];
			ret = 0;
		}
	}
	if (!ret)
		ret = merge(d, heap, n, stats, e, &last_ns, err);
	for (i = 0; i < nr && !ret; i++)
		if (!s[i].nr_events)
			ret = finish(d, &s[i], stats, last_ns, err);
	for (i = 0; i < nr; i++) {
		free(s[i].buf);
		free(s[i].packed);
	}
	free(heap);
	return ret;
}
