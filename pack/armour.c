// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pack as text: base64 without padding between two lines, then a colon and
 * the SHA-256. Blanks, line ends, '>' and '|' mean nothing wherever they are,
 * so quoting and wrapping do no harm; nor does what quoted-printable makes of
 * line ends.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack/private.h"

#define BEGIN "-----BEGIN ZSR PACK-----"
#define END   "-----END ZSR PACK-----"
#define WIDTH 72
#define LIMIT (64u << 20) /* bytes of a pack in a mail */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			     "wxyz0123456789+/";

static uint64_t nr_digits(uint64_t len)
{
	return len / 3 * 4 + (len % 3 ? len % 3 + 1 : 0);
}

uint64_t zsr_armour_size(uint64_t len)
{
	uint64_t n = nr_digits(len);

	return strlen(BEGIN) + 1 + n + (n + WIDTH - 1) / WIDTH + 2 +
	       ZSR_SHA_HEX + strlen(END) + 1;
}

int zsr_armour_write(FILE *f, const void *data, size_t len)
{
	const uint8_t *p = data;
	char hex[ZSR_SHA_HEX];
	struct zsr_sha sha;
	uint64_t n = nr_digits(len), i;

	zsr_sha_init(&sha);
	zsr_sha_bytes(&sha, data, len);
	zsr_sha_hex(&sha, hex);
	fputs(BEGIN "\n", f);
	for (i = 0; i < n; i++) {
		uint64_t at = i / 4 * 3;
		uint32_t word = (uint32_t)p[at] << 16;

		word |= at + 1 < len ? (uint32_t)p[at + 1] << 8 : 0;
		word |= at + 2 < len ? p[at + 2] : 0;
		putc(digits[word >> (18 - 6 * (i % 4)) & 63], f);
		if ((i + 1) % WIDTH == 0 || i + 1 == n)
			putc('\n', f);
	}
	fprintf(f, ": %s\n" END "\n", hex);
	return ferror(f) ? -EIO : 0;
}

bool pk_armour_begins(const char *text, size_t len)
{
	return memmem(text, len, BEGIN, strlen(BEGIN)) != NULL;
}

/* ---- reading ---------------------------------------------------------------- */

struct reader {
	FILE *f;
	struct pk_text data;
	uint32_t word;
	unsigned nr; /* digits in word */
	char hex[ZSR_SHA_HEX];
	unsigned nr_hex;
	bool summed; /* the colon is behind us */
	size_t line;
	struct zsr_err *err;
};

static int put(struct reader *r, unsigned n)
{
	uint8_t b[3] = { (uint8_t)(r->word >> 16), (uint8_t)(r->word >> 8),
			 (uint8_t)r->word };

	if (r->data.len > LIMIT)
		return zsr_err_input(r->err, "the pack in the mail is too "
					     "long");
	r->word = 0;
	r->nr = 0;
	return pk_text_add(&r->data, b, n, r->err);
}

static int take_digit(struct reader *r, char c)
{
	const char *d = strchr(digits, c);

	if (!c || !d)
		return zsr_err_input(r->err,
				     "line %zu: the pack in the mail is "
				     "damaged",
				     r->line);
	r->word |= (uint32_t)(d - digits) << (18 - 6 * r->nr);
	return ++r->nr == 4 ? put(r, 3) : 0;
}

/* The digits that are left make one byte or two. */
static int end_digits(struct reader *r)
{
	r->summed = true;
	if (r->nr == 1)
		return zsr_err_input(r->err, "the pack in the mail is cut");
	return r->nr ? put(r, r->nr - 1) : 0;
}

static int take_char(struct reader *r, const char *p)
{
	char c = *p;

	if (strchr(">| \t\r\n", c))
		return 0;
	/* What quoted-printable puts at the end of a line that it breaks. */
	if (c == '=' && (p[1] == '\n' || p[1] == '\r'))
		return 0;
	if (c == ':' && !r->summed)
		return end_digits(r);
	if (!r->summed)
		return take_digit(r, c);
	if (!strchr("0123456789abcdef", c) || r->nr_hex == ZSR_SHA_HEX - 1)
		return zsr_err_input(r->err,
				     "line %zu: the checksum in the mail is "
				     "damaged",
				     r->line);
	r->hex[r->nr_hex++] = c;
	return 0;
}

static int check(struct reader *r)
{
	char hex[ZSR_SHA_HEX];
	struct zsr_sha sha;

	zsr_sha_init(&sha);
	zsr_sha_bytes(&sha, r->data.s, r->data.len);
	zsr_sha_hex(&sha, hex);
	if (!r->summed || strcmp(hex, r->hex))
		return zsr_err_input(r->err, "the pack in the mail is not what "
					     "was sent: its checksum differs");
	return 0;
}

static int read_lines(struct reader *r)
{
	char *line = NULL, *p;
	size_t cap = 0;
	bool inside = false;
	int ret = 0;

	while (!ret && getline(&line, &cap, r->f) >= 0) {
		r->line++;
		if (!inside) {
			inside = strstr(line, BEGIN) != NULL;
			continue;
		}
		if (strstr(line, END)) {
			ret = check(r);
			goto out;
		}
		for (p = line; *p && !ret; p++)
			ret = take_char(r, p);
	}
	if (!ret)
		ret = zsr_err_input(r->err, "the mail ends within the pack");
out:
	free(line);
	return ret;
}

static int to_file(struct reader *r, int *out)
{
	FILE *tmp = tmpfile();
	int ret = 0;

	if (!tmp || fwrite(r->data.s, 1, r->data.len, tmp) != r->data.len ||
	    fflush(tmp) || (*out = dup(fileno(tmp))) < 0)
		ret = zsr_err_sys(r->err, errno, "temporary file");
	else
		lseek(*out, 0, SEEK_SET);
	if (tmp)
		fclose(tmp);
	return ret;
}

int pk_armour_read(int fd, int *out, struct zsr_err *err)
{
	struct reader r = { .err = err };
	int copy = dup(fd), ret = pk_text_add(&r.data, "", 0, err);

	r.f = copy < 0 ? NULL : fdopen(copy, "r");
	if (!r.f)
		ret = zsr_err_sys(err, errno, "mail");
	if (!ret)
		ret = read_lines(&r);
	if (!ret)
		ret = to_file(&r, out);
	if (r.f)
		fclose(r.f);
	free(r.data.s);
	return ret;
}
