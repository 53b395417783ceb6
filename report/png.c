// SPDX-License-Identifier: GPL-2.0-only
/*
 * PNGs with a palette, a third of those in full colour: figures have a few
 * colours, and the shades their edges make of them.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "report/page.h"

#define BITS       4 /* of each part, to tell colours apart by */
#define NR_BINS    (1 << 3 * BITS)
#define NR_COLORS  256
#define CHUNK_SIZE 32768

/* Colours that are alike. */
struct bin {
	uint64_t nr, sum[3];
	unsigned place; /* in the palette */
};

struct palette {
	unsigned char rgb[NR_COLORS][3];
	unsigned nr;
	struct bin *bin;
};

static unsigned part(uint32_t px, unsigned i)
{
	return px >> (16 - 8 * i) & 255;
}

static unsigned bin_of(uint32_t px)
{
	unsigned i, n = 0;

	for (i = 0; i < 3; i++)
		n = n << BITS | part(px, i) >> (8 - BITS);
	return n;
}

static const uint32_t *row_of(cairo_surface_t *s, int y)
{
	const unsigned char *data = cairo_image_surface_get_data(s);

	return (const uint32_t
			*)(const void *)(data +
					 (size_t)y *
						 (size_t)cairo_image_surface_get_stride(
							 s));
}

static int distance(const unsigned char *a, const unsigned char *b)
{
	int i, d, sum = 0;

	for (i = 0; i < 3; i++) {
		d = a[i] - b[i];
		sum += d * d;
	}
	return sum;
}

/* The bin with most pixels that has no place yet; NULL: none has any. */
static struct bin *largest(struct bin *bin)
{
	struct bin *b, *best = NULL;

	for (b = bin; b < bin + NR_BINS; b++)
		if (b->nr && b->place == NR_COLORS && (!best || b->nr > best->nr))
			best = b;
	return best;
}

static void mean_color(const struct bin *b, unsigned char rgb[3])
{
	unsigned i;

	for (i = 0; i < 3; i++)
		rgb[i] = (unsigned char)((b->sum[i] + b->nr / 2) / b->nr);
}

/* The most frequent colours, and for each other one the nearest of them. */
static void choose(struct palette *p)
{
	unsigned char rgb[3];
	struct bin *b;
	unsigned i;

	for (; p->nr < NR_COLORS && (b = largest(p->bin)); p->nr++) {
		mean_color(b, p->rgb[p->nr]);
		b->place = p->nr;
	}
	for (b = p->bin; b < p->bin + NR_BINS; b++) {
		if (!b->nr || b->place < NR_COLORS)
			continue;
		mean_color(b, rgb);
		for (b->place = 0, i = 1; i < p->nr; i++)
			if (distance(rgb, p->rgb[i]) <
			    distance(rgb, p->rgb[b->place]))
				b->place = i;
	}
}

static int palette_init(struct palette *p, cairo_surface_t *s)
{
	int w = cairo_image_surface_get_width(s), x, y;
	int h = cairo_image_surface_get_height(s);
	unsigned i;

	p->bin = calloc(NR_BINS, sizeof(*p->bin));
	if (!p->bin)
		return -ENOMEM;
	for (i = 0; i < NR_BINS; i++)
		p->bin[i].place = NR_COLORS;
	for (y = 0; y < h; y++) {
		const uint32_t *row = row_of(s, y);

		for (x = 0; x < w; x++) {
			struct bin *b = &p->bin[bin_of(row[x])];

			b->nr++;
			for (i = 0; i < 3; i++)
				b->sum[i] += part(row[x], i);
		}
	}
	choose(p);
	return 0;
}

static void put_u32(unsigned char *to, uint32_t v)
{
	int i;

	for (i = 0; i < 4; i++)
		to[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void put_chunk(FILE *f, const char *type, const unsigned char *data,
		      size_t n)
{
	unsigned char head[8], tail[4];
	uLong crc;

	put_u32(head, (uint32_t)n);
	memcpy(head + 4, type, 4);
	crc = crc32(0, head + 4, 4);
	if (n)
		crc = crc32(crc, data, (uInt)n);
	put_u32(tail, (uint32_t)crc);
	fwrite(head, 1, sizeof(head), f);
	if (n)
		fwrite(data, 1, n, f);
	fwrite(tail, 1, sizeof(tail), f);
}

/* Rows of palette places, each behind a byte that says they are not filtered. */
static int put_rows(FILE *f, const struct palette *p, cairo_surface_t *s)
{
	int w = cairo_image_surface_get_width(s), x, y = 0;
	int h = cairo_image_surface_get_height(s), ret = Z_OK;
	unsigned char *line = calloc(1, (size_t)w + 1);
	unsigned char *out = malloc(CHUNK_SIZE);
	z_stream z = { 0 };

	if (!line || !out || deflateInit(&z, 6) != Z_OK) {
		ret = Z_MEM_ERROR;
		goto out;
	}
	z.next_out = out;
	z.avail_out = CHUNK_SIZE;
	while (ret == Z_OK) {
		if (!z.avail_in && y < h) {
			const uint32_t *row = row_of(s, y++);

			for (x = 0; x < w; x++)
				line[x + 1] =
					(unsigned char)p->bin[bin_of(row[x])].place;
			z.next_in = line;
			z.avail_in = (uInt)w + 1;
		}
		ret = deflate(&z, y < h ? Z_NO_FLUSH : Z_FINISH);
		if (z.avail_out && ret != Z_STREAM_END)
			continue;
		put_chunk(f, "IDAT", out, CHUNK_SIZE - z.avail_out);
		z.next_out = out;
		z.avail_out = CHUNK_SIZE;
	}
	deflateEnd(&z);
out:
	free(line);
	free(out);
	return ret == Z_STREAM_END ? 0 : -ENOMEM;
}

int png_put(struct canvas *c, cairo_surface_t *s)
{
	static const unsigned char magic[] = { 0x89, 'P',  'N', 'G',
					       '\r', '\n', 26,  '\n' };
	unsigned char head[13] = { [8] = 8, [9] = 3 }; /* bits, with palette */
	struct palette p = { .nr = 0 };
	int ret;

	cairo_surface_flush(s);
	ret = palette_init(&p, s);
	if (!ret) {
		put_u32(head, (uint32_t)cairo_image_surface_get_width(s));
		put_u32(head + 4, (uint32_t)cairo_image_surface_get_height(s));
		fwrite(magic, 1, sizeof(magic), c->out);
		put_chunk(c->out, "IHDR", head, sizeof(head));
		put_chunk(c->out, "PLTE", p.rgb[0], 3 * (size_t)p.nr);
		ret = put_rows(c->out, &p, s);
		put_chunk(c->out, "IEND", NULL, 0);
	}
	free(p.bin);
	return ret;
}
