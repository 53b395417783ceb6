/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Captures of a handful of records, made by hand: sub-buffers of 512 bytes,
 * format texts, a raw directory, trace.dat of version 6 and 7.
 */
#ifndef ZSR_CAPTURE_T_TINY_H
#define ZSR_CAPTURE_T_TINY_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define TINY_PAGE   512
#define TINY_DATA   16
#define TINY_MISSED (1u << 31)
#define TINY_STORED (1u << 30)

enum {
	TINY_MALLOC = 100,
	TINY_MALLOC_RET,
	TINY_FREE,
	TINY_FREE_RET,
	TINY_PRINT = 5,
	TINY_OTHER = 999
};

#define TINY_HEADER_PAGE                                                       \
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"             \
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"            \
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"             \
	"\tfield: char data;\toffset:16;\tsize:496;\tsigned:0;\n"

/* ---- bytes ---------------------------------------------------------- */

struct tiny_buf {
	uint8_t *p;
	size_t len, cap;
};

static inline void tiny_put(struct tiny_buf *b, const void *p, size_t n)
{
	if (b->len + n > b->cap) {
		b->cap = 2 * (b->len + n);
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			abort();
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

static inline void tiny_num(struct tiny_buf *b, uint64_t v, size_t n)
{
	tiny_put(b, &v, n); /* the tests run on little-endian machines */
}

static inline void tiny_str(struct tiny_buf *b, const char *s)
{
	tiny_put(b, s, strlen(s) + 1);
}

/* ---- pages ---------------------------------------------------------- */

struct tiny_page {
	_Alignas(8) uint8_t b[TINY_PAGE];
	unsigned len; /* of the data */
};

static inline void tiny_page_init(struct tiny_page *p, uint64_t t)
{
	memset(p, 0, sizeof(*p));
	memcpy(p->b, &t, 8);
}

static inline void tiny_commit(struct tiny_page *p, uint32_t flags)
{
	uint64_t v = p->len | flags;

	memcpy(p->b + 8, &v, 8);
}

static inline void tiny_word(struct tiny_page *p, uint32_t v)
{
	if (p->len + 4 > TINY_PAGE - TINY_DATA)
		abort();
	memcpy(p->b + TINY_DATA + p->len, &v, 4);
	p->len += 4;
	tiny_commit(p, 0);
}

static inline void tiny_head(struct tiny_page *p, unsigned type, uint32_t delta)
{
	tiny_word(p, type | delta << 5);
}

/* An event of whole words. */
static inline void tiny_event(struct tiny_page *p, uint32_t delta,
			      const void *data, unsigned len)
{
	const uint8_t *d = data;
	unsigned i;

	tiny_head(p, len / 4, delta);
	for (i = 0; i < len; i += 4) {
		uint32_t v;

		memcpy(&v, d + i, 4);
		tiny_word(p, v);
	}
}

struct tiny_common {
	uint16_t type;
	uint8_t flags, preempt;
	int32_t pid;
};

struct tiny_malloc {
	struct tiny_common c;
	uint64_t ip, pool;
	uint32_t size, gfp;
};

struct tiny_ret {
	struct tiny_common c;
	uint64_t func, ret_ip, handle;
};

struct tiny_free {
	struct tiny_common c;
	uint64_t ip, pool, handle;
};

struct tiny_free_ret {
	struct tiny_common c;
	uint64_t func, ret_ip;
};

struct tiny_print {
	struct tiny_common c;
	uint64_t ip;
	char text[32];
};

/* A malloc of SIZE that returns HANDLE, 100 ns each. */
static inline void tiny_alloc(struct tiny_page *p, uint32_t size,
			      uint64_t handle)
{
	struct tiny_malloc m = {
		{ TINY_MALLOC, 0, 0, 42 }, 1, 0xabc0, size, 0x280a
	};
	struct tiny_ret r = { { TINY_MALLOC_RET, 0, 0, 42 }, 1, 0xca11, handle };

	tiny_event(p, 100, &m, sizeof(m));
	tiny_event(p, 100, &r, sizeof(r));
}

static inline void tiny_release(struct tiny_page *p, uint64_t handle)
{
	struct tiny_free f = { { TINY_FREE, 0, 0, 42 }, 1, 0xabc0, handle };
	struct tiny_free_ret r = { { TINY_FREE_RET, 0, 0, 42 }, 1, 0xca11 };

	tiny_event(p, 100, &f, sizeof(f));
	tiny_event(p, 100, &r, sizeof(r));
}

static inline void tiny_mark(struct tiny_page *p, const char *text)
{
	struct tiny_print m = { { TINY_PRINT, 0, 0, 42 }, 1, "" };

	snprintf(m.text, sizeof(m.text), "%s\n", text);
	tiny_event(p, 100, &m, sizeof(m));
}

/* ---- formats -------------------------------------------------------- */

#define TINY_COMMON                                                            \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;"      \
	"\tsigned:0;\n"                                                        \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define TINY_U64(name, off)                                                    \
	"\tfield:u64 " name ";\toffset:" #off ";\tsize:8;\tsigned:0;\n"
#define TINY_U32(name, off)                                                    \
	"\tfield:u32 " name ";\toffset:" #off ";\tsize:4;\tsigned:0;\n"
#define TINY_FORMAT(name, id, fields)                                          \
	"name: " name "\nID: " #id "\nformat:\n" TINY_COMMON fields            \
	"\nprint fmt: \"%lx\", REC->common_pid\n"

static const char *const tiny_formats[] = {
	TINY_FORMAT("zs_malloc", 100,
		    TINY_U64("__probe_ip", 8) TINY_U64("pool", 16)
			    TINY_U32("size", 24) TINY_U32("gfp", 28)),
	TINY_FORMAT("zs_malloc_ret", 101,
		    TINY_U64("__probe_func", 8) TINY_U64("__probe_ret_ip", 16)
			    TINY_U64("handle", 24)),
	TINY_FORMAT("zs_free", 102,
		    TINY_U64("__probe_ip", 8) TINY_U64("pool", 16)
			    TINY_U64("handle", 24)),
	TINY_FORMAT("zs_free_ret", 103,
		    TINY_U64("__probe_func", 8) TINY_U64("__probe_ret_ip", 16)),
};
#define TINY_NR_FORMATS 4

static const char tiny_print_format[] = TINY_FORMAT(
	"print", 5,
	TINY_U64("ip",
		 8) "\tfield:char buf[];\toffset:16;\tsize:0;\tsigned:0;\n");

/* ---- a raw directory ------------------------------------------------- */

static inline void tiny_file(const char *dir, const char *name, const void *p,
			     size_t n)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		abort();
}

static inline void tiny_sub(const char *dir, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (mkdir(path, 0700))
		abort();
}

/* A new directory with formats/ and an empty raw/ in it. */
static inline void tiny_dir(char dir[64])
{
	unsigned i;

	strcpy(dir, "/tmp/zsr-capture-XXXXXX");
	if (!mkdtemp(dir))
		abort();
	tiny_sub(dir, "formats");
	tiny_sub(dir, "raw");
	tiny_file(dir, "formats/header_page", TINY_HEADER_PAGE,
		  strlen(TINY_HEADER_PAGE));
	tiny_file(dir, "formats/saved_cmdlines", "42 mem hog\n", 11);
	tiny_file(dir, "formats/ftrace.print", tiny_print_format,
		  strlen(tiny_print_format));
	for (i = 0; i < TINY_NR_FORMATS; i++) {
		char name[64];

		snprintf(name, sizeof(name), "formats/any.event%u", i);
		tiny_file(dir, name, tiny_formats[i], strlen(tiny_formats[i]));
	}
}

static inline void tiny_rmdir(const char *dir)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	if (system(cmd))
		abort();
}

/* ---- trace.dat ------------------------------------------------------- */

static inline void tiny_dat_start(struct tiny_buf *b, const char *version)
{
	tiny_put(b, "\x17\x08\x44tracing", 10);
	tiny_str(b, version);
	tiny_num(b, 0, 1); /* little-endian */
	tiny_num(b, 8, 1); /* bytes of a long */
	tiny_num(b, 4096, 4);
}

static inline void tiny_dat_headers(struct tiny_buf *b)
{
	tiny_str(b, "header_page");
	tiny_num(b, strlen(TINY_HEADER_PAGE), 8);
	tiny_put(b, TINY_HEADER_PAGE, strlen(TINY_HEADER_PAGE));
	tiny_str(b, "header_event");
	tiny_num(b, 4, 8);
	tiny_put(b, "type", 4);
}

static inline void tiny_dat_format(struct tiny_buf *b, const char *text)
{
	tiny_num(b, strlen(text), 8);
	tiny_put(b, text, strlen(text));
}

static inline void tiny_dat_events(struct tiny_buf *b)
{
	unsigned i;

	tiny_num(b, 1, 4);
	tiny_str(b, "any");
	tiny_num(b, TINY_NR_FORMATS, 4);
	for (i = 0; i < TINY_NR_FORMATS; i++)
		tiny_dat_format(b, tiny_formats[i]);
}

static inline void tiny_set64(struct tiny_buf *b, size_t at, uint64_t v)
{
	memcpy(b->p + at, &v, 8);
}

/* Version 6 with the given pages of cpu 0 and of cpu 1. */
static inline void tiny_dat6(struct tiny_buf *b, const struct tiny_page *cpu0,
			     size_t nr0, const struct tiny_page *cpu1,
			     size_t nr1, const char *stats)
{
	size_t at, i;

	tiny_dat_start(b, "6");
	tiny_dat_headers(b);
	tiny_num(b, 1, 4);
	tiny_dat_format(b, tiny_print_format);
	tiny_dat_events(b);
	tiny_num(b, 5, 4); /* kallsyms */
	tiny_put(b, "0 T x", 5);
	tiny_num(b, 0, 4); /* printk */
	tiny_num(b, 11, 8);
	tiny_put(b, "42 mem hog\n", 11);
	tiny_num(b, 2, 4); /* cpus */
	tiny_put(b, "options  ", 10);
	tiny_num(b, 5, 2);
	tiny_num(b, 26, 4);
	tiny_str(b, "Linux box 6.12.1-x aarch6");
	if (stats) {
		tiny_num(b, 2, 2);
		tiny_num(b, strlen(stats) + 1, 4);
		tiny_str(b, stats);
	}
	tiny_num(b, 0, 2);
	tiny_put(b, "flyrecord", 10);
	at = b->len;
	for (i = 0; i < 4; i++)
		tiny_num(b, 0, 8);
	while (b->len % TINY_PAGE)
		tiny_num(b, 0, 1);
	tiny_set64(b, at, b->len);
	tiny_set64(b, at + 8, nr0 * TINY_PAGE);
	for (i = 0; i < nr0; i++)
		tiny_put(b, cpu0[i].b, TINY_PAGE);
	tiny_set64(b, at + 16, b->len);
	tiny_set64(b, at + 24, nr1 * TINY_PAGE);
	for (i = 0; i < nr1; i++)
		tiny_put(b, cpu1[i].b, TINY_PAGE);
}

/* Version 7: a section, compressed as a whole. Returns its offset. */
static inline uint64_t tiny_section(struct tiny_buf *b, unsigned id,
				    const struct tiny_buf *body)
{
	size_t room = ZSTD_compressBound(body->len), n;
	uint64_t at = b->len;
	void *packed = malloc(room);

	n = ZSTD_compress(packed, room, body->p, body->len, 1);
	tiny_num(b, id, 2);
	tiny_num(b, 1, 2);
	tiny_num(b, 0, 4);
	tiny_num(b, n + 8, 8);
	tiny_num(b, n, 4);
	tiny_num(b, body->len, 4);
	tiny_put(b, packed, n);
	free(packed);
	return at;
}

static inline void tiny_option(struct tiny_buf *b, unsigned id, uint64_t off)
{
	tiny_num(b, id, 2);
	tiny_num(b, 8, 4);
	tiny_num(b, off, 8);
}

/* Version 7 whose cpu 0 has the given pages in NR_CHUNKS equal chunks. */
static inline void tiny_dat7(struct tiny_buf *b, const struct tiny_page *pages,
			     size_t nr, size_t repeat, size_t nr_chunks,
			     const char *stats)
{
	struct tiny_buf body = { 0 }, opts = { 0 }, chunk = { 0 };
	size_t next, buffer, data, size, room, n, i, j;
	void *packed;

	tiny_dat_start(b, "7");
	tiny_str(b, "zstd");
	tiny_str(b, "1");
	next = b->len;
	tiny_num(b, 0, 8);
	tiny_dat_headers(&body);
	tiny_option(&opts, 16, tiny_section(b, 16, &body));
	body.len = 0;
	tiny_num(&body, 1, 4);
	tiny_dat_format(&body, tiny_print_format);
	tiny_option(&opts, 17, tiny_section(b, 17, &body));
	body.len = 0;
	tiny_dat_events(&body);
	tiny_option(&opts, 18, tiny_section(b, 18, &body));

	for (j = 0; j < repeat; j++)
		for (i = 0; i < nr; i++)
			tiny_put(&chunk, pages[i].b, TINY_PAGE);
	room = ZSTD_compressBound(chunk.len);
	packed = malloc(room);
	n = ZSTD_compress(packed, room, chunk.p, chunk.len, 1);
	buffer = b->len;
	tiny_num(b, 3, 2);
	tiny_num(b, 1, 2);
	tiny_num(b, 0, 4);
	size = nr_chunks * (n + 8);
	tiny_num(b, size + 4, 8);
	data = b->len;
	tiny_num(b, nr_chunks, 4);
	for (i = 0; i < nr_chunks; i++) {
		tiny_num(b, n, 4);
		tiny_num(b, chunk.len, 4);
		tiny_put(b, packed, n);
	}
	free(packed);

	tiny_num(&opts, 3, 2);
	tiny_num(&opts, 8 + 1 + 5 + 4 + 4 + 20, 4);
	tiny_num(&opts, buffer, 8);
	tiny_str(&opts, "");
	tiny_str(&opts, "mono");
	tiny_num(&opts, TINY_PAGE, 4);
	tiny_num(&opts, 1, 4);
	tiny_num(&opts, 0, 4);
	tiny_num(&opts, data, 8);
	tiny_num(&opts, size, 8);
	if (stats) {
		tiny_num(&opts, 2, 2);
		tiny_num(&opts, strlen(stats) + 1, 4);
		tiny_str(&opts, stats);
	}
	tiny_option(&opts, 0, 0);
	tiny_set64(b, next, tiny_section(b, 0, &opts));
	free(body.p);
	free(opts.p);
	free(chunk.p);
}

#endif
