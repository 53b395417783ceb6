// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

int zsr_parse_size(const char *s, uint64_t *bytes, struct zsr_err *e)
{
	static const char units[] = "KMGT";
	const char *u;
	char *end;
	uint64_t v;
	unsigned shift = 0;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || end == s || !isdigit((unsigned char)*s))
		goto bad;
	if (*end && (u = strchr(units, toupper((unsigned char)*end)))) {
		shift = 10 * (unsigned)(u - units + 1);
		end++;
		if (*end == 'i')
			end++;
	}
	if (*end == 'B')
		end++;
	if (*end || (v << shift) >> shift != v)
		goto bad;
	*bytes = v << shift;
	return 0;
bad:
	return zsr_err_usage(e, "'%s' is no size (like 4096, 64K, 256M)", s);
}

int zsr_parse_u64(const char *s, const char *what, uint64_t min, uint64_t max,
		  uint64_t *out, struct zsr_err *e)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (errno || end == s || *end || !isdigit((unsigned char)*s))
		return zsr_err_usage(e, "%s: '%s' is no number", what, s);
	if (v < min || v > max)
		return zsr_err_usage(e,
				     "%s: %" PRIu64 " is not within %" PRIu64
				     " to %" PRIu64,
				     what, v, min, max);
	*out = v;
	return 0;
}

/*
 * A decimal number with up to 18 fractional digits times UNIT, in integers, so
 * that no rounding of a double enters a parameter.
 */
static int parse_scaled(const char *num, size_t len, uint64_t unit,
			uint64_t *out)
{
	uint64_t whole = 0, part = 0, scale = 1;
	bool frac = false, any = false;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned digit = (unsigned)(num[i] - '0');

		if (num[i] == '.' && !frac) {
			frac = true;
			continue;
		}
		if (digit > 9 || scale > UINT64_MAX / 20)
			return -EINVAL;
		any = true;
		if (frac) {
			part = part * 10 + digit;
			scale *= 10;
		} else if (__builtin_mul_overflow(whole, 10, &whole) ||
			   __builtin_add_overflow(whole, digit, &whole)) {
			return -EINVAL;
		}
	}
	if (!any || __builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(whole, zsr_mul_div(part, unit, scale), &whole))
		return -EINVAL;
	*out = whole;
	return 0;
}

int zsr_parse_ns(const char *s, uint64_t *ns, struct zsr_err *e)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "", 1 },
		      { "ns", 1 },
		      { "us", 1000 },
		      { "ms", 1000000 },
		      { "s", 1000000000 } };
	size_t len = strspn(s, "0123456789."), i;

	for (i = 0; i < ZSR_ARRAY_SIZE(units); i++)
		if (!strcmp(s + len, units[i].name) &&
		    !parse_scaled(s, len, units[i].ns, ns))
			return 0;
	return zsr_err_usage(e, "'%s' is no time (like 500, 3.5us, 10ms)", s);
}

/* Three significant digits: 1.23, 12.3, 123. */
static char *three_digits(char *buf, double v, const char *unit)
{
	snprintf(buf, ZSR_FMT_LEN, "%.*f %s",
		 v < 9.995   ? 2
		 : v < 99.95 ? 1
			     : 0,
		 v, unit);
	return buf;
}

char *zsr_fmt_size(char buf[ZSR_FMT_LEN], uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(buf, ZSR_FMT_LEN, "%" PRIu64 " B", bytes);
		return buf;
	}
	while (v >= 1023.5 && i + 1 < ZSR_ARRAY_SIZE(units)) {
		v /= 1024;
		i++;
	}
	return three_digits(buf, v, units[i]);
}

char *zsr_fmt_ns(char buf[ZSR_FMT_LEN], uint64_t ns)
{
	static const char *const units[] = { "us", "ms", "s" };
	double v = (double)ns / 1000;
	unsigned i = 0;

	if (ns < 1000) {
		snprintf(buf, ZSR_FMT_LEN, "%" PRIu64 " ns", ns);
		return buf;
	}
	while (v >= 999.5 && i + 1 < ZSR_ARRAY_SIZE(units)) {
		v /= 1000;
		i++;
	}
	return three_digits(buf, v, units[i]);
}

char *zsr_fmt_count(char buf[ZSR_FMT_LEN], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	char *p = buf;
	int i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return buf;
}
