// SPDX-License-Identifier: GPL-2.0-only
/* zsr_object gives what a walk over all events finds, under any filter. */
#include "db/t/query.h"

struct life {
	struct zsr_event birth;
	struct zsr_event death;
	bool dead;
};

/* All objects of a trace by number; order[] the dead ones by death. */
struct lives {
	struct life *life;
	size_t nr;
	size_t cap;
	size_t *order;
	size_t nr_dead;
	size_t cap_order;
};

static void add_event(struct lives *l, const struct zsr_event *ev)
{
	if (ev->kind == ZSR_EV_MALLOC) {
		ck_assert_uint_eq(ev->obj, l->nr);
		ck_assert(!zsr_grow(&l->life, &l->cap, l->nr + 1,
				    sizeof(*l->life)));
		l->life[l->nr++] = (struct life){ .birth = *ev };
	} else if (ev->kind == ZSR_EV_FREE && ev->obj != ZSR_OBJ_NONE) {
		ck_assert(!zsr_grow(&l->order, &l->cap_order, l->nr_dead + 1,
				    sizeof(*l->order)));
		l->order[l->nr_dead++] = ev->obj;
		l->life[ev->obj].death = *ev;
		l->life[ev->obj].dead = true;
	}
}

static void read_lives(struct zsr_db *db, int64_t trace, struct lives *l)
{
	const struct zsr_event *ev;
	struct zsr_err e = { 0 };
	struct zsr_cursor *c;
	int i, n;

	memset(l, 0, sizeof(*l));
	OK(zsr_cursor_open(db, trace, &c, &e));
	while ((n = zsr_cursor_next(c, &ev, &e)) > 0)
		for (i = 0; i < n; i++)
			add_event(l, &ev[i]);
	ck_assert_msg(n == 0, "%s", e.msg);
	zsr_cursor_close(c);
}

static void free_lives(struct lives *l)
{
	free(l->life);
	free(l->order);
}

static void put_life(struct zsr_sha *sha, int64_t trace, const struct life *l)
{
	const struct zsr_event *b = &l->birth, *d = &l->death;

	put(sha, trace);
	put(sha, (int64_t)b->obj);
	put(sha, b->pool);
	put(sha, b->size);
	put(sha, (int64_t)b->t_ns);
	put_known(sha, l->dead, (int64_t)d->t_ns);
	put_known(sha, l->dead, (int64_t)(d->t_ns - b->t_ns));
	put(sha, b->task);
	put(sha, b->cpu);
	put_known(sha, l->dead, d->task);
	put_known(sha, l->dead, d->cpu);
	zsr_sha_str(sha, l->dead ? zsr_caller_name(d->caller) : "NULL");
}

START_TEST(every_object)
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char want[ZSR_SHA_HEX], got[ZSR_SHA_HEX];
	uint64_t rows = 0, alive = 0;
	struct zsr_sha sha;
	struct lives l;
	int64_t trace;
	size_t i;

	zsr_sha_init(&sha);
	for (trace = 1; trace <= 2; trace++) {
		read_lives(db, trace, &l);
		for (i = 0; i < l.nr_dead; i++)
			put_life(&sha, trace, &l.life[l.order[i]]);
		for (i = 0; i < l.nr; i++)
			if (!l.life[i].dead) {
				put_life(&sha, trace, &l.life[i]);
				alive++;
			}
		rows += l.nr;
		free_lives(&l);
	}
	zsr_sha_hex(&sha, want);
	ck_assert_uint_eq(query(db, "SELECT * FROM zsr_object", got), rows);
	ck_assert_str_eq(got, want);
	ck_assert_uint_gt(alive, 10);
	ck_assert_uint_eq(
		query(db, "SELECT 1 FROM zsr_object WHERE death_ns IS NULL", got),
		alive);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

static const char *const columns[] = { "trace", "obj",  "birth_ns", "death_ns",
				       "size",  "pool", "life_ns",  "birth_cpu" };
static const char *const operators[] = { "=", "<", "<=", ">", ">=", "IS NOT" };

/* One comparison; values are such that most have some rows. */
static void condition(struct zsr_rng *rng, char *buf, size_t size)
{
	static const uint64_t most[] = { 4,
					 NR_EVENTS / 2,
					 1100 * NR_EVENTS,
					 1100 * NR_EVENTS,
					 4096,
					 3,
					 1000000,
					 80 };
	static const char *const odd[] = { "NULL", "'x'", "-1e30", "1e30",
					   "-0.5", "-1",  "x'00'" };
	unsigned col = (unsigned)zsr_rng_below(rng, ZSR_ARRAY_SIZE(columns));
	const char *op = operators[zsr_rng_below(rng, ZSR_ARRAY_SIZE(operators))];
	uint64_t v = zsr_rng_below(rng, most[col]);

	switch (zsr_rng_below(rng, 8)) {
	case 0:
		snprintf(buf, size, "%s %s %" PRIu64 ".5", columns[col], op, v);
		break;
	case 1:
		snprintf(buf, size, "%s %s %s", columns[col], op,
			 odd[v % ZSR_ARRAY_SIZE(odd)]);
		break;
	case 2:
		snprintf(buf, size, "%s BETWEEN %" PRIu64 " AND %" PRIu64,
			 columns[col], v, v + most[col] / 100);
		break;
	case 3:
		snprintf(buf, size, "%s IN (%" PRIu64 ", %" PRIu64 ")",
			 columns[col], v, v / 2);
		break;
	default:
		snprintf(buf, size, "%s %s %" PRIu64, columns[col], op, v);
	}
}

/* LIMIT keeps SQLite from handing the filter down. */
START_TEST(filters)
{
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char want[ZSR_SHA_HEX], got[ZSR_SHA_HEX], where[600], sql[800];
	struct zsr_rng rng = { 5 };
	uint64_t found = 0;
	unsigned i, j, n;

	for (i = 0; i < 120; i++) {
		n = 1 + (unsigned)zsr_rng_below(&rng, 3);
		where[0] = 0;
		for (j = 0; j < n; j++) {
			strcat(where, j ? " AND " : "");
			condition(&rng, where + strlen(where), 100);
		}
		snprintf(sql, sizeof(sql),
			 "SELECT * FROM zsr_object WHERE %s "
			 "ORDER BY trace, rowid",
			 where);
		found += query(db, sql, got) > 0;
		snprintf(sql, sizeof(sql),
			 "SELECT * FROM (SELECT * FROM zsr_object LIMIT -1) "
			 "WHERE %s ORDER BY trace, obj",
			 where);
		query(db, sql, want);
		ck_assert_msg(!strcmp(got, want), "%s", where);
	}
	ck_assert_uint_gt(found, 40);
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

/* Against zsr_event, and joined with it. */
START_TEST(queries)
{
	static const char *const pairs[][2] = {
		{ "SELECT count(*), sum(size), sum(birth_ns) FROM zsr_object",
		  "SELECT count(*), sum(size), sum(t_ns) FROM zsr_event "
		  "WHERE kind = 'malloc'" },
		{ "SELECT count(*), sum(size), sum(life_ns), sum(death_ns) "
		  "FROM zsr_object WHERE death_ns IS NOT NULL",
		  "SELECT count(*), sum(size), sum(life_ns), sum(t_ns) "
		  "FROM zsr_event WHERE kind = 'free' AND obj IS NOT NULL" },
		{ "SELECT trace, obj FROM zsr_object ORDER BY trace, obj",
		  "SELECT trace, obj FROM zsr_event WHERE kind = 'malloc'" },
		{ "SELECT t.name, o.obj, o.death_task FROM trace t "
		  "JOIN zsr_object o ON o.trace = t.id "
		  "WHERE t.name = 'b' AND o.obj BETWEEN 100 AND 200 "
		  "ORDER BY o.obj",
		  "SELECT 'b', m.obj, f.task FROM zsr_event m LEFT JOIN "
		  "(SELECT * FROM zsr_event WHERE trace = 2 AND "
		  "kind = 'free') f ON f.obj = m.obj WHERE m.trace = 2 AND "
		  "m.kind = 'malloc' AND m.obj BETWEEN 100 AND 200 "
		  "ORDER BY m.obj" },
		{ "SELECT count(DISTINCT rowid) FROM zsr_object",
		  "SELECT count(*) FROM zsr_object" },
	};
	const char *path = gen_path();
	struct zsr_db *db = open_db(path);
	char a[ZSR_SHA_HEX], b[ZSR_SHA_HEX];
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(pairs); i++) {
		ck_assert_uint_gt(query(db, pairs[i][0], a), 0);
		query(db, pairs[i][1], b);
		ck_assert_msg(!strcmp(a, b), "%s", pairs[i][0]);
	}
	zsr_db_close(db);
	gen_cleanup(path);
}
END_TEST

ZSR_TEST_MAIN("db/object", every_object, filters, queries)
