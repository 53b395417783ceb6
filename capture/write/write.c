// SPDX-License-Identifier: GPL-2.0-only
/* A capture from records, in any of the formats. */
#include <stdlib.h>

#include "capture/write/write.h"

struct zsr_capture_out {
	struct wr_format f;
};

int zsr_capture_create(struct zsr_capture_out **out, const char *path,
		       enum zsr_capture_format format, struct zsr_err *err)
{
	struct zsr_capture_out *o = calloc(1, sizeof(*o));
	int ret;

	*out = NULL;
	if (!o)
		return zsr_err_nomem(err, "capture");
	ret = format == ZSR_CAPTURE_TEXT ? wr_text_new(path, &o->f, err)
					 : wr_dat_new(path, &o->f, err);
	if (ret) {
		free(o);
		return ret;
	}
	*out = o;
	return 0;
}

struct zsr_sink *zsr_capture_sink(struct zsr_capture_out *o)
{
	return &o->f.sink;
}

int zsr_capture_finish(struct zsr_capture_out *o, struct zsr_err *err)
{
	int ret = o->f.finish(o->f.sink.ctx, err);

	zsr_capture_abort(o);
	return ret;
}

void zsr_capture_abort(struct zsr_capture_out *o)
{
	if (!o)
		return;
	o->f.free(o->f.sink.ctx);
	free(o);
}
