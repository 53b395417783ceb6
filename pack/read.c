// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packs, as strangers send them: each member where it has to be, no longer
 * than it may be, of the checksum that the manifest gives.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pack/reader.h"

/* ---- members ------------------------------------------------------------------ */

static const char *leads_out(const char *name)
{
	const char *p = name;

	if (*name == '/')
		return "is an absolute path";
	while (p) {
		if (!strncmp(p, "..", 2) && (!p[2] || p[2] == '/'))
			return "leads out of the pack";
		p = strchr(p, '/');
		p += p != NULL;
	}
	return NULL;
}

/* Why an entry cannot be MEMBER: an input error. */
static int refuse(const struct pk_entry *e, enum pk_member member,
		  struct zsr_err *err)
{
	const char *why = leads_out(e->name);
	unsigned i;

	if (why)
		return zsr_err_input(err, "'%s' %s", e->name, why);
	if (strcmp(e->what, "file"))
		return zsr_err_input(err, "'%s' is %s; packs are of files",
				     e->name, e->what);
	for (i = 0; i < (unsigned)member; i++)
		if (!strcmp(e->name, pk_members[i].name))
			return zsr_err_input(err, "there is a second '%s'",
					     e->name);
	if (member < PK_NR_MEMBERS)
		return zsr_err_input(err, "'%s' where '%s' has to be", e->name,
				     pk_members[member].name);
	return zsr_err_input(err, "'%s' after the last member", e->name);
}

static int promised(struct zsr_pack *p, enum pk_member member, const char *what,
		    const char **value, struct zsr_err *err)
{
	char key[64];

	snprintf(key, sizeof(key), "%s.%s", what,
		 member == PK_README ? "readme" : pk_members[member].name);
	*value = zsr_manifest_get(&p->manifest, key);
	return *value ? 0 : zsr_err_input(err, "manifest.txt: no %s", key);
}

static int check_size(struct zsr_pack *p, enum pk_member member, uint64_t size,
		      struct zsr_err *err)
{
	const char *name = pk_members[member].name, *want;
	char text[24];
	int ret;

	if (size > pk_members[member].max)
		return zsr_err_input(err,
				     "'%s' has %" PRIu64 " bytes, %" PRIu64
				     " are allowed",
				     name, size, pk_members[member].max);
	p->unpacked += size;
	if (p->unpacked > PK_MAX_RATIO * p->packed + (1 << 20))
		return zsr_err_input(err,
				     "'%s': unpacked it is more than %d times "
				     "the pack: a bomb",
				     name, PK_MAX_RATIO);
	if (member == PK_MANIFEST)
		return 0;
	ret = promised(p, member, "size", &want, err);
	snprintf(text, sizeof(text), "%" PRIu64, size);
	if (!ret && strcmp(text, want))
		ret = zsr_err_input(err,
				    "'%s' has %s bytes, the manifest says %s",
				    name, text, want);
	return ret;
}

int pk_check_sha(struct zsr_pack *p, enum pk_member member, struct zsr_sha *sha,
		 struct zsr_err *err)
{
	char hex[ZSR_SHA_HEX];
	const char *want;
	int ret = promised(p, member, "sha256", &want, err);

	zsr_sha_hex(sha, hex);
	if (!ret && strcmp(hex, want))
		ret = zsr_err_input(err,
				    "'%s' is not what the manifest says: "
				    "its checksum differs",
				    pk_members[member].name);
	return ret;
}

int pk_enter(struct zsr_pack *p, enum pk_member member, uint64_t *size,
	     struct zsr_err *err)
{
	struct pk_entry e;
	int ret = pk_child_entry(p->child, &e, err);

	if (ret < 0)
		return ret;
	if (!ret)
		return member == PK_NR_MEMBERS
			       ? 0
			       : zsr_err_input(err, "%s: '%s' is missing",
					       p->name, pk_members[member].name);
	if (member == PK_NR_MEMBERS || strcmp(e.what, "file") ||
	    strcmp(e.name, pk_members[member].name))
		ret = refuse(&e, member, err);
	else
		ret = check_size(p, member, e.size, err);
	*size = e.size;
	return ret ? zsr_err_wrap(err, ret, "%s", p->name) : 0;
}

int pk_read(struct zsr_pack *p, void *to, size_t n, struct zsr_err *err)
{
	size_t got = 0;
	ssize_t k;

	while (got < n) {
		k = pk_child_read(p->child, (char *)to + got, n - got, err);
		if (k < 0)
			return (int)k;
		if (!k)
			return zsr_err_input(err, "%s: a member ends too early",
					     p->name);
		got += (size_t)k;
	}
	return 0;
}

static int no_text(enum pk_member member, struct zsr_err *err)
{
	return zsr_err_input(err, "'%s' is no text", pk_members[member].name);
}

static int read_text(struct zsr_pack *p, enum pk_member member,
		     struct zsr_err *err)
{
	struct pk_text *t = &p->text[member];
	struct zsr_sha sha;
	char block[16384];
	uint64_t size, at;
	size_t n;
	int ret = pk_enter(p, member, &size, err);

	if (!ret)
		ret = pk_text_add(t, "", 0, err);
	/* Memory grows with what is there, not with what is claimed. */
	for (at = 0; !ret && at < size; at += n) {
		n = (size_t)zsr_min(size - at, (uint64_t)sizeof(block));
		ret = pk_read(p, block, n, err);
		if (!ret)
			ret = pk_text_add(t, block, n, err);
	}
	if (ret)
		return ret;
	zsr_sha_init(&sha);
	zsr_sha_bytes(&sha, t->s, t->len);
	if (strlen(t->s) != t->len)
		ret = no_text(member, err);
	else if (member == PK_MANIFEST)
		ret = pk_manifest_parse(&p->manifest, t->s, err);
	else
		ret = pk_check_sha(p, member, &sha, err);
	/* These are printed; facts have rules of their own. */
	if (!ret && (member == PK_README || member == PK_RESULTS) &&
	    !pk_is_text(t->s, t->len, "\n\t"))
		ret = no_text(member, err);
	if (ret && member == PK_MANIFEST)
		zsr_err_wrap(err, ret, "manifest.txt");
	return ret ? zsr_err_wrap(err, ret, "%s", p->name) : 0;
}

/* ---- open and close -------------------------------------------------------------- */

int zsr_pack_sniff(int fd)
{
	static const uint8_t magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const char not_text[] = "\x17\x08\x44tracing";
	off_t at = lseek(fd, 0, SEEK_CUR);
	char *buf;
	ssize_t n;
	int found = 0;

	if (at < 0)
		return 0;
	buf = malloc(1 << 20);
	n = buf ? pread(fd, buf, 10, at) : 0;
	if (n >= 4 && !memcmp(buf, magic, 4))
		found = 1;
	else if (n > 0 && (n < 10 || memcmp(buf, not_text, 10)))
		while (!found && (n = pread(fd, buf, 1 << 20, at)) > 0) {
			found = pk_armour_begins(buf, (size_t)n) ? 2 : 0;
			if (memchr(buf, 0, (size_t)n) || n <= 256)
				break;
			at += n - 256; /* the line may be cut */
		}
	free(buf);
	return found;
}

static int check_version(struct zsr_pack *p, struct zsr_err *err)
{
	const char *version = zsr_manifest_get(&p->manifest, "zsr-pack");

	if (!version)
		return zsr_err_input(err, "%s: manifest.txt: no zsr-pack line",
				     p->name);
	if (strcmp(version, "1"))
		return zsr_err_input(err,
				     "%s: a pack of version %.20s; this "
				     "zsr knows version 1",
				     p->name, version);
	return 0;
}

static int open_archive(struct zsr_pack *p, int fd, struct zsr_err *err)
{
	struct stat st;
	off_t at;
	int kind = zsr_pack_sniff(fd), ret = 0;

	if (!kind)
		return zsr_err_input(err, "%s: no pack", p->name);
	if (kind == 2)
		ret = pk_armour_read(fd, &p->own_fd, err);
	if (ret)
		return zsr_err_wrap(err, ret, "%s", p->name);
	fd = kind == 2 ? p->own_fd : fd;
	at = lseek(fd, 0, SEEK_CUR);
	if (fstat(fd, &st) || at < 0)
		return zsr_err_sys(err, errno, "%s", p->name);
	p->packed = (uint64_t)(st.st_size - zsr_min(at, st.st_size));
	return pk_child_start(&p->child, fd, p->name, err);
}

int zsr_pack_open(struct zsr_pack **out, int fd, const char *name,
		  struct zsr_err *err)
{
	struct zsr_pack *p = calloc(1, sizeof(*p));
	enum pk_member m;
	int ret;

	*out = NULL;
	if (!p || !(p->name = strdup(name))) {
		free(p);
		return zsr_err_nomem(err, "pack");
	}
	p->own_fd = -1;
	ret = open_archive(p, fd, err);
	for (m = PK_MANIFEST; m < PK_EVENTS && !ret; m++) {
		ret = read_text(p, m, err);
		if (!ret && m == PK_MANIFEST)
			ret = check_version(p, err);
	}
	if (!ret) {
		ret = pk_results_check(p->text[PK_RESULTS].s, &p->manifest, err);
		if (ret)
			zsr_err_wrap(err, ret, "%s", p->name);
	}
	if (!ret)
		ret = pk_enter(p, PK_EVENTS, &p->nr_events_bytes, err);
	if (ret)
		zsr_pack_close(p);
	else
		*out = p;
	return ret;
}

void zsr_pack_close(struct zsr_pack *p)
{
	unsigned i;

	if (!p)
		return;
	pk_child_free(p->child);
	if (p->own_fd >= 0)
		close(p->own_fd);
	for (i = 0; i < PK_EVENTS; i++)
		free(p->text[i].s);
	zsr_manifest_free(&p->manifest);
	free(p->name);
	free(p);
}

const struct zsr_manifest *zsr_pack_manifest(const struct zsr_pack *p)
{
	return &p->manifest;
}

const char *zsr_pack_readme(const struct zsr_pack *p)
{
	return p->text[PK_README].s;
}

const char *zsr_pack_results(const struct zsr_pack *p)
{
	return p->text[PK_RESULTS].s;
}

int zsr_pack_leaks(const struct zsr_pack *p,
		   int (*fn)(void *ctx, const char *leak), void *ctx,
		   struct zsr_err *err)
{
	return pk_leaks(&p->manifest, p->text[PK_README].s, p->text[PK_FACTS].s,
			p->text[PK_RESULTS].s, fn, ctx, err);
}
