/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to pack/. */
#ifndef ZSR_PACK_PRIVATE_H
#define ZSR_PACK_PRIVATE_H

#include "pack/pack.h"

/* ---- members of a pack, in the order they come in ----------------------- */

enum pk_member {
	PK_MANIFEST,
	PK_README,
	PK_FACTS,
	PK_RESULTS,
	PK_EVENTS,
	PK_NR_MEMBERS
};

struct pk_limit {
	const char *name;
	uint64_t max; /* bytes */
};
extern const struct pk_limit pk_members[PK_NR_MEMBERS];

/* So many times its own size a pack may hold, and a MiB. */
#define PK_MAX_RATIO 1000

/* ---- text that grows ------------------------------------------------------ */

struct pk_text {
	char *s;
	size_t len, cap;
};

/* N bytes, and a NUL behind them that does not count. */
int pk_text_add(struct pk_text *t, const void *p, size_t n, struct zsr_err *err);

/* ---- manifest.c ----------------------------------------------------------- */

/* N bytes of UTF-8, by lead and trail bytes, without a control character but
 * CONTROLS: it can be printed. A NUL follows. */
bool pk_is_text(const char *s, size_t n, const char *controls);

int pk_manifest_print(const struct zsr_manifest *m, struct pk_text *to,
		      struct zsr_err *err);
/* Lines must be as pk_manifest_print() makes them, in order. */
int pk_manifest_parse(struct zsr_manifest *m, const char *text,
		      struct zsr_err *err);
int pk_manifest_number(const struct zsr_manifest *m, const char *key,
		       uint64_t max, uint64_t *value, struct zsr_err *err);

/* ---- facts.c: tables of a trace as lines ---------------------------------- */

int pk_facts_print(struct zsr_db *db, const struct zsr_trace *t,
		   struct pk_text *to, struct zsr_err *err);

struct pk_fact {
	char table; /* 't'ask, 'p'ool, 'm'ark, 'f'act, 'o'dd */
	int64_t nr; /* of a task, pool or mark */
	int32_t pid;
	const char *key; /* of facts and odd counts */
	const char *value;
};

int pk_facts_parse(const char *text,
		   int (*fn)(void *ctx, const struct pk_fact *fact,
			     struct zsr_err *err),
		   void *ctx, struct zsr_err *err);

/* ---- columns.c, events_*.c: events as columns ------------------------------ */

#define PK_SEGMENT 65536 /* events */

struct pk_encoder;
struct pk_encoder *pk_encoder_new(void);
void pk_encoder_free(struct pk_encoder *e);
/* The next N (1 to PK_SEGMENT) events; *bytes belongs to E until its next
 * call. */
int pk_encode(struct pk_encoder *e, const struct zsr_event *ev, size_t n,
	      const void **bytes, size_t *len, struct zsr_err *err);

struct pk_decoder;
struct pk_decoder *pk_decoder_new(void);
void pk_decoder_free(struct pk_decoder *d);
/*
 * The events of one segment, LEN bytes, which must be all it takes. Returns
 * their number, with *ev those of D until its next call, or -errno.
 */
int pk_decode(struct pk_decoder *d, const void *bytes, size_t len,
	      const struct zsr_event **ev, struct zsr_err *err);

/* ---- results.c ---------------------------------------------------------------- */

/* Whether the manifest's runs are those of TEXT. */
int pk_results_check(const char *text, const struct zsr_manifest *m,
		     struct zsr_err *err);

/* ---- names.c: what may leave a house --------------------------------------- */

/* As they are when they are allowed, else something that says nothing. */
void pk_clean_comm(const char *comm, char to[32]);
void pk_clean_mark(const char *text, char *to, size_t size);
void pk_clean_pool(const char *name, uint32_t nr, char *to, size_t size);
void pk_clean_release(const char *release, char *to, size_t size);
bool pk_meta_allowed(const char *key, const char *value);

/* ---- leaks.c ------------------------------------------------------------------ */

int pk_leaks(const struct zsr_manifest *m, const char *readme, const char *facts,
	     const char *results, int (*fn)(void *ctx, const char *leak),
	     void *ctx, struct zsr_err *err);

/* ---- child.c: the archive, taken apart ------------------------------------- */

struct pk_child;

struct pk_entry {
	char name[256];
	char what[24]; /* "file", or what else it is */
	uint64_t size;
};

int pk_child_start(struct pk_child **c, int fd, const char *name,
		   struct zsr_err *err);
/* The next entry, the one before read to its end: 1, 0 at the end. */
int pk_child_entry(struct pk_child *c, struct pk_entry *e, struct zsr_err *err);
/* Up to N bytes of it; 0 at its end. */
ssize_t pk_child_read(struct pk_child *c, void *p, size_t n,
		      struct zsr_err *err);
void pk_child_free(struct pk_child *c);

/* ---- armour.c ---------------------------------------------------------------- */

/* The pack in a text, into a file without a name: its descriptor. */
int pk_armour_read(int fd, int *out, struct zsr_err *err);
bool pk_armour_begins(const char *text, size_t len);

#endif
