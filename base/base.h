/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every room may use: errors, units, random numbers, digests,
 * histograms, progress. Nothing here knows what a trace is.
 *
 * Unless a comment says otherwise functions return 0 or -errno, fill the
 * struct zsr_err they are handed on failure, never print and never exit, and
 * may be called from any thread on data of that thread's own.
 */
#ifndef ZSR_BASE_H
#define ZSR_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ZSR_VERSION "0.1.0"

#define ZSR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ZSR_COLD              __attribute__((cold, noinline))
#define ZSR_ARRAY_SIZE(a)     (sizeof(a) / sizeof((a)[0]))

#define zsr_min(a, b) ((a) < (b) ? (a) : (b))
#define zsr_max(a, b) ((a) > (b) ? (a) : (b))

/* ---- errors -------------------------------------------------------- */

/* Who has to act on an error; maps to the exit codes of zsr(1). */
enum zsr_err_kind {
	ZSR_ERR_NONE = 0,
	ZSR_ERR_USAGE = 2, /* the command line */
	ZSR_ERR_INPUT = 3, /* a file, a trace, a database */
	ZSR_ERR_SYSTEM = 4, /* memory, disk, kernel */
};

/*
 * One error: a chain of causes in one line, outermost context first
 * ("import munmap.dat: cpu 2: page 17: size 70000 > page size"). A zeroed
 * struct is "no error". Messages longer than the buffer lose their end.
 */
struct zsr_err {
	enum zsr_err_kind kind;
	char msg[1000];
};

/* Set the root cause. Each returns a negative errno to return on:
 * usage and input -EINVAL, sys -errnum with its strerror text appended. */
int zsr_err_usage(struct zsr_err *e, const char *fmt, ...) ZSR_PRINTF(2, 3);
int zsr_err_input(struct zsr_err *e, const char *fmt, ...) ZSR_PRINTF(2, 3);
int zsr_err_sys(struct zsr_err *e, int errnum, const char *fmt, ...)
	ZSR_PRINTF(3, 4);
/* Out of memory while doing WHAT: a system error, -ENOMEM. */
int zsr_err_nomem(struct zsr_err *e, const char *what);
/* What must hold does not: a mistake in the program, or in a plug-in. Returns
 * -EPROTO. */
int zsr_err_check(struct zsr_err *e, const char *fmt, ...) ZSR_PRINTF(2, 3);
/* Prepend "context: " and return ret unchanged, for `return zsr_err_wrap(..)`. */
int zsr_err_wrap(struct zsr_err *e, int ret, const char *fmt, ...)
	ZSR_PRINTF(3, 4);

/* ---- numbers and units --------------------------------------------- */

/* "4096", "64K", "256M", "1G" (powers of 1024, optional i and B) to bytes. */
int zsr_parse_size(const char *s, uint64_t *bytes, struct zsr_err *e);
/* Plain decimal or 0x number within [min, max]; WHAT names it in the error. */
int zsr_parse_u64(const char *s, const char *what, uint64_t min, uint64_t max,
		  uint64_t *out, struct zsr_err *e);
/* "12", "3.5us", "10ms", "2s" (bare numbers are ns) to ns. */
int zsr_parse_ns(const char *s, uint64_t *ns, struct zsr_err *e);

/* Human forms into buf, which is returned; always NUL-terminated.
 * size: "24.5 MiB"; ns: "812 ns", "3.41 us", "17.2 ms"; count: "1,234,567". */
#define ZSR_FMT_LEN 32
char *zsr_fmt_size(char buf[ZSR_FMT_LEN], uint64_t bytes);
char *zsr_fmt_ns(char buf[ZSR_FMT_LEN], uint64_t ns);
char *zsr_fmt_count(char buf[ZSR_FMT_LEN], uint64_t n);

/* The high 64 bits of a * b, and floor(a * b / c) modulo 2^64, c > 0, where the
 * machine has no integers of 128 bits. */
static inline uint64_t zsr_mul_high_64(uint64_t a, uint64_t b)
{
	uint64_t mid = (a & UINT32_MAX) * (b & UINT32_MAX) >> 32;
	uint64_t more = (a >> 32) * (b & UINT32_MAX) + mid;

	mid = (a & UINT32_MAX) * (b >> 32) + (more & UINT32_MAX);
	return (a >> 32) * (b >> 32) + (more >> 32) + (mid >> 32);
}

static inline uint64_t zsr_mul_div_64(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t rest = zsr_mul_high_64(a, b) % c, low = a * b, n = 0;
	int i;

	for (i = 63; i >= 0; i--) {
		bool carry = rest >> 63;

		rest = rest << 1 | (low >> i & 1);
		n <<= 1;
		if (carry || rest >= c) {
			rest -= c;
			n |= 1;
		}
	}
	return n;
}

/* floor(a * b / c) without overflow of the product; c > 0. */
static inline uint64_t zsr_mul_div(uint64_t a, uint64_t b, uint64_t c)
{
#ifdef __SIZEOF_INT128__
	return (uint64_t)((unsigned __int128)a * b / c);
#else
	return zsr_mul_div_64(a, b, c);
#endif
}

/* ---- memory -------------------------------------------------------- */

/*
 * Grow the array *p of `elem`-byte elements so that it holds at least `need`;
 * *cap is its capacity in elements and at least doubles. New elements are
 * not initialised. Returns 0 or -ENOMEM with *p and *cap unchanged.
 */
int zsr_grow(void *p, size_t *cap, size_t need, size_t elem);

/* ---- random numbers ------------------------------------------------ */

/* splitmix64 (Steele, Lea, Flood 2014): the fixtures' generator too. */
struct zsr_rng {
	uint64_t state;
};

static inline uint64_t zsr_rng_next(struct zsr_rng *r)
{
	uint64_t z = (r->state += 0x9E3779B97F4A7C15ull);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return z ^ (z >> 31);
}

/* Uniform in [0, n), n > 0: high 64 bits of next * n. */
static inline uint64_t zsr_rng_below(struct zsr_rng *r, uint64_t n)
{
#ifdef __SIZEOF_INT128__
	return (uint64_t)(((unsigned __int128)zsr_rng_next(r) * n) >> 64);
#else
	return zsr_mul_high_64(zsr_rng_next(r), n);
#endif
}

/* ---- digests ------------------------------------------------------- */

/* Streaming SHA-256. Integers are hashed as 8 bytes little-endian, strings
 * with their length in front, so that no two inputs run together. */
struct zsr_sha {
	_Alignas(8) unsigned char state[256];
};
#define ZSR_SHA_HEX 65

void zsr_sha_init(struct zsr_sha *s);
void zsr_sha_bytes(struct zsr_sha *s, const void *p, size_t n);
void zsr_sha_u64(struct zsr_sha *s, uint64_t v);
void zsr_sha_str(struct zsr_sha *s, const char *str);
void zsr_sha_hex(struct zsr_sha *s, char hex[ZSR_SHA_HEX]); /* ends it */

/* ---- histograms ---------------------------------------------------- */

/*
 * Log-linear histogram of uint64_t values: exact below 64, above that 32
 * buckets per power of two, so a bucket's width is at most 1/32 (3.2 %) of
 * its lower bound. Fixed size, mergeable, no allocation.
 */
#define ZSR_HIST_BUCKETS (64 + 58 * 32)

struct zsr_hist {
	uint64_t count;
	uint64_t sum;
	uint64_t min; /* UINT64_MAX when empty */
	uint64_t max;
	uint64_t bucket[ZSR_HIST_BUCKETS];
};

static inline unsigned zsr_hist_index(uint64_t v)
{
	unsigned shift;

	if (v < 64)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) -
		5; /* v >> shift in [32, 64) */
	return 64 + (shift - 1) * 32 + (unsigned)(v >> shift) - 32;
}

void zsr_hist_init(struct zsr_hist *h);

static inline void zsr_hist_add(struct zsr_hist *h, uint64_t v)
{
	h->bucket[zsr_hist_index(v)]++;
	h->count++;
	h->sum += v;
	if (v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
}

void zsr_hist_merge(struct zsr_hist *into, const struct zsr_hist *from);
/* Bounds of a bucket: values v with low <= v <= high fall into it. */
uint64_t zsr_hist_low(unsigned bucket);
uint64_t zsr_hist_high(unsigned bucket);
/*
 * The quantile num/den (nearest rank: the ceil(count * num / den)-th smallest
 * value), reported as its bucket's upper bound clamped to max, so never too
 * low and at most 3.2 % too high. 0 for an empty histogram.
 */
uint64_t zsr_hist_quantile(const struct zsr_hist *h, uint64_t num, uint64_t den);

/* ---- progress ------------------------------------------------------ */

/*
 * A line on stderr that appears only when stderr is a terminal and the work
 * has taken over a second; total 0 = unknown. finish() wipes it. One thread.
 */
struct zsr_progress {
	const char *what; /* "import s01", borrowed */
	const char *unit; /* "events" */
	uint64_t total;
	uint64_t start_ns;
	uint64_t last_ns;
	bool tty;
	bool shown;
};

void zsr_progress_start(struct zsr_progress *p, const char *what,
			const char *unit, uint64_t total);
void zsr_progress_at(struct zsr_progress *p, uint64_t done);
void zsr_progress_finish(struct zsr_progress *p);

/* ---- files --------------------------------------------------------- */

/*
 * A new file that is at its path once it is closed, and only then; what was
 * there stays until then. "-" is standard output; what is no regular file (a
 * pipe, a device) is written to as it is. Whether writing to F went well is
 * seen when it is closed.
 */
struct zsr_outfile {
	FILE *f;
	char *path;
	char *temp; /* its name until then; NULL: it has none */
	bool special; /* written in place */
};

int zsr_outfile_open(struct zsr_outfile *w, const char *path,
		     struct zsr_err *err);
/* Free, also when they fail. The second is -EEXIST when there is a file. */
int zsr_outfile_close(struct zsr_outfile *w, struct zsr_err *err);
int zsr_outfile_close_new(struct zsr_outfile *w, struct zsr_err *err);
void zsr_outfile_abort(struct zsr_outfile *w);
/* A descriptor of a file without a name, on the disk where *w is. */
int zsr_outfile_scratch(const struct zsr_outfile *w, struct zsr_err *err);

/* CLOCK_MONOTONIC in ns. */
uint64_t zsr_clock_ns(void);
/* CPU time of the calling thread in ns: on a shared machine others take none
 * of it. */
uint64_t zsr_cpu_ns(void);

#endif
