// SPDX-License-Identifier: GPL-2.0-only
/* What is said about a capture beside its events. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture/record/record.h"

/* On one line: \n and \\ for line feed and backslash. */
static char *escape(const char *key, const char *value)
{
	char *line = malloc(strlen(key) + 2 * strlen(value) + 2), *p = line;

	if (!line)
		return NULL;
	p += sprintf(p, "%s=", key);
	for (; *value; value++) {
		if (*value == '\n' || *value == '\\')
			*p++ = '\\';
		*p++ = *value == '\n' ? 'n' : *value;
	}
	*p = '\0';
	return line;
}

int rec_fact(struct rec_facts *f, const char *key, const char *value,
	     struct zsr_err *err)
{
	if (!value || !*value)
		return 0;
	if (zsr_grow(&f->line, &f->cap, f->nr + 1, sizeof(*f->line)))
		return zsr_err_nomem(err, "facts");
	f->line[f->nr] = escape(key, value);
	if (!f->line[f->nr])
		return zsr_err_nomem(err, "facts");
	f->nr++;
	return 0;
}

static int fact_of_file(struct rec_facts *f, const char *key, const char *path,
			struct zsr_err *err)
{
	char *text = rec_read("%s", path);
	int ret = rec_fact(f, key, text, err);

	free(text);
	return ret;
}

/* The value of a line "NAME<separator> VALUE" of TEXT. */
static int fact_of_line(struct rec_facts *f, const char *key, const char *text,
			const char *name, char separator, struct zsr_err *err)
{
	const char *at = text ? strstr(text, name) : NULL;
	char value[200];

	if (at)
		at = strchr(at, separator);
	if (!at)
		return 0;
	at += 1 + strspn(at + 1, " \t");
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
	return rec_fact(f, key, value, err);
}

/* Of several places, as far as they are text. */
static char *kernel_config(const char *release)
{
	char *text = rec_read("/boot/config-%s", release);

	return text ? text : rec_read("/lib/modules/%s/config", release);
}

static int fact_of_zram(struct rec_facts *f, const char *zram, const char *name,
			struct zsr_err *err)
{
	char key[60], path[100];

	snprintf(key, sizeof(key), "zram.%s", name);
	snprintf(path, sizeof(path), "/sys/block/%s/%s", zram, name);
	return fact_of_file(f, key, path, err);
}

/* Of every one that it has. */
static int facts_of_zswap(struct rec_facts *f, struct zsr_err *err)
{
	static const char dir[] = "/sys/module/zswap/parameters";
	DIR *d = opendir(dir);
	char key[300], path[340];
	struct dirent *e;
	int ret = 0;

	while (d && !ret && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(key, sizeof(key), "zswap.%s", e->d_name);
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		ret = fact_of_file(f, key, path, err);
	}
	if (d)
		closedir(d);
	return ret;
}

/* Other devices' settings and numbers, at the end. */
static int facts_of_others(struct rec_facts *f, const char *zram,
			   struct zsr_err *err)
{
	static const char *const names[] = { "disksize", "comp_algorithm",
					     "mm_stat" };
	DIR *d = opendir("/sys/block");
	char key[300], path[340];
	struct dirent *e;
	int ret = 0;
	size_t i;

	while (d && !ret && (e = readdir(d)))
		for (i = 0; i < ZSR_ARRAY_SIZE(names) && !ret; i++) {
			if (strncmp(e->d_name, "zram", 4) ||
			    !strcmp(e->d_name, zram))
				continue;
			snprintf(key, sizeof(key), "other.%s.%s", e->d_name,
				 names[i]);
			snprintf(path, sizeof(path), "/sys/block/%s/%s",
				 e->d_name, names[i]);
			ret = fact_of_file(f, key, path, err);
		}
	if (d)
		closedir(d);
	return ret;
}

int rec_facts_machine(struct rec_facts *f, const char *zram, struct zsr_err *err)
{
	static const char *const files[][2] = {
		{ "machine.model", "/sys/firmware/devicetree/base/model" },
		{ "machine.governor",
		  "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor" },
		{ "machine.max_khz",
		  "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq" },
		{ "machine.min_khz",
		  "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq" },
		{ "machine.cur_khz",
		  "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq" },
		{ "machine.cpus_online", "/sys/devices/system/cpu/online" },
		{ "lru_gen", "/sys/kernel/mm/lru_gen/enabled" },
		{ "swappiness", "/proc/sys/vm/swappiness" },
		{ "page_cluster", "/proc/sys/vm/page-cluster" },
	};
	static const char *const of_zram[] = {
		"disksize",         "comp_algorithm", "recomp_algorithm",
		"algorithm_params", "mem_limit",      "max_comp_streams",
		"backing_dev",      "bd_stat",
	};
	char *cpuinfo = rec_read("/proc/cpuinfo"), number[24], *config;
	struct utsname u;
	size_t i;
	int ret;

	snprintf(number, sizeof(number), "%ld", sysconf(_SC_PAGESIZE));
	ret = rec_fact(f, "page_size", number, err);
	uname(&u);
	config = kernel_config(u.release);
	if (!ret)
		ret = fact_of_line(f, "chain_size", config,
				   "\nCONFIG_ZSMALLOC_CHAIN_SIZE=", '=', err);
	if (!ret)
		ret = rec_fact(f, "kernel.version", u.version, err);
	if (!ret)
		ret = fact_of_line(f, "machine.cpu", cpuinfo, "model name", ':',
				   err);
	if (!ret)
		ret = fact_of_line(f, "machine.cpu_part", cpuinfo, "CPU part",
				   ':', err);
	for (i = 0; i < ZSR_ARRAY_SIZE(files) && !ret; i++)
		ret = fact_of_file(f, files[i][0], files[i][1], err);
	if (!ret)
		ret = facts_of_zswap(f, err);
	if (!ret)
		ret = facts_of_others(f, zram, err);
	if (!ret && *zram)
		ret = rec_fact(f, "zram.name", zram, err);
	for (i = 0; i < ZSR_ARRAY_SIZE(of_zram) && *zram && !ret; i++)
		ret = fact_of_zram(f, zram, of_zram[i], err);
	free(cpuinfo);
	free(config);
	return ret;
}

int rec_facts_snapshots(struct rec_facts *f, const char *dir,
			struct zsr_err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char key[300], *text;
	int ret = 0;

	if (!d)
		return zsr_err_sys(err, errno, "%s", dir);
	while (!ret && (e = readdir(d))) {
		if (!strchr(e->d_name, '.') || e->d_name[0] == '.')
			continue;
		snprintf(key, sizeof(key), "snap.%s", e->d_name);
		text = rec_read("%s/%s", dir, e->d_name);
		ret = rec_fact(f, key, text, err);
		free(text);
	}
	closedir(d);
	return ret;
}

void rec_facts_free(struct rec_facts *f)
{
	while (f->nr)
		free(f->line[--f->nr]);
	free(f->line);
	*f = (struct rec_facts){ 0 };
}
