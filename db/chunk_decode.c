// SPDX-License-Identifier: GPL-2.0-only
/*
 * A chunk's blob to events. Nothing in it is believed: every length is held
 * against the blob's, every value against what its field can hold.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "db/chunk.h"
#include "db/columns.h"

#define BATCH 256 /* rows made at once; their columns stay in L1 */

struct column {
	const uint8_t *plane[8];
	uint64_t base; /* the value itself when width is 0 */
	uint64_t scale;
	uint64_t *dict; /* NULL: none; else one plane of numbers */
	uint8_t width;
};

struct zsr_chunk_decoder {
	ZSTD_DCtx *zstd;
	uint8_t *arena; /* unpacked planes; pages untouched are free */
	size_t used;
	uint64_t *dicts; /* ZSR_DICT_MAX for each column */
	uint32_t nr_tasks;
	uint32_t nr_pools;

	const uint8_t *p; /* the blob while it is parsed */
	const uint8_t *end;
	struct column col[ZSR_NR_COLUMNS];
	struct zsr_event tmpl; /* what all events have in common */
	uint64_t t_max;
	uint8_t mode;
	uint32_t nr;
	uint32_t nr_mallocs;
	uint32_t nr_frees;

	uint32_t pos; /* read so far: all, mallocs, frees */
	uint32_t malloc_pos;
	uint32_t free_pos;
	uint64_t t;
	uint64_t next_obj;
	uint64_t last_freed;
};

static const uint8_t zeros[ZSR_CHUNK_MAX];

struct zsr_chunk_decoder *zsr_chunk_decoder_new(uint32_t nr_tasks,
						uint32_t nr_pools)
{
	struct zsr_chunk_decoder *dec = calloc(1, sizeof(*dec));

	if (!dec)
		return NULL;
	dec->nr_tasks = nr_tasks;
	dec->nr_pools = nr_pools;
	dec->zstd = ZSTD_createDCtx();
	dec->arena = malloc((size_t)ZSR_NR_COLUMNS * 8 * ZSR_CHUNK_MAX);
	dec->dicts = malloc((size_t)ZSR_NR_COLUMNS * ZSR_DICT_MAX * 8);
	if (!dec->zstd || !dec->arena || !dec->dicts) {
		zsr_chunk_decoder_free(dec);
		return NULL;
	}
	return dec;
}

void zsr_chunk_decoder_free(struct zsr_chunk_decoder *dec)
{
	if (!dec)
		return;
	ZSTD_freeDCtx(dec->zstd);
	free(dec->arena);
	free(dec->dicts);
	free(dec);
}

/* ---- parsing --------------------------------------------------------- */

static bool get_byte(struct zsr_chunk_decoder *dec, uint8_t *b)
{
	if (dec->p == dec->end)
		return false;
	*b = *dec->p++;
	return true;
}

static bool get_varint(struct zsr_chunk_decoder *dec, uint64_t *v)
{
	unsigned shift;
	uint8_t b;

	*v = 0;
	for (shift = 0; shift < 64; shift += 7) {
		if (!get_byte(dec, &b))
			return false;
		if (shift == 63 && b > 1)
			return false;
		*v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

static bool get_plane(struct zsr_chunk_decoder *dec, size_t n,
		      const uint8_t **plane)
{
	uint64_t len;
	size_t ret;

	if (!get_varint(dec, &len) || len > (size_t)(dec->end - dec->p) ||
	    len > n)
		return false;
	if (len == 0) {
		*plane = zeros;
	} else if (len == n) {
		*plane = dec->p;
	} else {
		ret = ZSTD_decompressDCtx(dec->zstd, dec->arena + dec->used, n,
					  dec->p, len);
		if (ret != n)
			return false;
		*plane = dec->arena + dec->used;
		dec->used += n;
	}
	dec->p += len;
	return true;
}

static bool get_dict(struct zsr_chunk_decoder *dec, struct column *c, size_t n)
{
	uint64_t nr, i;
	uint8_t max = 0;

	if (!get_varint(dec, &nr) || nr == 0 || nr > ZSR_DICT_MAX)
		return false;
	for (i = 0; i < nr; i++)
		if (!get_varint(dec, &c->dict[i]))
			return false;
	if (!get_plane(dec, n, &c->plane[0]))
		return false;
	for (i = 0; i < n; i++)
		max = zsr_max(max, c->plane[0][i]);
	return max < nr;
}

static bool get_column(struct zsr_chunk_decoder *dec, unsigned nr, size_t n)
{
	struct column *c = &dec->col[nr];
	uint8_t kind;
	unsigned k;

	*c = (struct column){ .scale = 1 };
	if (!get_byte(dec, &kind) || kind > ZSR_COLUMN_DICT ||
	    !get_varint(dec, &c->base))
		return false;
	if (kind == ZSR_COLUMN_CONST)
		return true;
	if (!n || !get_varint(dec, &c->scale))
		return false;
	if (kind == ZSR_COLUMN_DICT) {
		c->width = 1;
		c->dict = dec->dicts + (size_t)nr * ZSR_DICT_MAX;
		return get_dict(dec, c, n);
	}
	c->width = kind;
	for (k = 0; k < c->width; k++)
		if (!get_plane(dec, n, &c->plane[k]))
			return false;
	return true;
}

static size_t column_values(const struct zsr_chunk_decoder *dec, unsigned col)
{
	if (col == ZSR_COL_FREE_OBJ)
		return dec->nr_frees;
	if (col < ZSR_COL_MALLOC_DUR)
		return dec->nr;
	return col < ZSR_COL_OTHER_DUR ? dec->nr_mallocs
				       : dec->nr - dec->nr_mallocs;
}

/* ---- values ---------------------------------------------------------- */

/* Values [from, from + n) of a column. */
static void read_column(const struct column *c, size_t from, size_t n,
			uint64_t *out)
{
	const uint8_t *a, *b, *d;
	unsigned k;
	size_t i;

	if (!c->width) {
		for (i = 0; i < n; i++)
			out[i] = c->base;
		return;
	}
	a = c->plane[0] + from;
	if (c->dict) {
		for (i = 0; i < n; i++)
			out[i] = c->dict[a[i]];
	} else if (c->width == 1) {
		for (i = 0; i < n; i++)
			out[i] = a[i];
	} else {
		b = c->plane[1] + from;
		for (i = 0; i < n; i++)
			out[i] = a[i] | (uint64_t)b[i] << 8;
		for (k = 2; k < c->width; k++) {
			if (c->plane[k] == zeros)
				continue;
			d = c->plane[k] + from;
			for (i = 0; i < n; i++)
				out[i] |= (uint64_t)d[i] << (8 * k);
		}
	}
	if (c->scale == 1 && c->base == 0)
		return;
	for (i = 0; i < n; i++)
		out[i] = out[i] * c->scale + c->base;
}

/* True when a column's one value is within limit; its own value is set. */
static bool constant(const struct column *c, uint64_t limit, uint64_t *value)
{
	*value = c->base;
	return c->width || c->base <= limit;
}

static bool make_template(struct zsr_chunk_decoder *dec)
{
	const struct column *c = dec->col;
	struct zsr_event *t = &dec->tmpl;
	uint64_t v;
	bool ok;

	memset(t, 0, sizeof(*t));
	t->obj = ZSR_OBJ_NONE;
	ok = constant(&c[ZSR_COL_KIND], ZSR_EV_NR - 1, &v);
	t->kind = (uint8_t)v;
	ok &= constant(&c[ZSR_COL_CPU], UINT16_MAX, &v);
	t->cpu = (uint16_t)v;
	ok &= dec->nr_tasks && constant(&c[ZSR_COL_TASK], dec->nr_tasks - 1, &v);
	t->task = (uint32_t)v;
	ok &= dec->nr_pools && constant(&c[ZSR_COL_POOL], dec->nr_pools - 1, &v);
	t->pool = (uint16_t)v;
	ok &= constant(&c[ZSR_COL_CALLER], ZSR_CALLER_NR - 1, &v);
	t->caller = (uint8_t)v;
	ok &= constant(&c[ZSR_COL_FLAGS], UINT8_MAX, &v);
	t->flags = (uint8_t)v;
	ok &= constant(&c[ZSR_COL_CGROUP], UINT32_MAX, &v);
	t->cgroup = (int32_t)zsr_unzigzag(v);
	ok &= constant(&c[ZSR_COL_AUX], UINT64_MAX, &v);
	t->aux = v;
	ok &= constant(&c[ZSR_COL_SLOT], UINT64_MAX, &v);
	t->slot = zsr_unzigzag(v);
	ok &= constant(&c[ZSR_COL_MALLOC_SIZE], UINT32_MAX, &v);
	ok &= constant(&c[ZSR_COL_OTHER_SIZE], UINT32_MAX, &v);
	ok &= constant(&c[ZSR_COL_MALLOC_GFP], UINT32_MAX, &v);
	ok &= constant(&c[ZSR_COL_OTHER_GFP], UINT32_MAX, &v);
	return ok;
}

int zsr_chunk_decoder_start(struct zsr_chunk_decoder *dec, const void *blob,
			    size_t len, const struct zsr_chunk_info *info,
			    struct zsr_err *err)
{
	uint64_t n, nr_mallocs, nr_frees, t, obj;
	uint8_t format, col;

	dec->p = blob;
	dec->end = dec->p + len;
	dec->used = 0;
	if (!get_byte(dec, &format) || format != ZSR_CHUNK_FORMAT)
		return zsr_err_input(err, "unknown layout");
	if (!get_varint(dec, &n) || !get_varint(dec, &nr_mallocs) ||
	    !get_varint(dec, &nr_frees) || !get_varint(dec, &t) ||
	    !get_varint(dec, &obj) || !get_byte(dec, &dec->mode))
		return zsr_err_input(err, "it ends in its head");
	if (!n || n > ZSR_CHUNK_MAX || nr_mallocs > n ||
	    nr_frees > n - nr_mallocs || n != info->nr ||
	    nr_mallocs != info->nr_mallocs || nr_frees != info->nr_frees ||
	    t != info->t_min || obj != info->first_obj ||
	    dec->mode > ZSR_FREE_BACK || info->t_max < t ||
	    info->t_max > INT64_MAX || obj > INT64_MAX)
		return zsr_err_input(err, "its head is not that of its row");
	dec->nr = (uint32_t)n;
	dec->nr_mallocs = (uint32_t)nr_mallocs;
	dec->nr_frees = (uint32_t)nr_frees;
	dec->t = t;
	dec->t_max = info->t_max;
	dec->next_obj = obj;
	dec->last_freed = obj - 1;
	dec->pos = dec->malloc_pos = dec->free_pos = 0;
	if (!get_column(dec, ZSR_COL_FREE_OBJ, nr_frees))
		return zsr_err_input(err, "column %u is damaged",
				     ZSR_COL_FREE_OBJ);
	for (col = 0; col < ZSR_COL_FREE_OBJ; col++)
		if (!get_column(dec, col, column_values(dec, col)))
			return zsr_err_input(err, "column %u is damaged", col);
	if (dec->p != dec->end)
		return zsr_err_input(err, "it goes on after its last column");
	if (!make_template(dec))
		return zsr_err_input(err, "a value is out of range");
	return 0;
}

/* ---- rows ------------------------------------------------------------ */

/*
 * Set a field from a column that is not constant; bad collects what does not
 * fit. Most columns are one plane of plain numbers.
 */
#define FIELD(col_nr, limit, expr)                                             \
	do {                                                                   \
		const struct column *c = &dec->col[col_nr];                    \
		const uint8_t *a;                                              \
		if (!c->width)                                                 \
			break;                                                 \
		if (is_plain(c)) {                                             \
			a = c->plane[0] + dec->pos;                            \
			for (i = 0; i < n; i++) {                              \
				uint64_t x = a[i] + c->base;                   \
				bad |= x > (limit);                            \
				expr;                                          \
			}                                                      \
			break;                                                 \
		}                                                              \
		read_column(c, dec->pos, n, v);                                \
		for (i = 0; i < n; i++) {                                      \
			uint64_t x = v[i];                                     \
			bad |= x > (limit);                                    \
			expr;                                                  \
		}                                                              \
	} while (0)

static bool is_plain(const struct column *c)
{
	return c->width == 1 && !c->dict && c->scale == 1;
}

/* The fields that do not depend on the kind. */
static bool make_rows(struct zsr_chunk_decoder *dec, struct zsr_event *ev,
		      size_t n)
{
	uint64_t v[BATCH], t = dec->t, t_max = dec->t_max;
	bool bad = false;
	size_t i;

	for (i = 0; i < n; i++)
		ev[i] = dec->tmpl;
	read_column(&dec->col[ZSR_COL_T], dec->pos, n, v);
	for (i = 0; i < n; i++) {
		bad |= v[i] > t_max;
		t += v[i];
		bad |= t > t_max;
		ev[i].t_ns = t;
	}
	dec->t = t;
	FIELD(ZSR_COL_KIND, ZSR_EV_NR - 1, ev[i].kind = (uint8_t)x);
	FIELD(ZSR_COL_CPU, UINT16_MAX, ev[i].cpu = (uint16_t)x);
	FIELD(ZSR_COL_TASK, dec->nr_tasks - 1, ev[i].task = (uint32_t)x);
	FIELD(ZSR_COL_POOL, dec->nr_pools - 1, ev[i].pool = (uint16_t)x);
	FIELD(ZSR_COL_CALLER, ZSR_CALLER_NR - 1, ev[i].caller = (uint8_t)x);
	FIELD(ZSR_COL_FLAGS, UINT8_MAX, ev[i].flags = (uint8_t)x);
	FIELD(ZSR_COL_CGROUP, UINT32_MAX,
	      ev[i].cgroup = (int32_t)zsr_unzigzag(x));
	FIELD(ZSR_COL_AUX, UINT64_MAX, ev[i].aux = x);
	FIELD(ZSR_COL_SLOT, UINT64_MAX, ev[i].slot = zsr_unzigzag(x));
	return !bad;
}

/* The columns of a batch that mallocs and others have apart. */
struct split {
	uint64_t malloc_dur[BATCH];
	uint64_t malloc_gfp[BATCH];
	uint64_t malloc_size[BATCH];
	uint64_t other_dur[BATCH];
	uint64_t other_gfp[BATCH];
	uint64_t other_size[BATCH];
	uint64_t free_obj[BATCH];
};

static bool read_split(struct zsr_chunk_decoder *dec,
		       const struct zsr_event *ev, size_t n, struct split *s)
{
	const struct column *c = dec->col;
	size_t nm = 0, nf = 0, from = dec->pos - dec->malloc_pos, no, i;

	for (i = 0; i < n; i++) {
		nm += ev[i].kind == ZSR_EV_MALLOC;
		nf += ev[i].kind == ZSR_EV_FREE;
	}
	no = n - nm;
	if (nm > dec->nr_mallocs - dec->malloc_pos ||
	    nf > dec->nr_frees - dec->free_pos ||
	    no > dec->nr - dec->nr_mallocs - from)
		return false;
	read_column(&c[ZSR_COL_MALLOC_DUR], dec->malloc_pos, nm, s->malloc_dur);
	read_column(&c[ZSR_COL_MALLOC_GFP], dec->malloc_pos, nm, s->malloc_gfp);
	read_column(&c[ZSR_COL_MALLOC_SIZE], dec->malloc_pos, nm,
		    s->malloc_size);
	read_column(&c[ZSR_COL_OTHER_DUR], from, no, s->other_dur);
	read_column(&c[ZSR_COL_OTHER_GFP], from, no, s->other_gfp);
	read_column(&c[ZSR_COL_OTHER_SIZE], from, no, s->other_size);
	read_column(&c[ZSR_COL_FREE_OBJ], dec->free_pos, nf, s->free_obj);
	return true;
}

/* Which object a free means: false when it cannot be. */
static bool free_object(struct zsr_chunk_decoder *dec, uint64_t code,
			struct zsr_live *objects, struct zsr_event *ev,
			uint64_t *birth)
{
	if (code == 0)
		return true;
	code--;
	if (dec->mode == ZSR_FREE_STEP)
		ev->obj = dec->last_freed + 1 + (uint64_t)zsr_unzigzag(code);
	else
		ev->obj = dec->next_obj - 1 - code;
	dec->last_freed = ev->obj;
	if (!objects)
		return ev->obj < dec->next_obj;
	return zsr_live_take(objects, ev->obj, &ev->size, birth);
}

static int read_batch(struct zsr_chunk_decoder *dec, struct zsr_live *objects,
		      struct zsr_event *ev, uint64_t *births, size_t n,
		      struct zsr_err *err)
{
	size_t m = 0, o = 0, f = 0, i;
	uint64_t wide = 0, birth;
	struct split s;

	if (!make_rows(dec, ev, n) || !read_split(dec, ev, n, &s))
		return zsr_err_input(err, "a value is out of range");
	for (i = 0; i < n; i++, ev++) {
		birth = UINT64_MAX;
		if (ev->kind == ZSR_EV_MALLOC) {
			ev->obj = dec->next_obj++;
			ev->dur_ns = s.malloc_dur[m];
			ev->gfp = (uint32_t)s.malloc_gfp[m];
			ev->size = (uint32_t)s.malloc_size[m];
			wide |= s.malloc_gfp[m] | s.malloc_size[m];
			m++;
			if (objects && zsr_live_add(objects, ev->size, ev->t_ns))
				return zsr_err_nomem(err, "live objects");
		} else {
			ev->dur_ns = s.other_dur[o];
			ev->gfp = (uint32_t)s.other_gfp[o];
			ev->size = (uint32_t)s.other_size[o];
			wide |= s.other_gfp[o] | s.other_size[o];
			o++;
			if (ev->kind == ZSR_EV_FREE &&
			    !free_object(dec, s.free_obj[f++], objects, ev,
					 &birth))
				return zsr_err_input(
					err, "event %zu frees an object that is not alive",
					dec->pos + i);
		}
		if (births)
			births[i] = birth;
	}
	if (wide > UINT32_MAX)
		return zsr_err_input(err, "a value is out of range");
	dec->pos += (uint32_t)n;
	dec->malloc_pos += (uint32_t)m;
	dec->free_pos += (uint32_t)f;
	return 0;
}

int zsr_chunk_decoder_read(struct zsr_chunk_decoder *dec,
			   struct zsr_live *objects, struct zsr_event *ev,
			   uint64_t *births, size_t max, struct zsr_err *err)
{
	size_t done = 0, n;
	int ret;

	while (done < max && dec->pos < dec->nr) {
		n = zsr_min(max - done, (size_t)(dec->nr - dec->pos));
		n = zsr_min(n, (size_t)BATCH);
		ret = read_batch(dec, objects, ev + done,
				 births ? births + done : NULL, n, err);
		if (ret)
			return ret;
		done += n;
	}
	if (dec->pos == dec->nr &&
	    (dec->t != dec->t_max || dec->malloc_pos != dec->nr_mallocs ||
	     dec->free_pos != dec->nr_frees))
		return zsr_err_input(err, "its content is not that of its row");
	return (int)done;
}
