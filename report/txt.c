// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/txt.h"

/* Characters beyond ASCII become '?' where only ASCII is wanted. */
static void add(struct text_page *t, char *text)
{
	char *from = text, *to = text;

	for (; t->opts->ascii && *from; from++)
		if ((unsigned char)*from < 0x80)
			*to++ = *from;
		else if ((unsigned char)*from >= 0xc0)
			*to++ = '?';
	if (t->opts->ascii)
		*to = '\0';
	t->nomem |= zsr_lines_add(&t->out, "%s", text) != 0;
}

void txt_line(struct text_page *t, const char *fmt, ...)
{
	char *text, *end;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		t->nomem = true;
		return;
	}
	end = text + len;
	while (end > text && end[-1] == ' ')
		*--end = '\0';
	add(t, text);
	free(text);
}

void txt_flow(struct text_page *t, size_t indent, const char *fmt, ...)
{
	struct zsr_lines l = { 0 };
	va_list ap;
	char *text;
	size_t i;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0 || zsr_lines_wrap(&l, ZSR_MAIL_WIDTH, indent, text))
		t->nomem = true;
	for (i = 0; i < l.nr; i++)
		add(t, l.line[i]);
	zsr_lines_free(&l);
	if (len >= 0)
		free(text);
}

void txt_head(struct text_page *t, unsigned figure, const char *more)
{
	t->res->figures |= ZSR_FIGURE(figure);
	t->res->nr_pages++;
	if (t->out.nr)
		txt_line(t, "%s", "");
	txt_flow(t, 4, "== g%u  %s%s ==", figure, zsr_report_title(figure),
		 more);
	txt_flow(t, 0, "%s: %s; %s", t->cmp->trace, t->cmp->setting,
		 t->cmp->fidelity);
}

int txt_draw(const struct zsr_analysis *a, const struct zsr_report_opts *opts,
	     struct zsr_report_result *res, struct zsr_lines *out)
{
	struct text_page t = { .opts = opts, .res = res };
	const char *why;
	size_t i, k;

	for (k = 0; k < a->nr; k++) {
		t.cmp = &a->cmp[k];
		for (i = 0; i < nr_figures; i++) {
			if (!figure_wanted(opts, &figures[i]))
				continue;
			why = figures[i].missing ? figures[i].missing(t.cmp)
						 : NULL;
			if (!why)
				figures[i].text(&t);
			else if (leave_out(&res->left_out, t.cmp, &figures[i],
					   why))
				t.nomem = true;
		}
	}
	*out = t.out;
	return t.nomem ? -ENOMEM : 0;
}
