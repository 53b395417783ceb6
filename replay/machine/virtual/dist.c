// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "replay/machine/virtual/dist.h"

#define MAX_NS   3600000000000ull /* an hour */
#define MAX_BINS 65536
#define ID       16 /* digits */

static const char file[] = "file:";

/* Quantile midpoints, exp(0.5 z), made once. */
const uint16_t zsr_lognormal[ZSR_DIST_POINTS] = {
	214,  256,  281,  300,  315,  329,  341,  351,  361,  370,  379,  387,
	395,  403,  410,  417,  423,  430,  436,  442,  448,  454,  460,  465,
	471,  476,  481,  486,  492,  497,  502,  506,  511,  516,  521,  525,
	530,  535,  539,  544,  548,  552,  557,  561,  566,  570,  574,  578,
	583,  587,  591,  595,  599,  603,  607,  611,  615,  620,  624,  628,
	632,  636,  640,  644,  648,  651,  655,  659,  663,  667,  671,  675,
	679,  683,  687,  691,  695,  699,  702,  706,  710,  714,  718,  722,
	726,  730,  734,  738,  742,  746,  749,  753,  757,  761,  765,  769,
	773,  777,  781,  785,  789,  793,  797,  801,  805,  809,  813,  818,
	822,  826,  830,  834,  838,  842,  846,  851,  855,  859,  863,  868,
	872,  876,  880,  885,  889,  893,  898,  902,  907,  911,  916,  920,
	925,  929,  934,  938,  943,  948,  952,  957,  962,  966,  971,  976,
	981,  986,  991,  996,  1001, 1006, 1011, 1016, 1021, 1026, 1031, 1037,
	1042, 1047, 1053, 1058, 1063, 1069, 1074, 1080, 1086, 1091, 1097, 1103,
	1109, 1115, 1121, 1127, 1133, 1139, 1145, 1152, 1158, 1164, 1171, 1178,
	1184, 1191, 1198, 1205, 1212, 1219, 1226, 1233, 1241, 1248, 1256, 1263,
	1271, 1279, 1287, 1295, 1303, 1312, 1320, 1329, 1338, 1347, 1356, 1365,
	1375, 1384, 1394, 1404, 1415, 1425, 1436, 1446, 1458, 1469, 1481, 1493,
	1505, 1517, 1530, 1543, 1557, 1571, 1585, 1600, 1615, 1631, 1647, 1664,
	1682, 1700, 1719, 1738, 1758, 1780, 1802, 1825, 1850, 1876, 1903, 1932,
	1963, 1996, 2032, 2070, 2112, 2158, 2208, 2265, 2328, 2402, 2488, 2593,
	2726, 2907, 3189, 3831,
};

void zsr_dist_spread(struct zsr_dist *d, uint64_t mean_ps, uint64_t spread)
{
	int32_t dev;
	unsigned i;

	for (i = 0; i < ZSR_DIST_POINTS; i++) {
		dev = ((int32_t)zsr_lognormal[i] - 1024) * (int32_t)spread /
		      1000;
		d->ps[i] = mean_ps * (uint32_t)(1024 + dev) >> 10;
	}
}

/* ---- from a histogram --------------------------------------------------- */

struct bin {
	uint64_t ns, count;
};

struct bins {
	struct bin *bin;
	size_t nr, cap;
	uint64_t total;
};

static int add_line(struct bins *b, char *line, struct zsr_err *err)
{
	struct bin n = { 0 };
	char extra;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t\r\n");
	if (!*line)
		return 0;
	if (sscanf(line, "%" SCNu64 " %" SCNu64 " %c", &n.ns, &n.count,
		   &extra) != 2 ||
	    strchr(line, '-'))
		return zsr_err_input(err, "expected `ns count`");
	if (n.ns > MAX_NS || n.count > UINT64_MAX / 1024 - b->total)
		return zsr_err_input(err, "a number is too large");
	if (b->nr && n.ns <= b->bin[b->nr - 1].ns)
		return zsr_err_input(err, "times must rise");
	if (b->nr == MAX_BINS)
		return zsr_err_input(err, "more than %d lines", MAX_BINS);
	if (zsr_grow(&b->bin, &b->cap, b->nr + 1, sizeof(*b->bin)))
		return zsr_err_nomem(err, "distribution");
	b->bin[b->nr++] = n;
	b->total += n.count;
	return 0;
}

/* Midpoint i is where (2 i + 1) / 512 of the draws are below. */
static void to_points(const struct bins *b, struct zsr_dist *d)
{
	uint64_t below = b->bin[0].count;
	size_t k = 0;
	unsigned i;

	for (i = 0; i < ZSR_DIST_POINTS; i++) {
		while ((unsigned __int128)below * 2 * ZSR_DIST_POINTS <
		       (unsigned __int128)b->total * (2 * i + 1))
			below += b->bin[++k].count;
		d->ps[i] = b->bin[k].ns * 1000;
	}
}

static int read_histogram(FILE *f, struct zsr_dist *d, struct zsr_err *err)
{
	struct bins b = { 0 };
	unsigned nr = 0;
	char line[256];
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), f)) {
		nr++;
		if (!strchr(line, '\n') && !feof(f))
			ret = zsr_err_input(err, "too long, or not text");
		else
			ret = add_line(&b, line, err);
		if (ret)
			zsr_err_wrap(err, ret, "line %u", nr);
	}
	if (!ret && ferror(f))
		ret = zsr_err_input(err, "%s", strerror(errno));
	if (!ret && !b.total)
		ret = zsr_err_input(err, "no line counts anything");
	if (!ret)
		to_points(&b, d);
	free(b.bin);
	return ret;
}

static void identity(const struct zsr_dist *d, char id[ID + 1])
{
	char hex[ZSR_SHA_HEX];
	struct zsr_sha sha;
	unsigned i;

	zsr_sha_init(&sha);
	for (i = 0; i < ZSR_DIST_POINTS; i++)
		zsr_sha_u64(&sha, d->ps[i]);
	zsr_sha_hex(&sha, hex);
	snprintf(id, ID + 1, "%.*s", ID, hex);
}

/* The "#ID" at the end of a file's text; NULL when there is none. */
static const char *wanted_id(const char *text)
{
	const char *at = strrchr(text, '#');

	if (at && strspn(at + 1, "0123456789abcdef") == ID && !at[1 + ID])
		return at;
	return NULL;
}

static int parse_file(const char *text, struct zsr_dist *d, struct zsr_err *err)
{
	const char *want = wanted_id(text);
	size_t len = want ? (size_t)(want - text) : strlen(text);
	char path[PATH_MAX], id[ID + 1];
	FILE *f;
	int ret;

	if (len >= sizeof(path))
		return zsr_err_input(err, "%s: the name is too long", text);
	memcpy(path, text, len);
	path[len] = '\0';
	f = fopen(path, "re");
	if (!f)
		return zsr_err_input(err, "%s: %s", path, strerror(errno));
	ret = read_histogram(f, d, err);
	fclose(f);
	if (ret)
		return zsr_err_wrap(err, ret, "%s", path);
	identity(d, id);
	if (want && strcmp(id, want + 1))
		return zsr_err_input(err, "%s: is distribution %s and not %s",
				     path, id, want + 1);
	return 0;
}

static int mean(const char *text, uint64_t *ns, struct zsr_err *err)
{
	int ret = zsr_parse_ns(text, ns, err);

	if (!ret && *ns > MAX_NS)
		ret = zsr_err_usage(err, "'%s' is more than an hour", text);
	return ret;
}

int zsr_dist_parse(const char *text, struct zsr_dist *d, struct zsr_err *err)
{
	static const char constant[] = "const:", lognormal[] = "lognormal:";
	uint64_t ns;
	int ret;

	if (!strncmp(text, file, sizeof(file) - 1))
		return parse_file(text + sizeof(file) - 1, d, err);
	if (!strncmp(text, constant, sizeof(constant) - 1)) {
		ret = mean(text + sizeof(constant) - 1, &ns, err);
		if (!ret)
			zsr_dist_spread(d, ns * 1000, 0);
		return ret;
	}
	if (!strncmp(text, lognormal, sizeof(lognormal) - 1)) {
		ret = mean(text + sizeof(lognormal) - 1, &ns, err);
		if (!ret)
			zsr_dist_spread(d, ns * 1000, 1000);
		return ret;
	}
	return zsr_err_usage(err,
			     "'%s': expected const:TIME, lognormal:TIME or "
			     "file:PATH",
			     text);
}

bool zsr_dist_name(const char *text, const struct zsr_dist *d, char *out,
		   size_t size)
{
	bool whole = strncmp(text, file, sizeof(file) - 1) || wanted_id(text);
	char id[ID + 1] = "";

	if (!whole)
		identity(d, id);
	return (size_t)snprintf(out, size, "%s%s%s", text, whole ? "" : "#",
				id) < size;
}
