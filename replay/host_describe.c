// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "replay/host_player.h"

/* The first CPU's name as the kernel knows it, "" where it tells none. */
static void cpu_name(char *name, size_t len)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256], *value;

	*name = '\0';
	while (f && !*name && fgets(line, sizeof(line), f)) {
		value = strstr(line, ": ");
		if (!value || strncmp(line, "model name", 10))
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(name, len, "%s", value + 2);
	}
	if (f)
		fclose(f);
}

unsigned zsr_host_nr_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set)
		       ? 0
		       : (unsigned)CPU_COUNT(&set);
}

char *zsr_host_describe(const struct zsr_clock *clock)
{
	uint64_t overhead = zsr_ticks_ps(clock, clock->overhead);
	struct utsname u = { 0 };
	char name[200], *text;
	int n;

	cpu_name(name, sizeof(name));
	uname(&u);
	n = asprintf(
		&text,
		"# Measured on threads, not modelled.\n"
		"machine = %s %s\n"
		"cpu = %s\n"
		"cpus = %u\n"
		"kernel = %s %s\n"
		"clock = %s\n"
		"clock_read = %lu.%03lu ns # a reading\n"
		"clock_subtracted = %lu.%03lu ns # from each call: what two "
		"readings tell with nothing between\n",
		u.machine, *name ? "" : "(CPU not named)", name,
		zsr_host_nr_cpus(), u.sysname, u.release, clock->name,
		(unsigned long)clock->read_ps / 1000,
		(unsigned long)clock->read_ps % 1000,
		(unsigned long)overhead / 1000, (unsigned long)overhead % 1000);
	return n < 0 ? NULL : text;
}
