// SPDX-License-Identifier: GPL-2.0-only
/* Reads op sequences. What it is handed may be anything at all. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "replay/engine/seq.h"

#define MAX_LINE 64

/* Which of its two fields an op has. */
static const struct {
	char op;
	bool id;
	bool size;
} forms[] = {
	{ 'm', true, true },  { 'f', true, false },  { 'c', false, false },
	{ 'q', true, false }, { 'r', true, false },  { 'l', true, true },
	{ 'u', true, false }, { 'w', false, false },
};

static int fill(struct zsr_seq *s, struct zsr_err *err)
{
	const char *text;
	int code, n;

	n = gzread(s->gz, s->buf, sizeof(s->buf));
	text = gzerror(s->gz, &code);
	if (code == Z_ERRNO)
		return zsr_err_sys(err, errno, "%s", s->path);
	if (!strncmp(text, s->path, strlen(s->path)))
		text += strlen(s->path) + strspn(text + strlen(s->path), ": ");
	if (n < 0 || code == Z_BUF_ERROR)
		return zsr_err_input(err, "%s:%llu: damaged gzip data: %s",
				     s->path, (unsigned long long)s->line + 1,
				     text);
	s->at = 0;
	s->len = (unsigned)n;
	return n;
}

/* The next line without its end: its length, -ENODATA at the end of the file,
 * or another -errno with the error set. */
static int read_line(struct zsr_seq *s, char line[MAX_LINE], struct zsr_err *err)
{
	unsigned len = 0;
	int ret;
	char c;

	for (;;) {
		if (s->at == s->len) {
			ret = fill(s, err);
			if (ret < 0)
				return ret;
			if (!ret && !len)
				return -ENODATA;
			if (!ret)
				break;
		}
		c = s->buf[s->at++];
		if (c == '\n')
			break;
		if (len == MAX_LINE - 1 || !c) {
			s->line++;
			return zsr_seq_error(s, err, "%s",
					     c ? "line too long"
					       : "not a text file");
		}
		line[len++] = c;
	}
	if (len && line[len - 1] == '\r')
		len--;
	line[len] = '\0';
	s->line++;
	return (int)len;
}

/* A decimal number, or nothing, up to END, which is passed. */
static bool parse_field(const char **p, char end, bool wanted, uint64_t *v)
{
	const char *s = *p;

	*v = 0;
	for (; isdigit((unsigned char)*s); s++)
		if (__builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, (uint64_t)(*s - '0'), v))
			return false;
	if ((s != *p) != wanted || *s != end)
		return false;
	*p = s + 1;
	return true;
}

static bool parse_op(const char *line, struct zsr_seq_op *op)
{
	const char *p = line + 2;
	size_t i;

	op->op = line[0];
	for (i = 0; i < ZSR_ARRAY_SIZE(forms); i++)
		if (forms[i].op == line[0])
			return line[0] && line[1] == ',' &&
			       parse_field(&p, ',', forms[i].id, &op->id) &&
			       parse_field(&p, '\0', forms[i].size, &op->size);
	return false;
}

/* Other people's bytes, made fit for a terminal. */
static void printable(char *s)
{
	for (; *s; s++)
		if (!isprint((unsigned char)*s))
			*s = '?';
}

int zsr_seq_open(struct zsr_seq *s, const char *path, struct zsr_err *err)
{
	char line[MAX_LINE];
	int ret;

	s->path = path;
	s->line = 0;
	s->nr_ops = 0;
	s->at = s->len = 0;
	errno = 0;
	s->gz = gzopen(path, "rb");
	if (!s->gz)
		return zsr_err_sys(err, errno ? errno : ENOMEM, "%s", path);
	ret = read_line(s, line, err);
	if (ret == -ENODATA)
		ret = zsr_err_input(err, "%s: empty file", path);
	else if (ret >= 0 && strcmp(line, "op,id,size"))
		ret = zsr_seq_error(s, err,
				    "no op sequence: its first line is not "
				    "'op,id,size'");
	if (ret < 0) {
		zsr_seq_close(s);
		return ret;
	}
	return 0;
}

int zsr_seq_next(struct zsr_seq *s, struct zsr_seq_op *op, struct zsr_err *err)
{
	char line[MAX_LINE];
	int ret = read_line(s, line, err);

	if (ret == -ENODATA)
		return 0;
	if (ret < 0)
		return ret;
	if (!parse_op(line, op)) {
		printable(line);
		return zsr_seq_error(s, err, "'%s' is no op", line);
	}
	s->nr_ops++;
	return 1;
}

void zsr_seq_close(struct zsr_seq *s)
{
	if (s->gz)
		gzclose_r(s->gz);
	s->gz = NULL;
}
