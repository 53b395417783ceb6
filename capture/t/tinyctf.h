/* SPDX-License-Identifier: GPL-2.0-only */
/* CTF traces of a few events, made by hand. */
#ifndef ZSR_CAPTURE_T_TINYCTF_H
#define ZSR_CAPTURE_T_TINYCTF_H

#include "capture/t/tiny.h"

enum {
	TINYCTF_MALLOC,
	TINYCTF_MALLOC_RET,
	TINYCTF_FREE,
	TINYCTF_PRINT,
	TINYCTF_OTHER,
};

#define TINYCTF_TYPES                                                          \
	"/* CTF 1.8 */\n"                                                      \
	"typealias integer { size = 64; align = 8; signed = false; } := "      \
	"u64;\n"                                                               \
	"typealias integer { size = 32; align = 8; signed = false; } := "      \
	"u32;\n"                                                               \
	"typealias integer { size = 64; align = 8; signed = true; } := s64;\n" \
	"typealias integer { size = 32; align = 8; signed = true; } := s32;\n" \
	"trace { major = 1; minor = 8; byte_order = le;\n"                     \
	"\tpacket.header := struct { u32 magic; u32 stream_id; }; };\n"
#define TINYCTF_ENV(tracer)                                                    \
	"env { hostname = \"secret\"; domain = \"kernel\";\n"                  \
	"\ttracer_name = \"" tracer "\"; tracer_major = 2;\n"                  \
	"\tkernel_release = \"6.12.9-tiny\"; machine = \"aarch64\"; };\n"
#define TINYCTF_STREAM                                                         \
	"clock { name = mono; freq = 1000000000; offset = 0; };\n"             \
	"typealias integer { size = 64; align = 8; signed = false;\n"          \
	"\tmap = clock.mono.value; } := stamp;\n"                              \
	"stream { id = 0;\n"                                                   \
	"\tevent.header := struct { u32 id; stamp timestamp; };\n"             \
	"\tpacket.context := struct { stamp timestamp_begin;\n"                \
	"\t\tstamp timestamp_end; u64 content_size; u64 packet_size;\n"        \
	"\t\tu64 events_discarded; u32 cpu_id; };\n"                           \
	"\tevent.context := struct { s32 _tid; integer { size = 8; align = "   \
	"8;\n"                                                                 \
	"\t\tsigned = false; encoding = UTF8; } _procname[16]; }; };\n"
#define TINYCTF_EVENT(id, name, fields)                                        \
	"event { id = " #id "; stream_id = 0; name = \"" name "\";\n"          \
	"\tfields := struct { " fields " }; };\n"
#define TINYCTF_EVENTS                                                         \
	TINYCTF_EVENT(0, "zsm:zs_malloc",                                      \
		      "u64 __probe_ip; u64 pool; u32 size; u32 gfp;")          \
	TINYCTF_EVENT(1, "zsm:zs_malloc_ret",                                  \
		      "u64 __probe_func; u64 __probe_ret_ip; s64 handle;")     \
	TINYCTF_EVENT(2, "zs_free_entry", "u64 pool; u32 handle;")             \
	TINYCTF_EVENT(3, "ftrace:print", "u64 ip; string buf;")                \
	TINYCTF_EVENT(4, "sched:sched_waking", "u32 prio;")

static const char tinyctf_metadata[] = TINYCTF_TYPES TINYCTF_ENV("tiny")
	TINYCTF_STREAM TINYCTF_EVENTS;

#define TINYCTF_HEAD 52 /* bytes of a packet before its first event */

/* A packet from BEGIN to END ns; its events follow, then tinyctf_close(). */
static inline size_t tinyctf_open(struct tiny_buf *b, uint64_t begin,
				  uint64_t end, uint64_t discarded, uint32_t cpu)
{
	size_t at = b->len;

	tiny_num(b, 0xc1fc1fc1, 4);
	tiny_num(b, 0, 4);
	tiny_num(b, begin, 8);
	tiny_num(b, end, 8);
	tiny_num(b, 0, 8);
	tiny_num(b, 0, 8);
	tiny_num(b, discarded, 8);
	tiny_num(b, cpu, 4);
	return at;
}

static inline void tinyctf_close(struct tiny_buf *b, size_t at)
{
	uint64_t bits = (b->len - at) * 8;

	memcpy(b->p + at + 24, &bits, 8);
	memcpy(b->p + at + 32, &bits, 8);
}

static inline void tinyctf_event(struct tiny_buf *b, uint32_t id, uint64_t t_ns,
				 int32_t tid)
{
	char comm[16] = "mem hog";

	tiny_num(b, id, 4);
	tiny_num(b, t_ns, 8);
	tiny_num(b, (uint32_t)tid, 4);
	tiny_put(b, comm, sizeof(comm));
}

/* zs_malloc of 100 ns. */
static inline void tinyctf_alloc(struct tiny_buf *b, uint64_t t_ns,
				 uint32_t size, uint64_t handle)
{
	tinyctf_event(b, TINYCTF_MALLOC, t_ns, 42);
	tiny_num(b, 1, 8);
	tiny_num(b, 0xabc0, 8);
	tiny_num(b, size, 4);
	tiny_num(b, 0x280a, 4);
	tinyctf_event(b, TINYCTF_MALLOC_RET, t_ns + 100, 42);
	tiny_num(b, 1, 8);
	tiny_num(b, 0xca11, 8);
	tiny_num(b, handle, 8);
}

static inline void tinyctf_release(struct tiny_buf *b, uint64_t t_ns,
				   uint32_t handle)
{
	tinyctf_event(b, TINYCTF_FREE, t_ns, 42);
	tiny_num(b, 0xabc0, 8);
	tiny_num(b, handle, 4);
}

#endif
