/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces on their way to other people: packs (one file with a trace, its
 * results and a manifest of checksums), the same as text in a mail, and what
 * is changed of a trace before it leaves. The format is in zsr-pack(5).
 */
#ifndef ZSR_PACK_H
#define ZSR_PACK_H

#include "base/base.h"
#include "db/db.h"

/* ---- a database for a while ------------------------------------------- */

struct zsr_scratch {
	struct zsr_db *db;
	char *dir;
};

/* A database in a new directory of $TMPDIR, both gone after the close. */
int zsr_scratch_open(struct zsr_scratch *s, struct zsr_err *err);
void zsr_scratch_close(struct zsr_scratch *s);

/* ---- changing a trace ------------------------------------------------ */

struct zsr_change {
	bool anonymise; /* see zsr-pack(1) */
	bool size_class; /* sizes: the largest of their size class */
	uint64_t quantise_ns; /* times: multiples of it; 0: as they are */
	bool no_durations;
	/*
	 * Times between events that are shorter than this become their mean,
	 * by kind, and events that are left out take none: pauses stay what
	 * they are. Durations are dropped with it. 0: as they are.
	 */
	uint64_t even_ns;
	const bool *keep; /* by object: its calls stay; NULL: all do */
};

/*
 * T of FROM as a new trace NAME of TO (another handle), changed. What it is
 * then is in *out.
 */
int zsr_trace_change(struct zsr_db *from, const struct zsr_trace *t,
		     const struct zsr_change *change, struct zsr_db *to,
		     const char *name, struct zsr_trace *out,
		     struct zsr_err *err);

/* ---- manifests -------------------------------------------------------- */

/* Lines "key: value", sorted by key. Zeroed: empty. */
struct zsr_manifest {
	struct zsr_manifest_line {
		char *key;
		char *value;
	} * line;
	size_t nr, cap;
};

/* Replaces what the key had. Keys are [a-z0-9._-], values one line of
 * printable UTF-8. */
int zsr_manifest_set(struct zsr_manifest *m, const char *key, const char *value,
		     struct zsr_err *err);
int zsr_manifest_setf(struct zsr_manifest *m, struct zsr_err *err,
		      const char *key, const char *fmt, ...) ZSR_PRINTF(4, 5);
/* NULL when it is not there. */
const char *zsr_manifest_get(const struct zsr_manifest *m, const char *key);
void zsr_manifest_free(struct zsr_manifest *m);

/* ---- writing a pack --------------------------------------------------- */

struct zsr_pack_what {
	struct zsr_db *db;
	const struct zsr_trace *trace;
	const struct zsr_manifest *more; /* lines beside the pack's own */
	const char *readme; /* text */
	const char *results; /* text: zsr_results_write() */
};

/*
 * A pack of WHAT to F. The same WHAT gives the same bytes. *bytes is its
 * length.
 */
int zsr_pack_write(const struct zsr_pack_what *what, FILE *f, uint64_t *bytes,
		   struct zsr_err *err);

/* A run as text that zsr_results_read() takes. */
int zsr_results_write(FILE *f, const struct zsr_run *run, struct zsr_err *err);
/*
 * Each run of such a text, as far as it says what was run and gave which
 * digest; profile_text is the profile's SHA-256. fn may keep nothing of it and
 * returns 0 to go on.
 */
int zsr_results_read(const char *text,
		     int (*fn)(void *ctx, const struct zsr_run *run,
			       struct zsr_err *err),
		     void *ctx, struct zsr_err *err);

/* ---- reading packs of strangers ---------------------------------------- */

struct zsr_pack;

/*
 * Whether what FD is at the begin of is a pack (1), a text with one in it (2),
 * or something else (0). FD is left where it was; it must be seekable.
 */
int zsr_pack_sniff(int fd);

/*
 * Open the pack that begins where FD is, or is found in the text there, and
 * read all of it but the events: each thing checked, each error an input error
 * that begins with NAME. The archive is taken apart by a child process with
 * limits. FD stays the caller's and must stay open.
 */
int zsr_pack_open(struct zsr_pack **p, int fd, const char *name,
		  struct zsr_err *err);
const struct zsr_manifest *zsr_pack_manifest(const struct zsr_pack *p);
const char *zsr_pack_readme(const struct zsr_pack *p);
const char *zsr_pack_results(const struct zsr_pack *p);
/*
 * Its trace into DB as NAME (NULL: the pack's own), once for a pack, and only
 * when its digest is the promised one. -EEXIST, without a change, for a trace
 * that is there already, then *t; not with FORCE.
 */
int zsr_pack_import(struct zsr_pack *p, struct zsr_db *db, const char *name,
		    bool force, struct zsr_trace *t, struct zsr_err *err);
void zsr_pack_close(struct zsr_pack *p);

/*
 * Look for what should not leave a house: fn() gets each leak as a line of
 * text. Needs the events not.
 */
int zsr_pack_leaks(const struct zsr_pack *p,
		   int (*fn)(void *ctx, const char *leak), void *ctx,
		   struct zsr_err *err);
/* The same of one text; WHERE is what the leak's line begins with. */
int zsr_text_leaks(const char *where, const char *text,
		   int (*fn)(void *ctx, const char *leak), void *ctx);

/* ---- mail ---------------------------------------------------------------- */

/* LEN bytes as lines for a mail, with a checksum. */
int zsr_armour_write(FILE *f, const void *data, size_t len);
/* How many bytes that makes. */
uint64_t zsr_armour_size(uint64_t len);

#endif
