// SPDX-License-Identifier: GPL-2.0-only
#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "interop/timeline.h"

static const struct zsr_timeline_ops *const formats[] = {
	[ZSR_TIMELINE_CHROME] = &zsr_chrome_ops,
	[ZSR_TIMELINE_PERFETTO] = &zsr_perfetto_ops,
};

char *zsr_utf8(const char *s)
{
	return g_utf8_validate(s, -1, NULL) ? NULL : g_utf8_make_valid(s, -1);
}

int zsr_timeline_write(enum zsr_timeline_format format, const char *path,
		       int (*tell)(struct zsr_timeline *tl, void *ctx,
				   struct zsr_err *err),
		       void *ctx, struct zsr_err *err)
{
	struct zsr_timeline tl = { .ops = formats[format] };
	struct zsr_outfile file;
	int ret = zsr_outfile_open(&file, path, err);

	if (ret)
		return ret;
	tl.f = file.f;
	ret = tell(&tl, ctx, err);
	if (!ret)
		tl.ops->end(&tl);
	if (!ret && tl.nomem)
		ret = zsr_err_nomem(err, path);
	if (ret)
		zsr_outfile_abort(&file);
	else
		ret = zsr_outfile_close(&file, err);
	free(tl.buf);
	return ret;
}

static void about_add(struct zsr_about *a, char *name, char *text,
		      uint64_t number)
{
	if (name && !zsr_grow(&a->arg, &a->cap, a->nr + 1, sizeof(*a->arg))) {
		a->arg[a->nr++] = (struct zsr_arg){ name, text, number };
		return;
	}
	a->nomem = true;
	free(name);
	free(text);
}

void zsr_about_text(struct zsr_about *a, const char *name, const char *text)
{
	char *copy = strdup(text);

	about_add(a, copy ? strdup(name) : NULL, copy, 0);
}

void zsr_about_number(struct zsr_about *a, uint64_t number, const char *fmt, ...)
{
	char *name;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&name, fmt, ap) < 0)
		name = NULL;
	va_end(ap);
	about_add(a, name, NULL, number);
}

void zsr_about_free(struct zsr_about *a)
{
	size_t i;

	for (i = 0; i < a->nr; i++) {
		free((char *)a->arg[i].name);
		free((char *)a->arg[i].text);
	}
	free(a->arg);
}
