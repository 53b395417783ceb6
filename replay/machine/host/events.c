// SPDX-License-Identifier: GPL-2.0-only
/* Events that the system counts for a thread: perf_event_open(2). */
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "replay/machine/host/host.h"

#define MISSES(cache)                                                          \
	((cache) | PERF_COUNT_HW_CACHE_OP_READ << 8 |                          \
	 PERF_COUNT_HW_CACHE_RESULT_MISS << 16)

struct zsr_host_event zsr_host_event[ZSR_HOST_EVENTS] = {
	{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
	{ "cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES },
	{ "dtlb-misses", PERF_TYPE_HW_CACHE, MISSES(PERF_COUNT_HW_CACHE_DTLB) },
	{ "page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS },
};

/* The kernel's own part is not ours to see, as a rule. */
void zsr_host_events_open(struct zsr_host_events *e)
{
	struct perf_event_attr attr;
	unsigned i;
	int fd;

	for (i = 0; i < ZSR_HOST_EVENTS; i++) {
		attr = (struct perf_event_attr){
			.size = sizeof(attr),
			.type = zsr_host_event[i].type,
			.config = zsr_host_event[i].config,
			.exclude_kernel = 1,
			.exclude_hv = 1,
			.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
				       PERF_FORMAT_TOTAL_TIME_RUNNING,
		};
		fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
				  PERF_FLAG_FD_CLOEXEC);
		/* Others may read a thread's as soon as they are there. */
		__atomic_store_n(&e->fd[i], fd + 1, __ATOMIC_RELEASE);
	}
}

void zsr_host_events_close(struct zsr_host_events *e)
{
	unsigned i;

	for (i = 0; i < ZSR_HOST_EVENTS; i++)
		if (e->fd[i])
			close(e->fd[i] - 1);
	*e = (struct zsr_host_events){ 0 };
}

bool zsr_host_events_read(const struct zsr_host_events *e, unsigned i,
			  uint64_t *value)
{
	int fd = __atomic_load_n(&e->fd[i], __ATOMIC_ACQUIRE);
	uint64_t got[3]; /* value, time enabled, time counted */

	if (!fd || read(fd - 1, got, sizeof(got)) != sizeof(got) || !got[2])
		return false;
	*value = (uint64_t)((unsigned __int128)got[0] * got[1] / got[2]);
	return true;
}
