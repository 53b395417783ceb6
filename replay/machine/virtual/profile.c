// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "replay/machine/virtual/profile.h"

#define MAX_PROFILE_BYTES (1u << 20)
#define MAX_COST_PS       1000000000000ull /* one second */

/* The shipped ones, put into the program by shipped.S. */
extern const char zsr_profile_rpi4b[], zsr_profile_rpi4b_end[];
extern const char zsr_profile_i7_12700[], zsr_profile_i7_12700_end[];

static const struct {
	const char *name;
	const char *text, *end;
} shipped[] = {
	{ "rpi4b", zsr_profile_rpi4b, zsr_profile_rpi4b_end },
	{ "i7-12700", zsr_profile_i7_12700, zsr_profile_i7_12700_end },
};

enum unit { UNIT_COUNT, UNIT_TIME, UNIT_SIZE, UNIT_PERMILLE, UNIT_SPEEDS };

/* One line that may stand in a profile. */
struct entry {
	const char *name;
	enum unit unit;
	uint64_t lo, hi;
	size_t offset; /* of its uint64_t in struct zsr_profile */
};

static const struct entry entries[] = {
#define X(n, text)                                                             \
	{ #n, UNIT_TIME, 0, MAX_COST_PS,                                       \
	  offsetof(struct zsr_profile, cost_ps) +                              \
		  ZSR_COST_##n * sizeof(uint64_t) },
	ZSR_COSTS(X)
#undef X
#define X(n, u, lo, hi, text)                                                  \
	{ #n, UNIT_##u, lo, hi, offsetof(struct zsr_profile, n) },
		ZSR_PROFILE_PARAMS(X)
#undef X
			{ "speed", UNIT_SPEEDS, 10, 10000,
			  offsetof(struct zsr_profile, speed) },
};

static uint64_t *slot(struct zsr_profile *p, const struct entry *e)
{
	return (uint64_t *)((char *)p + e->offset);
}

/* A number with up to three decimals, in thousandths. */
static int parse_milli(const char **s, uint64_t *milli)
{
	uint64_t v = 0;
	int decimals = -1;

	if (!isdigit((unsigned char)**s))
		return -EINVAL;
	for (; isdigit((unsigned char)**s) || (**s == '.' && decimals < 0);
	     (*s)++) {
		if (**s == '.') {
			decimals = 0;
			continue;
		}
		if (decimals >= 3 || v > UINT64_MAX / 100000)
			return -EINVAL;
		v = v * 10 + (unsigned)(**s - '0');
		decimals += decimals >= 0;
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 3; decimals++)
		v *= 10;
	*milli = v;
	return 0;
}

/* VALUE UNIT into ps, bytes or a count. */
static int parse_value(const struct entry *e, const char *s, uint64_t *out,
		       struct zsr_err *err)
{
	static const struct {
		const char *name;
		enum unit unit;
		uint64_t scale;
	} units[] = {
		{ "ps", UNIT_TIME, 1 },
		{ "ns", UNIT_TIME, 1000 },
		{ "us", UNIT_TIME, 1000000 },
		{ "ms", UNIT_TIME, 1000000000 },
		{ "s", UNIT_TIME, 1000000000000 },
		{ "", UNIT_COUNT, 1 },
		{ "permille", UNIT_PERMILLE, 1 },
		{ "KiB", UNIT_SIZE, 1024 },
		{ "MiB", UNIT_SIZE, 1024 * 1024 },
		{ "GiB", UNIT_SIZE, 1024 * 1024 * 1024 },
	};
	unsigned __int128 v;
	uint64_t milli;
	size_t i;

	if (parse_milli(&s, &milli))
		return zsr_err_input(err, "'%s' is no number with a unit", s);
	s += strspn(s, " \t");
	for (i = 0; i < ZSR_ARRAY_SIZE(units); i++)
		if (units[i].unit == e->unit && !strcmp(s, units[i].name))
			break;
	if (i == ZSR_ARRAY_SIZE(units))
		return zsr_err_input(err, "%s: '%s' is no unit for it", e->name,
				     s);
	v = (unsigned __int128)milli * units[i].scale;
	if (v % 1000 && units[i].scale < 1000)
		return zsr_err_input(err, "%s: not a whole number", e->name);
	v /= 1000;
	if (v < e->lo || v > e->hi)
		return zsr_err_input(err, "%s: out of range", e->name);
	*out = (uint64_t)v;
	return 0;
}

/* "1000, 1000, 520 permille": one a CPU, the last for all that follow. */
static int parse_speeds(const struct entry *e, char *s, uint64_t *out,
			struct zsr_err *err)
{
	const struct entry one = { e->name, UNIT_PERMILLE, e->lo, e->hi, 0 };
	char *unit = s + strspn(s, "0123456789., \t"), *word;
	char value[64];
	unsigned cpu = 0;
	int ret = 0;

	if (!*unit)
		return zsr_err_input(err, "%s: '%s' has no unit", e->name, s);
	word = strndupa(s, (size_t)(unit - s));
	for (s = strsep(&word, ","); s && !ret; s = strsep(&word, ",")) {
		if (cpu == ZSR_MAX_CPUS)
			return zsr_err_input(err, "%s: more than %d values",
					     e->name, ZSR_MAX_CPUS);
		s += strspn(s, " \t");
		snprintf(value, sizeof(value), "%s %s", s, unit);
		ret = parse_value(&one, value, &out[cpu++], err);
	}
	for (; cpu < ZSR_MAX_CPUS && cpu; cpu++)
		out[cpu] = out[cpu - 1];
	return ret;
}

/* Cut a line at its comment and trailing blanks; returns its first word. */
static char *trim(char *line)
{
	size_t n;

	line[strcspn(line, "#")] = '\0';
	n = strlen(line);
	while (n && isspace((unsigned char)line[n - 1]))
		line[--n] = '\0';
	return line + strspn(line, " \t");
}

static int parse_line(struct zsr_profile *p, char *line, bool *seen,
		      struct zsr_err *err)
{
	char *name = trim(line), *value;
	size_t i, len;

	if (!*name)
		return 0;
	value = strchr(name, '=');
	if (!value)
		return zsr_err_input(err, "'%s': expected name = value unit",
				     name);
	len = (size_t)(value - name);
	while (len && isspace((unsigned char)name[len - 1]))
		len--;
	for (value++; isspace((unsigned char)*value); value++)
		;
	for (i = 0; i < ZSR_ARRAY_SIZE(entries); i++)
		if (strlen(entries[i].name) == len &&
		    !memcmp(entries[i].name, name, len))
			break;
	if (i == ZSR_ARRAY_SIZE(entries))
		return zsr_err_input(err, "'%.*s' is no profile entry",
				     (int)len, name);
	if (seen[i])
		return zsr_err_input(err, "%s is given twice", entries[i].name);
	seen[i] = true;
	if (entries[i].unit == UNIT_SPEEDS)
		return parse_speeds(&entries[i], value, slot(p, &entries[i]),
				    err);
	return parse_value(&entries[i], value, slot(p, &entries[i]), err);
}

int zsr_profile_parse(const char *name, const char *text, struct zsr_profile *p,
		      struct zsr_err *err)
{
	bool seen[ZSR_ARRAY_SIZE(entries)] = { false };
	char *copy = strdup(text), *rest = copy, *line;
	unsigned nr = 0;
	size_t i;
	int ret = 0;

	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->text = strdup(text);
	if (!copy || !p->text)
		ret = zsr_err_nomem(err, "profile");
	while (!ret && (line = strsep(&rest, "\n"))) {
		nr++;
		ret = parse_line(p, line, seen, err);
		if (ret)
			zsr_err_wrap(err, ret, "line %u", nr);
	}
	for (i = 0; !ret && i < ZSR_ARRAY_SIZE(entries); i++)
		if (!seen[i])
			ret = zsr_err_input(err, "%s is missing",
					    entries[i].name);
	free(copy);
	if (ret) {
		zsr_profile_free(p);
		return zsr_err_wrap(err, ret, "profile %s", name);
	}
	return 0;
}

static bool is_path(const char *name)
{
	static const char ext[] = ".profile";
	size_t n = strlen(name), e = sizeof(ext) - 1;

	return strchr(name, '/') || (n > e && !strcmp(name + n - e, ext));
}

static int read_file(const char *path, char **text, struct zsr_err *err)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	size_t n;
	int ret = 0;

	*text = NULL;
	if (!f)
		return zsr_err_input(err, "profile %s: %s", path,
				     strerror(errno));
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode) ||
	    st.st_size > MAX_PROFILE_BYTES) {
		ret = zsr_err_input(err, "profile %s: not a text file", path);
		goto out;
	}
	*text = malloc((size_t)st.st_size + 1);
	if (!*text) {
		ret = zsr_err_nomem(err, "profile");
		goto out;
	}
	n = fread(*text, 1, (size_t)st.st_size, f);
	(*text)[n] = '\0';
	if (strlen(*text) != n)
		ret = zsr_err_input(err, "profile %s: not a text file", path);
out:
	fclose(f);
	return ret;
}

/* The profile's name: the file's stem. */
static void stem_of(const char *path, char *stem, size_t size)
{
	const char *base = strrchr(path, '/');
	char *dot;

	snprintf(stem, size, "%s", base ? base + 1 : path);
	dot = strrchr(stem, '.');
	if (dot && dot != stem)
		*dot = '\0';
}

int zsr_profile_load(const char *name, struct zsr_profile *p,
		     struct zsr_err *err)
{
	char stem[sizeof(p->name)];
	char *text = NULL;
	size_t i;
	int ret;

	if (is_path(name)) {
		ret = read_file(name, &text, err);
		stem_of(name, stem, sizeof(stem));
		if (!ret)
			ret = zsr_profile_parse(stem, text, p, err);
		free(text);
		return ret;
	}
	for (i = 0; i < ZSR_ARRAY_SIZE(shipped); i++) {
		if (strcmp(shipped[i].name, name))
			continue;
		text = strndup(shipped[i].text,
			       (size_t)(shipped[i].end - shipped[i].text));
		if (!text)
			return zsr_err_nomem(err, "profile");
		ret = zsr_profile_parse(name, text, p, err);
		free(text);
		return ret;
	}
	return zsr_err_usage(
		err,
		"no machine profile '%s'; shipped: rpi4b, "
		"i7-12700; a file is given as a path or NAME.profile",
		name);
}

void zsr_profile_free(struct zsr_profile *p)
{
	free(p->text);
	p->text = NULL;
}
