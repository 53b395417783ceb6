// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and texts that may leave a house: lists of what is known to say
 * nothing of it. All else is replaced, whatever it is.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "pack/private.h"

static bool listed(const char *word, size_t n, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == n && !memcmp(*list, word, n))
			return true;
	return false;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* ---- tasks ---------------------------------------------------------------- */

void pk_clean_comm(const char *comm, char to[32])
{
	/* Programs of captures and workloads, and threads of the kernel. */
	static const char *const known[] = {
		"zsr",    "wl",        "sh",     "hook",      "init", "mkswap",
		"swapon", "swapoff",   "munmap", "trace-cmd", "perf", "task",
		"stress", "stress-ng", "memhog", NULL
	};
	static const char *const threads[] = {
		"kworker",  "kswapd",     "kcompactd",  "ksoftirqd",
		"swapper",  "khugepaged", "rcu_sched",  "rcu_preempt",
		"kthreadd", "migration",  "oom_reaper", "kdamond",
		NULL
	};
	size_t i, n = strlen(comm);

	/* "munmap-3" is one of several. */
	while (n && isdigit((unsigned char)comm[n - 1]))
		n--;
	if (n && comm[n - 1] == '-' && strlen(comm) - n <= 4)
		n--;
	else
		n = strlen(comm);
	if (listed(comm, n, known)) {
		snprintf(to, 32, "%s", comm);
		return;
	}
	for (i = 0; threads[i]; i++)
		if (begins(comm, threads[i])) {
			snprintf(to, 32, "%s", threads[i]);
			return;
		}
	snprintf(to, 32, "task");
}

/* ---- marks ------------------------------------------------------------------ */

/* "paged-out", "unmapped-r0", "fragmented-r1-compacted". */
static bool is_phase(const char *s, size_t n)
{
	static const char *const words[] = {
		"start",  "begin",  "end",       "paged",      "out",
		"filled", "stored", "refaulted", "fragmented", "unmapped",
		"exited", "before", "after",     "compact",    "compacted",
		"idle",   "launch", "switch",    "back",       "gone",
		"other",  "r",      NULL
	};
	size_t i, k, w;

	for (i = 0; i < n; i += k + 1) {
		for (k = 0; i + k < n && s[i + k] != '-'; k++)
			;
		for (w = k; w && isdigit((unsigned char)s[i + w - 1]); w--)
			;
		if (!k || k - w > 4 || (w && !listed(s + i, w, words)))
			return false;
	}
	return n > 0;
}

void pk_clean_mark(const char *text, char *to, size_t size)
{
	/* What a replay makes of marks goes by how they begin. */
	static const char *const phased[] = { "snap:", "snapped:", "barrier:",
					      NULL };
	static const char *const plain[] = { "release-begin", "release-end",
					     "capture:begin", "capture:end",
					     NULL };
	size_t i, n;

	for (i = 0; phased[i]; i++) {
		n = strlen(phased[i]);
		if (!begins(text, phased[i]))
			continue;
		snprintf(to, size, "%s%s", phased[i],
			 is_phase(text + n, strlen(text + n)) ? text + n
							      : "other");
		return;
	}
	for (i = 0; plain[i] && !begins(text, plain[i]); i++)
		;
	snprintf(to, size, "%s", plain[i] ? plain[i] : "mark");
}

/* ---- pools and releases ----------------------------------------------------- */

void pk_clean_pool(const char *name, uint32_t nr, char *to, size_t size)
{
	static const char *const known[] = { "zram", "pool", "zswap", "", NULL };
	size_t n = strcspn(name, "0123456789");
	size_t digits = strspn(name + n, "0123456789");

	if (listed(name, n, known) && !name[n + digits] && digits <= 4)
		snprintf(to, size, "%s", name);
	else
		snprintf(to, size, "pool%u", nr);
}

/* Numbers of up to three digits, and what distributions call their builds. */
static bool is_build(const char *s, size_t n)
{
	static const char *const words[] = {
		"arm64",   "amd64",      "x86", "cloud",   "rt",
		"generic", "deb",        "bpo", "16k",     "4k",
		"64k",     "rpi",        "v7",  "v7l",     "v8",
		"2712",    "raspi",      "rc",  "android", "zsmoracle",
		"trunk",   "lowlatency", "gki", NULL
	};
	size_t w = n;

	if (listed(s, n, words))
		return true;
	while (w && isdigit((unsigned char)s[w - 1]))
		w--;
	return n - w <= 3 && (!w || (n > w && listed(s, w, words)));
}

void pk_clean_release(const char *release, char *to, size_t size)
{
	size_t at = 0, k;

	while (release[at]) {
		size_t start = at ? at + 1 : 0;

		k = 0;
		while (isalnum((unsigned char)release[start + k]))
			k++;
		if (!k || (at && !strchr("-+.~", release[at])) ||
		    !is_build(release + start, k))
			break;
		at = start + k;
	}
	snprintf(to, size, "%.*s", (int)zsr_min(at, size - 1), release);
}

/* ---- facts ------------------------------------------------------------------ */

/* Numbers and words of the kernel's tables, no long hexadecimal ones. */
static bool is_table(const char *value)
{
	size_t run = 0;

	for (; *value; value++) {
		if (!isalnum((unsigned char)*value) &&
		    !strchr(" \t\n._%()-", *value))
			return false;
		run = isxdigit((unsigned char)*value) ? run + 1 : 0;
		if (run > 15)
			return false;
	}
	return true;
}

static bool is_snapshot(const char *key)
{
	static const char *const files[] = { "mm_stat", "io_stat", "classes",
					     "vmstat",  "bd_stat", NULL };
	const char *dot = strrchr(key, '.');

	return begins(key, "snap.") && dot > key + 5 &&
	       is_phase(key + 5, (size_t)(dot - key - 5)) &&
	       listed(dot + 1, strlen(dot + 1), files);
}

static bool is_number(const char *value)
{
	return *value && strlen(value) < 16 &&
	       !value[strspn(value, "0123456789")];
}

/* What machines, compressors and modes are called. */
static bool is_words(const char *value)
{
	return *value && strlen(value) <= 80 &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789 ._-+,()[]@") == strlen(value);
}

bool pk_meta_allowed(const char *key, const char *value)
{
	static const char *const numbers[] = { "cpus",
					       "page_size",
					       "chain_size",
					       "format.version",
					       "seed",
					       "procs",
					       "size",
					       "swappiness",
					       "page_cluster",
					       "zram.disksize",
					       "zram.mem_limit",
					       "machine.max_khz",
					       NULL };
	static const char *const words[] = { "arch",
					     "clock",
					     "format",
					     "pass",
					     "lru_gen",
					     "machine.model",
					     "machine.cpu",
					     "probe.proved",
					     "machine.cpu_part",
					     "machine.governor",
					     "zswap.enabled",
					     "zram.comp_algorithm",
					     NULL };

	if (is_snapshot(key))
		return is_table(value);
	if (listed(key, strlen(key), numbers) ||
	    (begins(key, "ring.") &&
	     strspn(key + 5, "abcdefghijklmnopqrstuvwxyz"
			     "_.0123456789") == strlen(key + 5)))
		return is_number(value);
	return listed(key, strlen(key), words) && is_words(value);
}
