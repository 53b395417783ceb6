// SPDX-License-Identifier: GPL-2.0-only
/* zsr calibrate: a machine profile of this machine. */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "replay/replay.h"
#include "synth/synth.h"

#define PAGE 4096u
#define SIZE (256u << 20) /* as in the published experiment */

struct args {
	char *out, *base, *rounds, *size, *sizes;
	int host;
};

/* Where sizes of objects come from. */
struct source {
	struct zsr_sizes sizes;
	struct zsr_rng rng;
};

static uint32_t draw(void *ctx)
{
	struct source *s = ctx;

	return zsr_sizes_draw(&s->sizes, PAGE, &s->rng);
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "zsr calibrate: %s\n", text);
}

static int options(const struct args *a, struct zsr_calibrate_opts *o,
		   struct source *s, struct zsr_err *err)
{
	uint64_t rounds = 0, size = SIZE;

	if (!a->host)
		return zsr_err_usage(err, "--host is missing: only the machine "
					  "that zsr runs on can be measured");
	if ((a->rounds &&
	     zsr_parse_u64(a->rounds, "--rounds", 1, 100000, &rounds, err)) ||
	    (a->size && zsr_parse_size(a->size, &size, err)) ||
	    zsr_sizes_parse(a->sizes ? a->sizes : "text", PAGE, &s->sizes, err))
		return -EINVAL;
	if (size < 4u << 20 || size > 16ull << 30)
		return zsr_err_usage(err, "--size: from 4M to 16G");
	*s = (struct source){ .sizes = s->sizes, .rng = { 1 } };
	*o = (struct zsr_calibrate_opts){ .base = a->base,
					  .rounds = (unsigned)rounds,
					  .objects = (uint32_t)(size / PAGE),
					  .draw = draw,
					  .warn = warn,
					  .ctx = s };
	return 0;
}

static int calibrate(const struct args *a, struct zsr_err *err)
{
	struct zsr_calibrate_opts o;
	struct zsr_outfile out;
	struct source s;
	char *text;
	int ret = options(a, &o, &s, err);

	if (ret)
		return ret;
	ret = zsr_outfile_open(&out, a->out ? a->out : "-", err);
	if (ret)
		return ret;
	ret = zsr_calibrate_host(&o, &text, err);
	if (ret) {
		zsr_outfile_abort(&out);
		return ret;
	}
	fputs(text, out.f);
	free(text);
	return zsr_outfile_close(&out, err);
}

int zsr_cmd_calibrate(int argc, const char **argv)
{
	struct args a = { 0 };
	const struct poptOption table[] = {
		{ "host", '\0', POPT_ARG_NONE, &a.host, 0,
		  "measure the machine this runs on", NULL },
		{ "output", 'o', POPT_ARG_STRING, &a.out, 0,
		  "profile to write (-)", "FILE" },
		{ "base", '\0', POPT_ARG_STRING, &a.base, 0,
		  "profile for what threads cannot measure (" ZSR_CALIBRATE_BASE
		  ")",
		  "PROFILE" },
		{ "size", 's', POPT_ARG_STRING, &a.size, 0,
		  "memory whose objects are gone through (256M)", "SIZE" },
		{ "sizes", '\0', POPT_ARG_STRING, &a.sizes, 0,
		  "sizes of objects, as in zsr synth (text)", "DIST" },
		{ "rounds", '\0', POPT_ARG_STRING, &a.rounds, 0,
		  "rounds of each figure (400)", "N" },
		POPT_TABLEEND
	};
	struct zsr_options o = { 0 };
	struct zsr_err err = { 0 };
	int ret = zsr_options_parse(&o, argc, argv, table,
				    "calibrate --host [OPTION...]", &err);

	if (ret > 0) {
		ret = 0;
		goto out;
	}
	if (!ret && o.nr_rest)
		ret = zsr_err_usage(&err,
				    "%s: calibration by a capture is not "
				    "to be had; expected --host alone",
				    o.rest[0]);
	if (!ret)
		ret = calibrate(&a, &err);
out:
	zsr_options_free(&o);
	free(a.out);
	free(a.base);
	free(a.size);
	free(a.sizes);
	free(a.rounds);
	return ret ? zsr_cmd_fail("calibrate", &err) : ZSR_EXIT_OK;
}
