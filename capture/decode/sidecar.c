// SPDX-License-Identifier: GPL-2.0-only
/* What lies beside a capture: statistics, probe definitions, snapshots. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/decode/decode.h"

#define MAX_SIDECARS 4096
#define MAX_SIDECAR  (DEC_MAX_META - 1024)

static const char *const snapshots[] = { "mm_stat", "io_stat", "classes",
					 "vmstat", "zswap" };

static bool is_snapshot(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(snapshots); i++)
		if (strlen(snapshots[i]) == len &&
		    !memcmp(snapshots[i], name, len))
			return true;
	return false;
}

/* "MARK.mm_stat" (in snap/) or "mm_stat.MARK" (beside the capture). */
static bool snapshot_key(const char *name, bool in_snap, char key[256])
{
	const char *dot = in_snap ? strrchr(name, '.') : strchr(name, '.');

	if (!dot || dot == name || !dot[1] || strlen(name) > 200)
		return false;
	if (in_snap) {
		if (!is_snapshot(dot + 1, strlen(dot + 1)))
			return false;
		snprintf(key, 256, "snap.%s", name);
		return true;
	}
	if (!is_snapshot(name, (size_t)(dot - name)))
		return false;
	snprintf(key, 256, "snap.%s.%.*s", dot + 1, (int)(dot - name), name);
	return true;
}

/* "stats0": the statistics of one cpu. */
static int stats_cpu(const char *name)
{
	if (strncmp(name, "stats", 5) || !isdigit((unsigned char)name[5]) ||
	    name[5 + strspn(name + 5, "0123456789")])
		return -1;
	return atoi(name + 5);
}

static bool is_probes(const char *name)
{
	return !strcmp(name, "probe_events.txt") ||
	       !strcmp(name, "kprobe_events.txt") ||
	       !strcmp(name, "kprobe_events") || !strcmp(name, "dynamic_events");
}

/* Whether NAME is of use here; only then is it read. */
static bool wanted(const char *name, bool in_snap, char key[256])
{
	if (snapshot_key(name, in_snap, key))
		return true;
	*key = '\0';
	return !in_snap &&
	       (!strcmp(name, "ringbuf_stats.txt") || stats_cpu(name) >= 0 ||
		is_probes(name) || !strcmp(name, "trace_clock") ||
		!strcmp(name, "osrelease"));
}

static void use(struct dec *d, const char *name, const char *key, char **text)
{
	char *open;

	if (*key) {
		if (**text)
			dec_out_meta(d->out, key, *text);
	} else if (!strcmp(name, "ringbuf_stats.txt")) {
		dec_stats_parse(d, *text, -1);
	} else if (stats_cpu(name) >= 0) {
		dec_stats_parse(d, *text, stats_cpu(name));
	} else if (is_probes(name)) {
		dec_out_meta(d->out, "probe", *text);
		free(d->probes);
		d->probes = *text;
		*text = NULL;
	} else if (!strcmp(name, "osrelease")) {
		dec_out_meta(d->out, "kernel.release", *text);
		d->have_release = true;
	} else if (!strcmp(name, "trace_clock")) {
		open = strchr(*text, '[');
		open = open ? open + 1 : *text;
		open[strcspn(open, "] \n")] = '\0';
		dec_out_meta(d->out, "clock", open);
	}
}

static int sidecar(struct dec *d, int dirfd, const char *dir, const char *name,
		   bool in_snap, struct zsr_err *err)
{
	char key[256], full[512], *text;
	size_t len;
	int ret;

	if (!wanted(name, in_snap, key))
		return 0;
	snprintf(full, sizeof(full), "%s/%s%s", dir, in_snap ? "snap/" : "",
		 name);
	ret = dec_file_text(dirfd, name, full, MAX_SIDECAR, &text, &len, err);
	if (ret)
		return dec_fault(d, ret, err);
	use(d, name, key, &text);
	free(text);
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int each(struct dec *d, int dirfd, const char *sub, const char *dir,
		struct zsr_err *err)
{
	bool in_snap = strcmp(sub, ".");
	struct dirent **names = NULL;
	int fd, n, i, ret = 0;

	fd = openat(dirfd, sub, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = scandirat(dirfd, sub, &names, NULL, by_name);
	if (n > MAX_SIDECARS)
		ret = zsr_err_input(err, "%s/%s: more than %u files", dir, sub,
				    MAX_SIDECARS);
	for (i = 0; i < n; i++) {
		if (!ret && names[i]->d_name[0] != '.')
			ret = sidecar(d, fd, dir, names[i]->d_name, in_snap,
				      err);
		free(names[i]);
	}
	free(names);
	close(fd);
	return ret;
}

int dec_sidecars(struct dec *d, int dirfd, const char *name, struct zsr_err *err)
{
	int ret = each(d, dirfd, ".", name, err);

	return ret ? ret : each(d, dirfd, "snap", name, err);
}
