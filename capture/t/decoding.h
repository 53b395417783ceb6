/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of zsr_decode() share: decode a file, see what came out. */
#ifndef ZSR_CAPTURE_T_DECODING_H
#define ZSR_CAPTURE_T_DECODING_H

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "capture/decode/decode.h"
#include "capture/t/collect.h"
#include "capture/t/tiny.h"
#include "tests/check.h"

static struct collected got;
static struct zsr_err err;

static inline int decode_with(const char *path,
			      const struct zsr_decode_opts *opts)
{
	struct zsr_sink sink;

	collected_free(&got);
	sink = collected_init(&got);
	memset(&err, 0, sizeof(err));
	return zsr_decode(path, opts, &sink, &err);
}

static inline int decode(const char *path)
{
	return decode_with(path, NULL);
}

/* An input error whose message holds WHY. */
static inline void refused(const char *path, const char *why)
{
	ck_assert_int_eq(decode(path), -EINVAL);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_msg(strstr(err.msg, why) != NULL, "'%s' lacks '%s'", err.msg,
		      why);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child */
}

static inline void temp_file(char path[64], const void *p, size_t n)
{
	int fd;

	strcpy(path, "/tmp/zsr-capture-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert(write(fd, p, n) == (ssize_t)n);
	close(fd);
}

/* Two cpus: cpu 1's records lie between and beside those of cpu 0. */
static inline void two_cpus(struct tiny_page p[2])
{
	tiny_page_init(&p[0], 1000);
	tiny_mark(&p[0], "capture:begin 6.12.9-tiny"); /* 1100 */
	tiny_alloc(&p[0], 64, 0x1000); /* 1200 1300 */
	tiny_release(&p[0], 0x1000); /* 1400 1500 */
	tiny_page_init(&p[1], 1150);
	tiny_alloc(&p[1], 4096, 0x2000); /* 1250 1350 */
	tiny_page_init(&p[1], 1100);
	tiny_alloc(&p[1], 4096, 0x2000); /* 1200 1300 */
}

struct order {
	uint64_t t;
	unsigned cpu, kind;
};

static inline void check_order(const struct order *want, size_t nr)
{
	size_t i;

	ck_assert_uint_eq(got.nr, nr);
	for (i = 0; i < nr; i++) {
		ck_assert_uint_eq(got.recs[i].t_ns, want[i].t);
		ck_assert_uint_eq(got.recs[i].cpu, want[i].cpu);
		ck_assert_uint_eq(got.recs[i].kind, want[i].kind);
	}
}

/* A tiny malloc of 4096 bytes. */
static inline void check_malloc(const struct zsr_rec *r)
{
	ck_assert_uint_eq(r->value, 4096);
	ck_assert_uint_eq(r->gfp, 0x280a);
	ck_assert_uint_eq(r->pool, 0xabc0);
	ck_assert_int_eq(r->pid, 42);
	ck_assert_uint_eq(r->has, ZSR_REC_HAS_POOL | ZSR_REC_HAS_SIZE |
					  ZSR_REC_HAS_GFP);
}

static inline void check_two_cpus(void)
{
	static const struct order want[] = {
		{ 1100, 0, ZSR_REC_MARK },
		{ 1200, 0, ZSR_REC_MALLOC },
		{ 1200, 1, ZSR_REC_MALLOC },
		{ 1300, 0, ZSR_REC_MALLOC_RET },
		{ 1300, 1, ZSR_REC_MALLOC_RET },
		{ 1400, 0, ZSR_REC_FREE },
		{ 1500, 0, ZSR_REC_FREE_RET },
	};
	unsigned i;

	check_order(want, ZSR_ARRAY_SIZE(want));
	for (i = 0; i < got.nr; i++)
		ck_assert_int_eq(got.recs[i].pid, 42);
	check_malloc(&got.recs[2]);
	ck_assert_uint_eq(got.recs[4].handle, 0x2000);
	ck_assert_uint_eq(got.recs[4].caller, 0xca11);
	ck_assert_uint_eq(got.recs[4].has, ZSR_REC_HAS_CALLER);
	ck_assert(has_line(&got.marks, "capture:begin 6.12.9-tiny"));
	ck_assert(has_line(&got.tasks, "42 mem hog"));
}

/* Odd but legal ftrace text: losses, names with brackets, a split line. */
__attribute__((unused)) static const char text[] =
	"# tracer: nop\n"
	"#\n"
	"# entries-in-buffer/entries-written: 6/10   #P:2\n"
	"#\n"
	"           <...>-7     [001] d..1.     2.000001: zs_malloc: "
	"(zs_malloc+0x0/0x57c [zsmalloc]) pool=0xabc0 size=73 gfp=0x280a\n"
	" a-1 [x] (b)-42      (     42) [000] .....     2.000002: "
	"zs_malloc_ret: (zram_bvec_rw.constprop.0+0x5e8/0x6b0 [zram] <- "
	"zs_malloc) handle=0xffff179f0425b870\n"
	"CPU:1 [LOST 12 EVENTS]\n"
	"           <...>-7     (-------) [001] 3.000000: gone: "
	"(zs_free+0x0/0x1a8) pool=0xabc0 handle=0xfffffffffffffff4\n"
	"              wl-8     [001] d....     3.000001123: zs_free_ret: "
	"(ffff80 <- ffffb0b945cd66a4)\n"
	"              wl-8     [001] d....     3.000002: sched_waking: "
	"comm=a pid=1 prio=120\n"
	"              wl-8     [000] .....     4.000000: "
	"tracing_mark_write: snap:\x01 two\n"
	"lines\n";

#endif
