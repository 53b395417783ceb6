// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names for columns: the policy; when it ran several times, the parameters
 * its runs differ in; and the settings in which the whole comparison differs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/values.h"

#define NR_SETTINGS 7

/* "cpus=4" and the like, of settings that are normally equal. */
/* "--load cpu=4 --offline 3@1ms" as "cpu=4 offline=3@1ms", nothing as
 * "unloaded". */
static void condition_words(const char *s, char *buf, size_t n)
{
	size_t at = 0, len;
	bool load;

	snprintf(buf, n, "unloaded");
	for (; *s == '-' && at < n; s += *s == ' ') {
		load = !strncmp(s, "--load ", 7);
		len = strcspn(s, " ");
		at += (size_t)snprintf(buf + at, n - at, "%s%.*s%s",
				       at ? " " : "", load ? 0 : (int)len - 2,
				       s + 2, load ? "" : "=");
		s += len + (s[len] == ' ');
		len = strcspn(s, " ");
		if (at < n)
			at += (size_t)snprintf(buf + at, n - at, "%.*s",
					       (int)len, s);
		s += len;
	}
}

static void setting(const struct zsr_column *c, unsigned i, char *buf, size_t n)
{
	switch (i) {
	case 0:
		snprintf(buf, n, "profile=%s", c->profile);
		break;
	case 1:
		snprintf(buf, n, "cpus=%" PRIu32, c->cpus);
		break;
	case 2:
		snprintf(buf, n, "seed=%" PRIu64, c->seed);
		break;
	case 3:
		snprintf(buf, n, "arrival=%s", c->arrival);
		break;
	case 4:
		snprintf(buf, n, "gaps=%s", c->gaps);
		break;
	case 5:
		snprintf(buf, n, "outer-lock=%s", c->outer_lock);
		break;
	default:
		condition_words(c->conditions, buf, n);
		break;
	}
}

static bool has_token(const char *list, const char *tok, size_t len)
{
	const char *p = list;

	while ((p = strstr(p, tok)) != NULL) {
		if ((p == list || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == '\0'))
			return true;
		p++;
	}
	return false;
}

static int append(char **label, const char *tok, size_t len)
{
	char *s;

	if (asprintf(&s, "%s %.*s", *label, (int)len, tok) < 0)
		return -ENOMEM;
	free(*label);
	*label = s;
	return 0;
}

/* Does any other run of the policy lack this parameter at this value? */
static bool token_differs(const struct zsr_compare *c, size_t me,
			  const char *tok, size_t len)
{
	char word[256];
	size_t i;

	if (len >= sizeof(word))
		return true;
	memcpy(word, tok, len);
	word[len] = '\0';
	for (i = 0; i < c->nr_cols; i++)
		if (i != me && !strcmp(c->col[i].policy, c->col[me].policy) &&
		    !has_token(c->col[i].params, word, len))
			return true;
	return false;
}

static int add_params(struct zsr_compare *c, size_t me)
{
	const char *p = c->col[me].params;

	for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		if (token_differs(c, me, p, len) &&
		    append(&c->col[me].label, p, len))
			return -ENOMEM;
		p += len;
	}
	return 0;
}

static bool engine_differs(const struct zsr_compare *c, size_t me)
{
	size_t i;

	for (i = 0; i < c->nr_cols; i++)
		if (!strcmp(c->col[i].policy, c->col[me].policy) &&
		    strcmp(c->col[i].engine, c->col[me].engine))
			return true;
	return false;
}

static int add_settings(struct zsr_compare *c)
{
	char first[600], buf[600];
	unsigned s;
	size_t i;

	for (s = 0; s < NR_SETTINGS; s++) {
		bool differs = false;

		setting(&c->col[0], s, first, sizeof(first));
		for (i = 1; i < c->nr_cols && !differs; i++) {
			setting(&c->col[i], s, buf, sizeof(buf));
			differs = strcmp(first, buf) != 0;
		}
		for (i = 0; i < c->nr_cols && differs; i++) {
			setting(&c->col[i], s, buf, sizeof(buf));
			if (append(&c->col[i].label, buf, strlen(buf)))
				return -ENOMEM;
		}
	}
	return 0;
}

/* What is still the same (repeats, profiles edited in place) gets its run
 * number, and failing that its place. */
static int add_numbers(struct zsr_compare *c)
{
	bool *same = calloc(c->nr_cols, sizeof(*same));
	char buf[32];
	size_t i, j;
	int ret = 0;

	if (!same)
		return -ENOMEM;
	for (i = 0; i < c->nr_cols; i++)
		for (j = 0; j < c->nr_cols && !same[i]; j++)
			same[i] = i != j &&
				  !strcmp(c->col[i].label, c->col[j].label);
	for (i = 0; i < c->nr_cols && !ret; i++) {
		if (!same[i])
			continue;
		if (c->col[i].id)
			snprintf(buf, sizeof(buf), "#%" PRId64, c->col[i].id);
		else
			snprintf(buf, sizeof(buf), "(%zu)", i + 1);
		ret = append(&c->col[i].label, buf, strlen(buf));
	}
	free(same);
	return ret;
}

int zsr_label_columns(struct zsr_compare *c)
{
	size_t i;

	for (i = 0; i < c->nr_cols; i++) {
		c->col[i].label = strdup(*c->col[i].policy ? c->col[i].policy
							   : "?");
		if (!c->col[i].label)
			return -ENOMEM;
	}
	for (i = 0; i < c->nr_cols; i++) {
		if (add_params(c, i))
			return -ENOMEM;
		if (engine_differs(c, i) &&
		    (append(&c->col[i].label, "engine", 6) ||
		     append(&c->col[i].label, c->col[i].engine,
			    strlen(c->col[i].engine))))
			return -ENOMEM;
	}
	if (add_settings(c))
		return -ENOMEM;
	return add_numbers(c);
}
