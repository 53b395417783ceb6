// SPDX-License-Identifier: GPL-2.0-only
/*
 * The function_graph tracer: its text with all its columns, calls within calls,
 * tasks that change, durations of any length, damage; and its binary events,
 * whose functions are addresses.
 */
#include "capture/t/decoding.h"

#define HEAD "# tracer: function_graph\n#\n# CPU  DURATION     FUNCTION CALLS\n"

static void decode_text(const char *body)
{
	char path[64], all[8192];

	snprintf(all, sizeof(all), HEAD "%s", body);
	temp_file(path, all, strlen(all));
	ck_assert_msg(!decode(path), "%s", err.msg);
	unlink(path);
}

static void is(size_t i, unsigned kind, uint64_t t_ns, uint64_t dur_ns,
	       int32_t pid)
{
	ck_assert_uint_lt(i, got.nr);
	ck_assert_uint_eq(got.recs[i].kind, kind);
	ck_assert_uint_eq(got.recs[i].t_ns, t_ns);
	ck_assert_int_eq(got.recs[i].pid, pid);
	if (dur_ns) {
		ck_assert(got.recs[i].has & ZSR_REC_HAS_DUR);
		ck_assert_uint_eq(got.recs[i].value, dur_ns);
	}
}

/* Without times, one call follows the other. */
START_TEST(plain)
{
	decode_text(" 0)   0.864 us    |  zs_get_total_pages();\n"
		    " ------------------------------------------\n"
		    " 0)     sh-144     =>     my wl-181    \n"
		    " ------------------------------------------\n"
		    "\n"
		    " 0)               |  /* snap:start */\n"
		    " 0) + 12.5 us     |  zs_free();\n"
		    " 0) # 123456.7 us |  zs_free [zsmalloc]();\n"
		    " 1)   1.000 us    |  kfree();\n");
	ck_assert_uint_eq(got.nr, 6);
	is(0, ZSR_REC_EMPTY, 0, 0, -1);
	is(1, ZSR_REC_EMPTY_RET, 0, 864, -1);
	is(2, ZSR_REC_FREE, 864, 0, 181);
	ck_assert_uint_eq(got.recs[2].has, ZSR_REC_NO_ARGS);
	is(3, ZSR_REC_FREE_RET, 864, 12500, 181);
	is(4, ZSR_REC_FREE, 13364, 0, 181);
	is(5, ZSR_REC_FREE_RET, 13364, 123456700, 181);
	ck_assert(has_line(&got.tasks, "181 my wl"));
	ck_assert_str_eq(collected_meta(&got, "clock"), "none");
}
END_TEST

/* Times, tasks and flags; calls within calls, of two tasks on a CPU. */
START_TEST(columns)
{
	decode_text(
		" 1000.000001 |   2)  wl-7    |  d..1. |               |  "
		"zs_free() {\n"
		" 1000.000002 |   2)  wl-7    |  d..1. |   2.000 us    |    "
		"__free_zspage();\n"
		" 1000.000005 |   2)  wl-8    |  d..1. |               |  "
		"zs_free() {\n"
		" 1000.000006 |   2)  wl-8    |  d..1. |   1.500 us    |  }\n"
		"CPU:2 [LOST 3 EVENTS]\n"
		" 1000.000009 |   2)  wl-7    |  d..1. | ! 108.250 us  |  } /* "
		"zs_free */\n");
	ck_assert_uint_eq(got.nr, 7);
	is(0, ZSR_REC_FREE, 1000000001000, 0, 7);
	is(1, ZSR_REC_ZSPAGE_FREE, 1000000002000, 0, 7);
	is(2, ZSR_REC_ZSPAGE_FREE_RET, 1000000002000, 2000, 7);
	is(3, ZSR_REC_FREE, 1000000005000, 0, 8);
	is(4, ZSR_REC_FREE_RET, 1000000006000, 1500, 8);
	ck_assert_uint_eq(got.recs[5].kind, ZSR_REC_LOST);
	ck_assert_uint_eq(got.recs[5].value, 3);
	is(6, ZSR_REC_FREE_RET, 1000000009000, 108250, 7);
	ck_assert_uint_eq(got.recs[6].cpu, 2);
	ck_assert(has_line(&got.tasks, "7 wl"));
}
END_TEST

static void text_refused(const char *body, const char *why)
{
	char path[64], all[8192];

	snprintf(all, sizeof(all), HEAD "%s", body);
	temp_file(path, all, strlen(all));
	refused(path, why);
	unlink(path);
}

START_TEST(damaged)
{
	char deep[8000] = "";
	unsigned i;

	text_refused("", "holds no call");
	text_refused(" 0)   0.864 us    |  kfree();\n", "holds no call");
	text_refused(" 0)   0.864 ms    |  zs_free();\n", "line 4: no line");
	text_refused(" 0)   99999999999999999999 us    |  zs_free();\n",
		     "line 4: no line");
	text_refused(" 1024)   0.864 us    |  zs_free();\n", "line 4: no line");
	text_refused("  0.864 us    |  zs_free();\n", "line 4: no line");
	text_refused(" 0)   0.864 us    |  zs_free\n", "line 4: no call");
	text_refused("what is this\n", "line 4: no line");
	text_refused(" 0)  a | b | c-1 | d | e | f\n", "line 4: no line");
	/* returns without calls, and deeper than anything */
	decode_text(" 0)   1.0 us    |  }\n 0)   1.0 us    |  }\n"
		    " 0)   0.864 us    |  zs_free();\n");
	ck_assert_uint_eq(got.nr, 2);
	for (i = 0; i < 100; i++)
		strcat(deep, " 0)  |  zs_free() {\n");
	for (i = 0; i < 101; i++)
		strcat(deep, " 0)  1.0 us |  }\n");
	decode_text(deep);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE], 100);
	ck_assert_uint_eq(got.kinds[ZSR_REC_FREE_RET], 64);
}
END_TEST

/* ---- binary ------------------------------------------------------------------ */

static const char symbols[] = "ffff800081230000 T zs_malloc\t[zsmalloc]\n"
			      "ffff800081234560 t zs_free\t[zsmalloc]\n"
			      "0000000000000000 T zs_compact\n"
			      "ffff8000812345\n"
			      "no symbol\n"
			      "ffff800081239000 T zs_get_total_pages";

static void add(struct dec_events *e, const char *text)
{
	ck_assert_msg(
		!dec_events_add(e, "ftrace", text, strlen(text), NULL, &err),
		"%s", err.msg);
}

START_TEST(binary)
{
	static const char entry[] = TINY_FORMAT("funcgraph_entry", 10,
						TINY_U64("func", 8));
	static const char leave[] =
		TINY_FORMAT("funcgraph_exit", 11,
			    TINY_U64("func", 8) TINY_U64("calltime", 16)
				    TINY_U64("rettime", 24));
	static _Alignas(8) uint8_t block[DEC_BLOCK];
	struct dec_out out = { .buf = block, .nr_free = 1 };
	struct dec d = { .out = &out };
	struct {
		uint16_t type, flags;
		int32_t pid;
		uint64_t func, from, to;
	} ev = { 10, 0, 42, 0xffff800081234564, 1000, 1700 };
	struct zsr_rec *rec =
		(struct zsr_rec *)(block + sizeof(struct dec_frame));
	struct dec_events e;

	memset(&err, 0, sizeof(err));
	ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
	ck_assert(!dec_graph_wants_symbols(&e));
	add(&e, entry);
	add(&e, leave);
	ck_assert(dec_graph_wants_symbols(&e));
	ck_assert_int_eq(dec_graph_symbols(&e, symbols, strlen(symbols), &err),
			 0);
	ck_assert_int_eq(dec_graph_func(&e, 0xffff800081230000), DEC_MALLOC);
	ck_assert_int_eq(dec_graph_func(&e, 0xffff800081239008), DEC_EMPTY);
	ck_assert_int_eq(dec_graph_func(&e, 0xffff800081239010), DEC_NO_FUNC);
	ck_assert_int_eq(dec_graph_func(&e, 0), DEC_NO_FUNC);
	ck_assert_int_eq(dec_events_ready(&d, &e, &err), 0);
	ck_assert_int_eq(
		dec_events_emit(&d, &e, 3, 900, (uint8_t *)&ev, 16, &err), 0);
	ck_assert_uint_eq(rec->kind, ZSR_REC_FREE);
	ck_assert_uint_eq(rec->has, ZSR_REC_NO_ARGS);
	ck_assert_uint_eq(rec->cpu, 3);
	ck_assert_int_eq(rec->pid, 42);
	ev.type = 11;
	ck_assert_int_eq(
		dec_events_emit(&d, &e, 3, 2000, (uint8_t *)&ev, 32, &err), 0);
	rec++;
	ck_assert_uint_eq(rec->kind, ZSR_REC_FREE_RET);
	ck_assert_uint_eq(rec->has, ZSR_REC_HAS_DUR);
	ck_assert_uint_eq(rec->value, 700);
	/* cut short, and back in time */
	ck_assert_int_eq(
		dec_events_emit(&d, &e, 3, 2000, (uint8_t *)&ev, 24, &err),
		-EINVAL);
	ev.to = 0;
	ck_assert_int_eq(
		dec_events_emit(&d, &e, 3, 2000, (uint8_t *)&ev, 32, &err), 0);
	rec++;
	ck_assert_uint_eq(rec->has, 0);
	dec_events_free(&e);
}
END_TEST

ZSR_TEST_MAIN("graph", plain, columns, damaged, binary)
