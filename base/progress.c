// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

#define NS_PER_S         1000000000ull
#define APPEARS_AFTER_NS NS_PER_S
#define REDRAW_NS        (NS_PER_S / 5)
#define MILLION          1000000

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t zsr_clock_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t zsr_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void zsr_progress_start(struct zsr_progress *p, const char *what,
			const char *unit, uint64_t total)
{
	*p = (struct zsr_progress){
		.what = what,
		.unit = unit,
		.total = total,
		.start_ns = zsr_clock_ns(),
		.tty = isatty(STDERR_FILENO),
	};
	p->last_ns = p->start_ns;
}

void zsr_progress_at(struct zsr_progress *p, uint64_t done)
{
	uint64_t now, elapsed;
	double rate;

	if (!p->tty)
		return;
	now = zsr_clock_ns();
	elapsed = now - p->start_ns;
	if (elapsed < APPEARS_AFTER_NS || now - p->last_ns < REDRAW_NS)
		return;
	p->last_ns = now;
	p->shown = true;
	rate = (double)done * NS_PER_S / (double)elapsed;
	fprintf(stderr, "\r%s: ", p->what);
	if (p->total)
		fprintf(stderr, "%3" PRIu64 " %%, ",
			zsr_mul_div(done, 100, p->total));
	if (done < MILLION)
		fprintf(stderr, "%" PRIu64 " %s, %.1f/s", done, p->unit, rate);
	else
		fprintf(stderr, "%.1f M %s, %.2f M/s", (double)done / MILLION,
			p->unit, rate / MILLION);
	if (p->total > done && rate > 0)
		fprintf(stderr, ", %.0f s left",
			(double)(p->total - done) / rate);
	fputs("\033[K", stderr);
	fflush(stderr);
}

void zsr_progress_finish(struct zsr_progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
