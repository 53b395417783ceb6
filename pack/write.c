// SPDX-License-Identifier: GPL-2.0-only
/* A pack: tar, packed with zstd, with nothing in it that depends on when,
 * where or by whom it was made. */
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack/private.h"

const struct pk_limit pk_members[PK_NR_MEMBERS] = {
	[PK_MANIFEST] = { "manifest.txt", 1 << 20 },
	[PK_README] = { "README", 1 << 20 },
	[PK_FACTS] = { "facts.txt", 64 << 20 },
	[PK_RESULTS] = { "results.txt", 64 << 20 },
	[PK_EVENTS] = { "events", 16ull << 30 },
};

/* What is written, by member; events are in a file. */
struct pack {
	const struct zsr_pack_what *what;
	struct zsr_manifest manifest;
	struct pk_text facts, head;
	FILE *events;
	uint64_t nr_events_bytes;
	struct archive *archive;
	FILE *to;
	uint64_t bytes;
	struct zsr_err *err;
};

/* ---- events ------------------------------------------------------------- */

static int write_segment(struct pack *p, struct zsr_sha *sha, const void *bytes,
			 size_t len)
{
	uint8_t head[4];
	unsigned k;

	for (k = 0; k < 4; k++)
		head[k] = (uint8_t)(len >> 8 * k);
	zsr_sha_bytes(sha, head, sizeof(head));
	zsr_sha_bytes(sha, bytes, len);
	fwrite(head, sizeof(head), 1, p->events);
	fwrite(bytes, len, 1, p->events);
	p->nr_events_bytes += sizeof(head) + len;
	return ferror(p->events) ? zsr_err_sys(p->err, EIO, "temporary file")
				 : 0;
}

/* Batches of a cursor as whole segments. */
static int encode_all(struct pack *p, struct pk_encoder *enc,
		      struct zsr_event *buf, struct zsr_cursor *c,
		      struct zsr_sha *sha)
{
	const struct zsr_event *ev;
	size_t have = 0, len, at, k;
	const void *bytes;
	struct zsr_progress progress;
	uint64_t done = 0;
	int n, ret = 0;

	zsr_progress_start(&progress, "pack", "events",
			   p->what->trace->nr_events);
	do {
		n = zsr_cursor_next(c, &ev, p->err);
		zsr_progress_at(&progress, done += (uint64_t)zsr_max(n, 0));
		for (at = 0; n > 0 && at < (size_t)n && !ret; at += k) {
			k = zsr_min((size_t)n - at, PK_SEGMENT - have);
			memcpy(buf + have, ev + at, k * sizeof(*buf));
			have += k;
			if (have < PK_SEGMENT)
				continue;
			ret = pk_encode(enc, buf, have, &bytes, &len, p->err);
			if (!ret)
				ret = write_segment(p, sha, bytes, len);
			have = 0;
		}
	} while (n > 0 && !ret);
	zsr_progress_finish(&progress);
	if (n < 0 || ret || !have)
		return n < 0 ? n : ret;
	ret = pk_encode(enc, buf, have, &bytes, &len, p->err);
	return ret ? ret : write_segment(p, sha, bytes, len);
}

static int add_member(struct pack *p, enum pk_member member, const char *sha,
		      uint64_t size)
{
	char key[64];
	int ret;

	snprintf(key, sizeof(key), "sha256.%s",
		 member == PK_README ? "readme" : pk_members[member].name);
	ret = zsr_manifest_set(&p->manifest, key, sha, p->err);
	snprintf(key, sizeof(key), "size.%s",
		 member == PK_README ? "readme" : pk_members[member].name);
	return ret ? ret
		   : zsr_manifest_setf(&p->manifest, p->err, key, "%" PRIu64,
				       size);
}

static int make_events(struct pack *p)
{
	struct pk_encoder *enc = pk_encoder_new();
	struct zsr_event *buf = malloc(PK_SEGMENT * sizeof(*buf));
	char hex[ZSR_SHA_HEX];
	struct zsr_cursor *c;
	struct zsr_sha sha;
	int ret;

	p->events = tmpfile();
	if (!enc || !buf || !p->events) {
		ret = zsr_err_nomem(p->err, "events");
		goto out;
	}
	zsr_sha_init(&sha);
	ret = zsr_cursor_open(p->what->db, p->what->trace->id, &c, p->err);
	if (ret)
		goto out;
	ret = encode_all(p, enc, buf, c, &sha);
	zsr_cursor_close(c);
	zsr_sha_hex(&sha, hex);
	if (!ret)
		ret = add_member(p, PK_EVENTS, hex, p->nr_events_bytes);
out:
	pk_encoder_free(enc);
	free(buf);
	return ret;
}

/* ---- the manifest ---------------------------------------------------------- */

static int add_text(struct pack *p, enum pk_member member, const char *text)
{
	char hex[ZSR_SHA_HEX];
	struct zsr_sha sha;

	if (member == PK_README && !pk_is_text(text, strlen(text), "\n\t"))
		return zsr_err_input(p->err, "the README is no text: it has "
					     "control characters, or is no "
					     "UTF-8");
	zsr_sha_init(&sha);
	zsr_sha_bytes(&sha, text, strlen(text));
	zsr_sha_hex(&sha, hex);
	return add_member(p, member, hex, strlen(text));
}

static int describe(struct pack *p)
{
	const struct zsr_trace *t = p->what->trace;
	struct zsr_manifest *m = &p->manifest;
	struct zsr_err *err = p->err;
	int ret = zsr_manifest_set(m, "zsr-pack", "1", err);

#define SET(key, ...)                                                          \
	do {                                                                   \
		if (!ret)                                                      \
			ret = zsr_manifest_setf(m, err, key, __VA_ARGS__);     \
	} while (0)
	SET("name", "%s", t->name);
	SET("digest", "%s", t->digest);
	SET("kernel", "%s", t->kernel);
	SET("lock-generation", "%s", t->lock_gen);
	SET("page-size", "%u", t->page_size);
	SET("chain-size", "%u", t->chain_size);
	SET("fact-flags", "%u", t->fact_flags);
	SET("times", "%s", zsr_times_name(t->times));
	SET("format", "%s", t->format);
	SET("clock", "%s", t->clock);
	SET("from-empty", "%u", t->from_empty);
	SET("cpus", "%u", t->nr_cpus);
	SET("tasks", "%u", t->nr_tasks);
	SET("pools", "%u", t->nr_pools);
	SET("events", "%" PRIu64, t->nr_events);
	SET("mallocs", "%" PRIu64, t->nr_mallocs);
	SET("frees", "%" PRIu64, t->nr_frees);
	SET("duration-ns", "%" PRIu64, t->duration_ns);
	SET("lost", "%" PRIu64, t->nr_lost);
	SET("lost-places", "%" PRIu64, t->nr_lost_places);
#undef SET
	return ret;
}

static int count_odd(void *ctx, int64_t nr, const char *key, const char *value)
{
	struct pack *p = ctx;
	char name[64];

	snprintf(name, sizeof(name), "odd.%s", key);
	return zsr_manifest_set(&p->manifest, name, value, p->err);
}

static int make_manifest(struct pack *p)
{
	const struct zsr_manifest *more = p->what->more;
	size_t i;
	int ret = describe(p);

	if (!ret)
		ret = zsr_trace_rows(p->what->db, p->what->trace->id,
				     ZSR_TABLE_ODD, count_odd, p, p->err);
	if (!ret)
		ret = add_text(p, PK_README, p->what->readme);
	if (!ret)
		ret = add_text(p, PK_FACTS, p->facts.s);
	if (!ret)
		ret = add_text(p, PK_RESULTS, p->what->results);
	for (i = 0; more && i < more->nr && !ret; i++)
		ret = zsr_manifest_get(&p->manifest, more->line[i].key)
			      ? zsr_err_usage(p->err, "'%s' is the pack's own",
					      more->line[i].key)
			      : zsr_manifest_set(&p->manifest, more->line[i].key,
						 more->line[i].value, p->err);
	return ret ? ret : pk_manifest_print(&p->manifest, &p->head, p->err);
}

/* ---- the archive ------------------------------------------------------------ */

static la_ssize_t on_write(struct archive *a, void *ctx, const void *buf,
			   size_t n)
{
	struct pack *p = ctx;

	p->bytes += n;
	if (fwrite(buf, 1, n, p->to) == n)
		return (la_ssize_t)n;
	archive_set_error(a, errno, "writing");
	return -1;
}

static int fault(struct pack *p)
{
	int e = archive_errno(p->archive);

	return zsr_err_sys(p->err, e > 0 ? e : EIO, "writing the pack: %s",
			   archive_error_string(p->archive));
}

static int put_head(struct pack *p, enum pk_member member, uint64_t size)
{
	struct archive_entry *e = archive_entry_new();
	int ret = 0;

	if (!e)
		return zsr_err_nomem(p->err, "pack");
	archive_entry_set_pathname(e, pk_members[member].name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, 0, 0);
	archive_entry_set_size(e, (la_int64_t)size);
	if (archive_write_header(p->archive, e))
		ret = fault(p);
	archive_entry_free(e);
	return ret;
}

static int put_data(struct pack *p, const void *data, size_t n)
{
	return archive_write_data(p->archive, data, n) == (la_ssize_t)n
		       ? 0
		       : fault(p);
}

static int put_text(struct pack *p, enum pk_member member, const char *text)
{
	int ret;

	if (strlen(text) > pk_members[member].max)
		return zsr_err_input(p->err, "%s would be too long",
				     pk_members[member].name);
	ret = put_head(p, member, strlen(text));
	return ret ? ret : put_data(p, text, strlen(text));
}

static int put_events(struct pack *p)
{
	int ret = put_head(p, PK_EVENTS, p->nr_events_bytes);
	char block[16384];
	size_t n;

	rewind(p->events);
	while (!ret && (n = fread(block, 1, sizeof(block), p->events)) > 0)
		ret = put_data(p, block, n);
	return ret;
}

static int put_all(struct pack *p)
{
	struct archive *a = p->archive = archive_write_new();
	int ret;

	if (!a)
		return zsr_err_nomem(p->err, "pack");
	if (archive_write_add_filter_zstd(a) ||
	    archive_write_set_filter_option(a, "zstd", "compression-level",
					    "19") ||
	    archive_write_set_format_ustar(a) ||
	    archive_write_set_bytes_in_last_block(a, 1) ||
	    archive_write_open(a, p, NULL, on_write, NULL))
		return fault(p);
	ret = put_text(p, PK_MANIFEST, p->head.s);
	if (!ret)
		ret = put_text(p, PK_README, p->what->readme);
	if (!ret)
		ret = put_text(p, PK_FACTS, p->facts.s);
	if (!ret)
		ret = put_text(p, PK_RESULTS, p->what->results);
	if (!ret)
		ret = put_events(p);
	return !ret && archive_write_close(a) ? fault(p) : ret;
}

int zsr_pack_write(const struct zsr_pack_what *what, FILE *f, uint64_t *bytes,
		   struct zsr_err *err)
{
	struct pack p = { .what = what, .to = f, .err = err };
	int ret = pk_text_add(&p.facts, "", 0, err);

	if (!ret)
		ret = pk_facts_print(what->db, what->trace, &p.facts, err);
	if (!ret)
		ret = make_events(&p);
	if (!ret)
		ret = make_manifest(&p);
	if (!ret)
		ret = put_all(&p);
	*bytes = p.bytes;
	if (p.archive)
		archive_write_free(p.archive);
	if (p.events)
		fclose(p.events);
	zsr_manifest_free(&p.manifest);
	free(p.facts.s);
	free(p.head.s);
	return ret ? zsr_err_wrap(err, ret, "pack of '%s'", what->trace->name)
		   : 0;
}
