// SPDX-License-Identifier: GPL-2.0-only
/* What probe events mean: names, fields, formats; what they cannot do
 * without. */
#include "capture/decode/decode.h"
#include "capture/t/tiny.h"
#include "tests/check.h"

static enum dec_func func(const char *name, int *is_ret)
{
	struct dec_means m = { .is_ret = -1 };

	dec_means_of_event(NULL, name, strlen(name), &m);
	*is_ret = m.is_ret;
	return m.func;
}

START_TEST(names)
{
	static const struct {
		const char *name;
		enum dec_func func;
		int is_ret;
	} t[] = {
		{ "zs_malloc", DEC_MALLOC, -1 },
		{ "zs_malloc_ret", DEC_MALLOC, 1 },
		{ "zs_malloc__return", DEC_MALLOC, 1 },
		{ "zs_malloc_obj", DEC_MALLOC, 1 },
		{ "r_zs_malloc_0", DEC_MALLOC, 1 },
		{ "p_zs_free_12", DEC_FREE, 0 },
		{ "zs_free_exit", DEC_FREE, 1 },
		{ "zs_free__entry", DEC_FREE, 0 },
		{ "zs_free_probe", DEC_FREE, -1 },
		{ "zs_compact_ret", DEC_COMPACT, 1 },
		{ "zs_create_pool", DEC_CREATE, -1 },
		{ "zs_destroy_pool", DEC_DESTROY, -1 },
		{ "free_zspage", DEC_FREE_ZSPAGE, -1 },
		{ "p___free_zspage_0", DEC_FREE_ZSPAGE, 0 },
		{ "zs_malloc_pages", DEC_NO_FUNC, -1 },
		{ "zs_freed", DEC_NO_FUNC, -1 },
		{ "zs_map_object", DEC_NO_FUNC, -1 },
		{ "p_zs_free_x", DEC_NO_FUNC, -1 },
		{ "malloc", DEC_NO_FUNC, -1 },
		{ "", DEC_NO_FUNC, -1 },
	};
	unsigned i;
	int is_ret;

	for (i = 0; i < ZSR_ARRAY_SIZE(t); i++) {
		ck_assert_msg(func(t[i].name, &is_ret) == t[i].func, "%s",
			      t[i].name);
		ck_assert_msg(is_ret == t[i].is_ret, "%s", t[i].name);
	}
}
END_TEST

static enum dec_role role(enum dec_func f, int is_ret, const char *name)
{
	const struct dec_means m = { .func = f, .is_ret = is_ret };

	return dec_role_of(NULL, &m, name, strlen(name));
}

START_TEST(roles)
{
	ck_assert_int_eq(role(DEC_MALLOC, 0, "arg2"), DEC_SIZE);
	ck_assert_int_eq(role(DEC_MALLOC, 1, "arg1"), DEC_HANDLE);
	ck_assert_int_eq(role(DEC_MALLOC, 1, "ret"), DEC_HANDLE);
	ck_assert_int_eq(role(DEC_FREE, 0, "arg2"), DEC_HANDLE);
	ck_assert_int_eq(role(DEC_FREE, 0, "arg4"), DEC_NO_ROLE);
	ck_assert_int_eq(role(DEC_CREATE, 1, "retval"), DEC_POOL);
	ck_assert_int_eq(role(DEC_COMPACT, 1, "freed"), DEC_FREED);
	ck_assert_int_eq(role(DEC_FREE, 0, "name"), DEC_NO_ROLE);
	ck_assert_int_eq(role(DEC_NO_FUNC, 0, "handle"), DEC_NO_ROLE);
}
END_TEST

START_TEST(kinds)
{
	const unsigned pool = 1u << DEC_POOL, handle = 1u << DEC_HANDLE,
		       size = 1u << DEC_SIZE, obj = 1u << DEC_OBJ;
	const char *missing = NULL;
	bool place;

	ck_assert_int_eq(dec_kind_of(DEC_MALLOC, 0, size, &place, &missing),
			 ZSR_REC_MALLOC);
	ck_assert_int_eq(dec_kind_of(DEC_MALLOC, 0, pool, &place, &missing),
			 -EINVAL);
	ck_assert_str_eq(missing, "size");
	ck_assert_int_eq(dec_kind_of(DEC_MALLOC, 1, handle, &place, &missing),
			 ZSR_REC_MALLOC_RET);
	ck_assert(!place);
	ck_assert_int_eq(dec_kind_of(DEC_MALLOC, 1, handle | size | obj, &place,
				     &missing),
			 ZSR_REC_MALLOC_DONE);
	ck_assert(place);
	ck_assert_int_eq(dec_kind_of(DEC_FREE, 0, pool, &place, &missing),
			 -EINVAL);
	ck_assert_str_eq(missing, "handle");
	ck_assert_int_eq(dec_kind_of(DEC_FREE, 1, 0, &place, &missing),
			 ZSR_REC_FREE_RET);
	/* what zsr can do without is no error, and never read as zero */
	ck_assert_int_eq(dec_kind_of(DEC_COMPACT, 1, 0, &place, &missing),
			 ZSR_REC_OTHER);
	ck_assert_uint_eq(dec_has_of(ZSR_REC_MALLOC, size), ZSR_REC_HAS_SIZE);
	/* a call that tells of nothing but its time is one all the same */
	ck_assert_int_eq(dec_kind_of(DEC_FREE, 0, 0, &place, &missing),
			 ZSR_REC_FREE);
	ck_assert_uint_eq(dec_has_of(ZSR_REC_FREE, 0), ZSR_REC_NO_ARGS);
	ck_assert_uint_eq(dec_has_of(ZSR_REC_FREE_RET, 0), 0);
	ck_assert_int_eq(dec_kind_of(DEC_EMPTY, 1, 0, &place, &missing),
			 ZSR_REC_EMPTY_RET);
}
END_TEST

static int add(struct dec_events *e, const char *text, const char *probes,
	       struct zsr_err *err)
{
	return dec_events_add(e, "any", text, strlen(text), probes, err);
}

static void ready(struct dec_events *e)
{
	static struct dec_out out;
	struct dec d = { .out = &out };
	struct zsr_err err = { 0 };

	dec_out_init(&out, NULL);
	ck_assert_int_eq(dec_events_ready(&d, e, &err), 0);
}

static struct dec_event *by_id(struct dec_events *e, unsigned id)
{
	return e->by_id[id] ? &e->ev[e->by_id[id] - 1] : NULL;
}

static const struct dec_field *arg_of(const struct dec_event *ev,
				      enum dec_role role)
{
	unsigned i;

	for (i = 0; i < ev->nr; i++)
		if (ev->arg[i].role == role)
			return &ev->arg[i];
	return NULL;
}

START_TEST(formats)
{
	struct zsr_err err = { 0 };
	struct dec_events e;
	struct dec_event *ev;
	unsigned i;

	ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
	for (i = 0; i < TINY_NR_FORMATS; i++)
		ck_assert_int_eq(add(&e, tiny_formats[i], NULL, &err), 0);
	ck_assert_int_eq(add(&e, tiny_print_format, NULL, &err), 0);
	/* an event zsr has no use for is not kept */
	ck_assert_int_eq(
		add(&e, TINY_FORMAT("sched_switch", 7, ""), NULL, &err), 0);
	ready(&e);
	ck_assert_ptr_null(by_id(&e, 7));
	ev = by_id(&e, TINY_MALLOC);
	ck_assert_int_eq(ev->shape.kind, ZSR_REC_MALLOC);
	ck_assert_ptr_nonnull(arg_of(ev, DEC_SIZE));
	ck_assert_uint_eq(arg_of(ev, DEC_SIZE)->off, 24);
	ck_assert_uint_eq(arg_of(ev, DEC_SIZE)->size, 4);
	ck_assert_uint_eq(ev->min_len, 32);
	ck_assert_uint_eq(ev->shape.has, ZSR_REC_HAS_POOL | ZSR_REC_HAS_SIZE |
						 ZSR_REC_HAS_GFP);
	ev = by_id(&e, TINY_MALLOC_RET);
	ck_assert_int_eq(ev->shape.kind, ZSR_REC_MALLOC_RET);
	ck_assert_uint_eq(ev->shape.has, ZSR_REC_HAS_CALLER);
	ck_assert_int_eq(by_id(&e, TINY_PRINT)->shape.kind, ZSR_REC_MARK);
	dec_events_free(&e);
}
END_TEST

/* A return event that also tells the place stands for the return, unless a
 * plain one is there too. */
START_TEST(places)
{
	static const char obj[] = TINY_FORMAT(
		"zs_malloc_obj", 110,
		TINY_U64("__probe_func", 8) TINY_U64("__probe_ret_ip", 16)
			TINY_U64("handle", 24) TINY_U64("obj", 32));
	struct zsr_err err = { 0 };
	struct dec_events e;

	ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
	ck_assert_int_eq(add(&e, obj, NULL, &err), 0);
	ready(&e);
	ck_assert_int_eq(by_id(&e, 110)->shape.kind, ZSR_REC_MALLOC_RET);
	ck_assert(by_id(&e, 110)->shape.place);
	ck_assert_int_eq(add(&e, tiny_formats[1], NULL, &err), 0);
	ready(&e);
	ck_assert_int_eq(by_id(&e, 110)->shape.kind, ZSR_REC_PLACE);
	ck_assert(!by_id(&e, 110)->shape.place);
	ck_assert_uint_eq(arg_of(by_id(&e, 110), DEC_OBJ)->off, 32);
	dec_events_free(&e);
}
END_TEST

/* An event of any name, when the probe definitions tell what it probes. */
START_TEST(renamed)
{
	static const char fmt[] = TINY_FORMAT(
		"gone", 120, TINY_U64("__probe_ip", 8) TINY_U64("handle", 16));
	static const char probes[] = "r10:grp/back zs_malloc handle=$retval\n"
				     "p:grp/gone zs_free handle=$arg2:x64\n";
	struct zsr_err err = { 0 };
	struct dec_events e;

	ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
	ck_assert_int_eq(add(&e, fmt, NULL, &err), 0);
	ck_assert_ptr_null(by_id(&e, 120));
	ck_assert_int_eq(add(&e, fmt, probes, &err), 0);
	ck_assert_int_eq(by_id(&e, 120)->shape.kind, ZSR_REC_FREE);
	ck_assert_uint_eq(by_id(&e, 120)->shape.has, 0);
	dec_events_free(&e);
}
END_TEST

/* Probes of any name, by their fields: zs_free's have a pool and a handle, and a
 * pair beside them that has nothing is of a function that does nothing. */
START_TEST(guessed)
{
	static const char *const texts[] = {
		TINY_FORMAT("a", 130, TINY_U64("__probe_ip", 8)),
		TINY_FORMAT("ar", 131,
			    TINY_U64("__probe_func", 8)
				    TINY_U64("__probe_ret_ip", 16)),
		TINY_FORMAT("zf", 132,
			    TINY_U64("__probe_ip", 8) TINY_U64("pool", 16)
				    TINY_U64("handle", 24)),
		TINY_FORMAT("zfr", 133,
			    TINY_U64("__probe_func", 8)
				    TINY_U64("__probe_ret_ip", 16)),
		TINY_FORMAT("b", 134, TINY_U64("__probe_ip", 8)),
		TINY_FORMAT("b_ret", 135,
			    TINY_U64("__probe_func", 8)
				    TINY_U64("__probe_ret_ip", 16)),
	};
	struct zsr_err err = { 0 };
	struct dec_events e;
	size_t nr, i;

	/* with and without a second pair, of which it is not known which is
	 * which */
	for (nr = 4; nr <= 6; nr += 2) {
		ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
		for (i = 0; i < nr; i++)
			ck_assert_int_eq(add(&e, texts[i], NULL, &err), 0);
		ready(&e);
		ck_assert_int_eq(by_id(&e, 132)->shape.kind, ZSR_REC_FREE);
		ck_assert_uint_eq(by_id(&e, 132)->shape.has, ZSR_REC_HAS_POOL);
		ck_assert_uint_eq(arg_of(by_id(&e, 132), DEC_HANDLE)->off, 24);
		ck_assert_int_eq(by_id(&e, 133)->shape.kind, ZSR_REC_FREE_RET);
		if (nr == 4) {
			ck_assert_int_eq(by_id(&e, 130)->shape.kind,
					 ZSR_REC_EMPTY);
			ck_assert_int_eq(by_id(&e, 131)->shape.kind,
					 ZSR_REC_EMPTY_RET);
		} else {
			ck_assert_ptr_null(by_id(&e, 130));
			ck_assert_ptr_null(by_id(&e, 135));
		}
		dec_events_free(&e);
	}
	/* without a free nothing is guessed */
	ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
	for (i = 0; i < 2; i++)
		ck_assert_int_eq(add(&e, texts[i], NULL, &err), 0);
	ready(&e);
	ck_assert_ptr_null(by_id(&e, 130));
	dec_events_free(&e);
}
END_TEST

static void refused(const char *text, const char *why)
{
	struct zsr_err err = { 0 };
	struct dec_events e;

	ck_assert_int_eq(dec_events_init(&e, NULL, &err), 0);
	ck_assert_int_eq(add(&e, text, NULL, &err), -EINVAL);
	ck_assert_int_eq(err.kind, ZSR_ERR_INPUT);
	ck_assert_msg(strstr(err.msg, why) != NULL, "'%s' lacks '%s'", err.msg,
		      why);
	dec_events_free(&e);
}

START_TEST(bad_formats)
{
	refused(TINY_FORMAT("zs_free", 1,
			    TINY_U64("__probe_ip", 8) TINY_U64("pool", 16)),
		"event zs_free: no field handle");
	refused(TINY_FORMAT("zs_malloc", 1,
			    TINY_U64("__probe_ip", 8) TINY_U64("pool", 16)),
		"event zs_malloc: no field size");
	refused(TINY_FORMAT("zs_free", 99999, TINY_U64("handle", 8)),
		"out of range");
	refused(TINY_FORMAT("zs_free", 1,
			    "\tfield:u64 handle;\toffset:65530;\tsize:8;"
			    "\tsigned:0;\n"),
		"field handle at offset");
	refused(TINY_FORMAT("zs_free", 1,
			    "\tfield:u8 handle[3];\toffset:8;\tsize:3;"
			    "\tsigned:0;\n"),
		"has size 3");
	refused("name: zs_free\nID: 3\nformat:\n", "zs_free");
	refused(TINY_FORMAT("zs_free", 1,
			    "\tfield:u64 handle[;\toffset:8;\tsize:8;"
			    "\tsigned:0;\n"),
		"unreadable format");
	refused(TINY_FORMAT("zs_free", 1,
			    "\tfield:u64 handle;\toffset:-8;\tsize:8;"
			    "\tsigned:0;\n"),
		"unreadable format");
	refused("name: zs_free\n", "without name or ID");
	refused("", "without name or ID");
}
END_TEST

ZSR_TEST_MAIN("events", names, roles, kinds, formats, places, renamed, guessed,
	      bad_formats)
