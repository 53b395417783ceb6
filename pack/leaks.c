// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking for what should not leave a house: in texts by what it looks like,
 * in tables by what is not known to be harmless.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack/private.h"

struct found {
	int (*fn)(void *ctx, const char *leak);
	void *ctx;
	char where[200];
	bool prose; /* somebody wrote it: numbers are not counts */
	int ret;
};

static void tell(struct found *f, const char *what, const char *s, size_t n)
{
	char line[400];

	if (f->ret)
		return;
	snprintf(line, sizeof(line), "%s: %s: %.*s", f->where, what,
		 (int)zsr_min(n, (size_t)80), s);
	f->ret = f->fn(f->ctx, line);
}

/* ---- words of a line --------------------------------------------------------- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* A run of characters of a kind, and nothing of it before. */
static size_t run_of(const char *line, const char *p, int (*kind)(int))
{
	size_t n = 0;

	if (p > line && kind((unsigned char)p[-1]))
		return 0;
	while (kind((unsigned char)p[n]))
		n++;
	return n;
}

/* N hex digits of the upper half: 57 bits of address space at most. */
static bool is_address(const char *hex, size_t n)
{
	return (n >= 12 && n <= 16 && !strncasecmp(hex, "ffff", 4)) ||
	       (n == 16 && !strncasecmp(hex, "ff", 2));
}

/* Seconds or milliseconds since 1970, of this century's first half; sizes are
 * rounder, and have units. */
static bool is_time(const char *p, size_t n)
{
	const char *unit = p + n + strspn(p + n, " ");

	return (n == 10 || n == 13) && (*p == '1' ? p[1] >= '4' : *p == '2') &&
	       strtoull(p, NULL, 10) % 1024 && strncmp(unit, "ns", 2) &&
	       strncmp(unit, "us", 2) && strncmp(unit, "byte", 4) &&
	       strncmp(unit, "zs_", 3);
}

static void look_at_number(struct found *f, const char *line, const char *p)
{
	size_t hex = run_of(line, p, isxdigit), dec = run_of(line, p, isdigit);

	/* Behind 0x another run begins. */
	if (!strncasecmp(p, "0x", 2))
		hex = strspn(p += 2, "0123456789abcdefABCDEF");
	if (is_address(p, hex))
		tell(f, "a kernel address", p, hex);
	/* From 0xfff0000000000000 on. */
	if (dec == 20 && strncmp(p, "18442240474082181120", 20) >= 0)
		tell(f, "a kernel address", p, dec);
	if ((dec == 19 && *p == '1' && p[1] >= '5') ||
	    (f->prose && is_time(p, dec)))
		tell(f, "a time of day", p, dec);
}

static bool is_day(unsigned year, unsigned month, unsigned day)
{
	return year > 1969 && year < 2100 && month >= 1 && month <= 12 &&
	       day >= 1 && day <= 31;
}

/* "12.5.2026", "05/12/2026", "2026-05-12", "20260512". */
static void look_at_day(struct found *f, const char *line, const char *p)
{
	unsigned a, b, c;
	char s, t;
	int n = 0;

	if (p > line && isdigit((unsigned char)p[-1]))
		return;
	if (sscanf(p, "%4u%c%2u%c%2u%n", &a, &s, &b, &t, &c, &n) == 5 &&
	    n >= 8 && s == t && strchr("-/_.", s) && is_day(a, b, c))
		return tell(f, "a day", p, (size_t)n);
	if (sscanf(p, "%2u%c%2u%c%4u%n", &a, &s, &b, &t, &c, &n) == 5 &&
	    s == t && strchr("./-", s) && (is_day(c, b, a) || is_day(c, a, b)))
		return tell(f, "a day", p, (size_t)n);
	if (f->prose && run_of(line, p, isdigit) == 8 &&
	    sscanf(p, "%4u%2u%2u", &a, &b, &c) == 3 && a > 1999 &&
	    is_day(a, b, c) && strncmp(p + 8, " zs_", 4))
		tell(f, "a day", p, 8);
}

/* fe80::1 and the like. */
static void look_at_colons(struct found *f, const char *line, const char *p)
{
	size_t n = strspn(p, "0123456789abcdefABCDEF:"), i, colons = 0;
	bool twice = false, digit = false;

	if (p > line && (is_word(p[-1]) || p[-1] == ':'))
		return;
	for (i = 0; i < n; i++) {
		colons += p[i] == ':';
		twice |= p[i] == ':' && i && p[i - 1] == ':';
		digit |= isdigit((unsigned char)p[i]);
	}
	if (digit && !is_word(p[n]) && n > 4 &&
	    ((twice && colons < 8) || colons == 7))
		tell(f, "a network address", p, n);
}

/* "192.168.1.2", "10:31:07" and the like: groups of digits. */
static void look_at_groups(struct found *f, const char *line, const char *p)
{
	unsigned a, b, c, d;
	int n = 0;

	if (p > line && (is_word(p[-1]) || strchr(".:-/", p[-1])))
		return;
	if (sscanf(p, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &n) == 4 &&
	    zsr_max(zsr_max(a, b), zsr_max(c, d)) < 256 && !is_word(p[n]))
		tell(f, "a network address", p, (size_t)n);
	else if (sscanf(p, "%2u:%2u:%2u%n", &a, &b, &c, &n) == 3 && a < 24 &&
		 b < 60 && c < 61 && n >= 6 && p[n] != ':')
		tell(f, "a time of day", p, (size_t)n);
	if (sscanf(p, "%2x:%2x:%2x:%2x:%2x:%2x%n", &a, &a, &a, &a, &a, &a,
		   &n) == 6 &&
	    n == 17)
		tell(f, "a network address", p, 17);
}

static bool is_month(const char *p)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	size_t i;

	for (i = 0; i < 36; i += 3)
		if (!strncmp(p, months + i, 3))
			return true;
	return false;
}

/* "Nov 23", "23 November". */
static void look_at_month(struct found *f, const char *line, const char *p)
{
	const char *end = p, *q;

	if ((p > line && is_word(p[-1])) || !is_month(p))
		return;
	while (isalpha((unsigned char)*end))
		end++;
	for (q = end; *q == ' '; q++)
		;
	if (q > end && isdigit((unsigned char)*q) && strspn(q, "0123456789") <= 2)
		tell(f, "a day", p, (size_t)(q - p) + 2);
	for (q = p; q > line && q[-1] == ' '; q--)
		;
	if (q < p && q > line && isdigit((unsigned char)q[-1]) &&
	    (q - 1 == line || !isdigit((unsigned char)q[-2]) || q - 2 == line ||
	     !isdigit((unsigned char)q[-3])))
		tell(f, "a day", q - 1, (size_t)(end - q) + 1);
}

/* Names of machines and people, by what stands around them. */
static void look_at_name(struct found *f, const char *line, const char *p)
{
	static const char *const before[] = { "/home/",   "/Users/",  "/root/",
					      "hostname", "Hostname", NULL };
	static const char *const domains[] = { "local",       "lan",
					       "home",        "internal",
					       "localdomain", "corp",
					       "intranet",    NULL };
	size_t i, n;

	for (i = 0; before[i]; i++)
		if (!strncmp(p, before[i], strlen(before[i])))
			tell(f, "a name", p, strcspn(p, " \t\n"));
	for (i = 0; *p == '.' && domains[i]; i++) {
		n = strlen(domains[i]);
		if (p > line && is_word(p[-1]) &&
		    !strncmp(p + 1, domains[i], n) && !is_word(p[n + 1]))
			tell(f, "a host", p, n + 1);
	}
	if (*p == '@' && p > line && is_word(p[-1]) && is_word(p[1]))
		tell(f, "a person or host", p, strcspn(p, " \t\n>"));
	/* uname's line: Linux NAME 6.12.1 */
	if (!strncmp(p, "Linux ", 6) && isalpha((unsigned char)p[6])) {
		n = 6 + strcspn(p + 6, " ");
		if (isdigit((unsigned char)p[n] ? (unsigned char)p[n + 1] : 0) &&
		    strncmp(p + 6, "kernel ", 7) && strchr(p + n, '.') &&
		    strncmp(p + 6, "version ", 8))
			tell(f, "a host", p, n);
	}
}

static void look_at_pid(struct found *f, const char *line, const char *p)
{
	size_t n = 3;

	if (strncasecmp(p, "pid", 3) ||
	    (p > line && isalpha((unsigned char)p[-1])))
		return;
	n += strspn(p + n, " =:#");
	if (n > 3 && isdigit((unsigned char)p[n]))
		tell(f, "a PID", p, n + strspn(p + n, "0123456789"));
}

/* The machine that looks is often the one that captured. */
static void look_at_host(struct found *f, const char *line, const char *host)
{
	const char *p;
	size_t n = strlen(host);

	if (n < 4 || !strcmp(host, "localhost") || !strcmp(host, "debian"))
		return;
	for (p = strstr(line, host); p; p = strstr(p + n, host))
		if ((p == line || !is_word(p[-1])) && !is_word(p[n]))
			tell(f, "this host's name", p, n);
}

static void look_at_line(struct found *f, const char *line)
{
	char host[256] = "";
	const char *p;

	gethostname(host, sizeof(host) - 1);
	look_at_host(f, line, host);
	for (p = line; *p && !f->ret; p++) {
		if (isxdigit((unsigned char)*p)) {
			look_at_number(f, line, p);
			look_at_groups(f, line, p);
			look_at_day(f, line, p);
			look_at_colons(f, line, p);
		}
		look_at_month(f, line, p);
		look_at_name(f, line, p);
		look_at_pid(f, line, p);
	}
}

static int look_at_text(struct found *f, const char *text)
{
	char *copy = strdup(text), *line, *next;

	if (!copy)
		return -ENOMEM;
	for (line = copy; line && !f->ret; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		look_at_line(f, line);
	}
	free(copy);
	return f->ret;
}

int zsr_text_leaks(const char *where, const char *text,
		   int (*fn)(void *ctx, const char *leak), void *ctx)
{
	struct found f = { .fn = fn, .ctx = ctx, .prose = true };

	snprintf(f.where, sizeof(f.where), "%s", where);
	return look_at_text(&f, text);
}

/* ---- a pack ------------------------------------------------------------------- */

static void look_at_table(struct found *f, const struct pk_fact *fact)
{
	const char *v = fact->value;
	char clean[200];

	switch (fact->table) {
	case 't':
		if (fact->pid != fact->nr + 1) {
			snprintf(clean, sizeof(clean), "%d", fact->pid);
			tell(f, "a PID", clean, strlen(clean));
		}
		pk_clean_comm(v, clean);
		if (strcmp(clean, v))
			tell(f, "a command that is not on the list", v,
			     strlen(v));
		break;
	case 'p':
		pk_clean_pool(v, (uint32_t)fact->nr, clean, sizeof(clean));
		if (strcmp(clean, v))
			tell(f, "a pool's name", v, strlen(v));
		break;
	case 'm':
		pk_clean_mark(v, clean, sizeof(clean));
		if (strcmp(clean, v))
			tell(f, "a mark that is not on the list", v, strlen(v));
		break;
	case 'f':
		if (!pk_meta_allowed(fact->key, v))
			tell(f, "a fact that is not on the list", fact->key,
			     strlen(fact->key));
		break;
	}
}

static int look_at_fact(void *ctx, const struct pk_fact *fact,
			struct zsr_err *err)
{
	static const char *const names[] = {
		['t'] = "task", ['p'] = "pool", ['m'] = "mark", ['f'] = "fact", ['o'] = "odd"
	};
	struct found *f = ctx;

	snprintf(f->where, sizeof(f->where), "facts.txt: %s %.100s",
		 names[(unsigned char)fact->table], fact->key);
	look_at_table(f, fact);
	/* Snapshots are tables of numbers, of which any may look like a day. */
	if (!f->ret && fact->table != 'o' && strncmp(fact->key, "snap.", 5))
		look_at_text(f, fact->value);
	return f->ret;
}

static void look_at_manifest(struct found *f, const struct zsr_manifest *m)
{
	char clean[200];
	size_t i;

	for (i = 0; i < m->nr && !f->ret; i++) {
		const struct zsr_manifest_line *l = &m->line[i];

		snprintf(f->where, sizeof(f->where), "manifest.txt: %s", l->key);
		if (!strcmp(l->key, "kernel")) {
			pk_clean_release(l->value, clean, sizeof(clean));
			if (strcmp(clean, l->value))
				tell(f, "a kernel's own name", l->value,
				     strlen(l->value));
		}
		f->prose = !strcmp(l->key, "name") ||
			   !strncmp(l->key, "about.", 6);
		look_at_line(f, l->value);
	}
}

int pk_leaks(const struct zsr_manifest *m, const char *readme, const char *facts,
	     const char *results, int (*fn)(void *ctx, const char *leak),
	     void *ctx, struct zsr_err *err)
{
	struct found f = { .fn = fn, .ctx = ctx };
	int ret;

	look_at_manifest(&f, m);
	if (!f.ret)
		f.ret = zsr_text_leaks("README", readme, fn, ctx);
	f.prose = false;
	snprintf(f.where, sizeof(f.where), "results.txt");
	if (!f.ret)
		f.ret = look_at_text(&f, results);
	if (f.ret)
		return f.ret;
	ret = pk_facts_parse(facts, look_at_fact, &f, err);
	return f.ret ? f.ret : ret;
}
