// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <string.h>

#include "base/base.h"

static void set(struct zsr_err *e, enum zsr_err_kind kind, const char *fmt,
		va_list ap)
{
	e->kind = kind;
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
}

int zsr_err_usage(struct zsr_err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, ZSR_ERR_USAGE, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int zsr_err_input(struct zsr_err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, ZSR_ERR_INPUT, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int zsr_err_sys(struct zsr_err *e, int errnum, const char *fmt, ...)
{
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	set(e, ZSR_ERR_SYSTEM, fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", strerror(errnum));
	return -errnum;
}

int zsr_err_nomem(struct zsr_err *e, const char *what)
{
	return zsr_err_sys(e, ENOMEM, "%s", what);
}

int zsr_err_check(struct zsr_err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, ZSR_ERR_SYSTEM, fmt, ap);
	va_end(ap);
	return -EPROTO;
}

int zsr_err_wrap(struct zsr_err *e, int ret, const char *fmt, ...)
{
	char tail[sizeof(e->msg)];
	va_list ap;
	size_t len;

	memcpy(tail, e->msg, sizeof(tail));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", tail);
	return ret;
}
