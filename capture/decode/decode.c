// SPDX-License-Identifier: GPL-2.0-only
/* What is at a path: told from what it holds, never from what it is called. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/decode/decode.h"

#define HEAD        8192
#define MAX_ENTRIES 4096

enum what {
	NOTHING,
	TRACE_DAT,
	TEXT,
	PERF_TEXT,
	CSV,
	GRAPH,
	FOREIGN,
};

static enum what what_is(const struct zsr_event_map *map, const uint8_t *head,
			 size_t len)
{
	if (dec_is_dat(head, len))
		return TRACE_DAT;
	if (dec_is_csv(map, head, len))
		return CSV;
	if (dec_foreign(head, len))
		return FOREIGN;
	if (dec_is_perf_text(head, len))
		return PERF_TEXT;
	if (dec_is_graph_text(head, len))
		return GRAPH;
	return dec_is_text(head, len) ? TEXT : NOTHING;
}

const char *dec_foreign(const uint8_t *head, size_t len)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *what;
	} files[] = {
		{ "PERFILE2", 8,
		  "a perf.data recording: print it with perf script" },
		{ "\xc1\x1f\xfc\xc1", 4,
		  "a stream of a CTF trace: name its "
		  "directory" },
		{ "\x7f"
		  "ELF",
		  4, "an ELF object" },
		{ "\x89PNG", 4, "a PNG image" },
		{ "\x1f\x8b", 2, "gzip-compressed: unpack it first" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd-compressed: unpack it first" },
		{ "\xfd"
		  "7zXZ",
		  5, "xz-compressed: unpack it first" },
		{ "SQLite format 3", 15, "a SQLite database" },
		{ "%PDF", 4, "a PDF document" },
		{ "PK\x03\x04", 4, "a zip archive" },
		{ "Attaching ", 10,
		  "the output of bpftrace, in lines without a header: "
		  "zsr-map(5) tells how to say what they hold" },
	};
	size_t i;

	if (dec_is_ctf(head, len))
		return "metadata of a CTF trace: name its directory";
	for (i = 0; i < ZSR_ARRAY_SIZE(files); i++)
		if (len >= files[i].len &&
		    !memcmp(head, files[i].magic, files[i].len))
			return files[i].what;
	return NULL;
}

static int refuse(const char *name, const uint8_t *head, size_t len,
		  struct zsr_err *err)
{
	const char *what = dec_foreign(head, len);

	if (!len)
		return zsr_err_input(err, "%s: is empty", name);
	if (what)
		return zsr_err_input(err,
				     "%s: is %s; zsr reads trace.dat, raw "
				     "ring-buffer pages, ftrace text and CTF",
				     name, what);
	return zsr_err_input(err,
			     "%s: is neither trace.dat, nor raw ring-buffer "
			     "pages with their formats, nor ftrace text",
			     name);
}

static int decode_as(struct dec *d, struct dec_file *f, enum what what,
		     const uint8_t *head, size_t len, struct zsr_err *err)
{
	if (what == TRACE_DAT)
		return dec_dat(d, f, err);
	if (what == TEXT)
		return dec_text(d, f, err);
	if (what == PERF_TEXT)
		return dec_perf_text(d, f, err);
	if (what == CSV)
		return dec_csv(d, f, head, len, err);
	if (what == GRAPH)
		return dec_graph_text(d, f, err);
	return refuse(f->name, head, len, err);
}

static int from_stdin(struct dec *d, struct zsr_err *err)
{
	uint8_t head[HEAD];
	struct dec_file f;
	enum what what;
	size_t len;
	int ret;

	ret = dec_file_stdin(&f, err);
	if (ret)
		return ret;
	ret = dec_file_head(&f, head, sizeof(head), &len, err);
	what = what_is(d->map, head, len);
	if (!ret && what == TRACE_DAT && !f.seekable)
		ret = dec_file_slurp(&f, d->max_memory / 2, err);
	if (!ret)
		ret = decode_as(d, &f, what, head, len, err);
	dec_file_close(&f);
	return ret;
}

/* ---- directories ---------------------------------------------------- */

struct found {
	const struct zsr_event_map *map;
	char dat[256], text[256], foreign[256], sub[1024];
	const char *foreign_is;
	unsigned nr_dat, nr_text;
};

static bool is_raw_dir(int dirfd)
{
	struct stat st;

	return !fstatat(dirfd, "formats", &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode) &&
	       !fstatat(dirfd, "raw", &st, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(st.st_mode);
}

static void set(char to[256], const char *name)
{
	snprintf(to, 256, "%s", name);
}

static void note_file(struct found *found, int dirfd, const char *name)
{
	uint8_t head[HEAD];
	struct zsr_err ignored;
	struct dec_file f;
	size_t len = 0;

	if (dec_file_open(&f, dirfd, name, name, &ignored))
		return;
	if (!dec_file_head(&f, head, sizeof(head), &len, &ignored)) {
		switch (what_is(found->map, head, len)) {
		case TRACE_DAT:
			found->nr_dat++;
			set(found->dat, name);
			break;
		case TEXT:
		case PERF_TEXT:
		case CSV:
		case GRAPH:
			found->nr_text++;
			set(found->text, name);
			break;
		case FOREIGN:
			set(found->foreign, name);
			found->foreign_is = dec_foreign(head, len);
			break;
		default:
			break;
		}
	}
	dec_file_close(&f);
}

static int look(struct found *found, int dirfd, unsigned depth);

/* Captures in directories below: for the message that names them. */
static void note_dir(struct found *found, int dirfd, const char *name,
		     unsigned depth)
{
	struct found below = { .map = found->map };
	int fd;

	fd = openat(dirfd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	look(&below, fd, depth - 1);
	if (is_raw_dir(fd) || below.nr_dat || below.nr_text) {
		size_t n = strlen(found->sub);

		snprintf(found->sub + n, sizeof(found->sub) - n, "%s%s",
			 n ? ", " : "", name);
	}
	if (below.foreign_is && !found->foreign_is) {
		snprintf(found->foreign, sizeof(found->foreign),
			 "%.100s/%.150s", name, below.foreign);
		found->foreign_is = below.foreign_is;
	}
	close(fd);
}

static int look(struct found *found, int dirfd, unsigned depth)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	unsigned n = 0;
	struct dirent *e;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	while ((e = readdir(dir)) && n++ < MAX_ENTRIES) {
		struct stat st;

		if (e->d_name[0] == '.' ||
		    fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (S_ISREG(st.st_mode))
			note_file(found, dirfd, e->d_name);
		else if (S_ISDIR(st.st_mode) && depth)
			note_dir(found, dirfd, e->d_name, depth);
	}
	closedir(dir);
	return 0;
}

static int one_file(struct dec *d, int dirfd, const char *dir, const char *name,
		    struct zsr_err *err)
{
	uint8_t head[HEAD];
	struct dec_file f;
	char full[512];
	size_t len = 0;
	int ret;

	snprintf(full, sizeof(full), "%s/%s", dir, name);
	ret = dec_file_open(&f, dirfd, name, full, err);
	if (ret)
		return ret;
	ret = dec_file_head(&f, head, sizeof(head), &len, err);
	if (!ret)
		ret = decode_as(d, &f, what_is(d->map, head, len), head, len,
				err);
	dec_file_close(&f);
	return ret;
}

static int nothing_in(const char *path, const struct found *found,
		      struct zsr_err *err)
{
	if (*found->sub)
		return zsr_err_input(err,
				     "%s: no capture itself, but there are some"
				     " below: %s",
				     path, found->sub);
	if (found->foreign_is)
		return zsr_err_input(err,
				     "%s/%s: is %s; zsr reads trace.dat, raw "
				     "ring-buffer pages, ftrace text and CTF",
				     path, found->foreign, found->foreign_is);
	return zsr_err_input(err,
			     "%s: no capture in this directory (trace.dat, raw/"
			     " with formats/, ftrace text, or CTF)",
			     path);
}

static int from_dir(struct dec *d, int dirfd, const char *path,
		    struct zsr_err *err)
{
	struct found found = { .map = d->map };
	bool raw = is_raw_dir(dirfd);
	int ret;

	ret = look(&found, dirfd, 0);
	if (!ret && !raw && !found.nr_dat && !found.nr_text)
		ret = look(&found, dirfd, 2);
	if (ret)
		return zsr_err_input(err, "%s: %s", path, strerror(-ret));
	if (found.nr_dat > 1)
		return zsr_err_input(err,
				     "%s: holds %u trace.dat files: name "
				     "one of them",
				     path, found.nr_dat);
	if (!found.nr_dat && !raw && found.nr_text > 1)
		return zsr_err_input(err,
				     "%s: holds %u ftrace texts: name one "
				     "of them",
				     path, found.nr_text);
	if (!found.nr_dat && !raw && !found.nr_text) {
		bool is_ctf = false;

		if (!*found.sub)
			ret = dec_ctf(d, dirfd, path, &is_ctf, err);
		return is_ctf ? ret : nothing_in(path, &found, err);
	}
	ret = dec_sidecars(d, dirfd, path, err);
	if (ret)
		return ret;
	if (found.nr_dat)
		return one_file(d, dirfd, path, found.dat, err);
	if (raw)
		return dec_raw(d, dirfd, path, err);
	return one_file(d, dirfd, path, found.text, err);
}

/* ---- any path ------------------------------------------------------- */

/* When DIR is the raw/ of a capture: the directory around it, else -1. */
static int raw_around(const char *dir)
{
	struct stat inner, raw;
	char up[4200];
	int fd;

	snprintf(up, sizeof(up), "%s/..", dir);
	fd = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (is_raw_dir(fd) && !stat(dir, &inner) &&
	    !fstatat(fd, "raw", &raw, 0) && raw.st_ino == inner.st_ino &&
	    raw.st_dev == inner.st_dev)
		return fd;
	close(fd);
	return -1;
}

/* A file of pages belongs to the capture around it. */
static int raw_around_file(const char *path)
{
	char dir[4096];
	const char *slash = strrchr(path, '/');

	if (!slash)
		return raw_around(".");
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	return raw_around(*dir ? dir : "/");
}

static int from_around(struct dec *d, int fd, const char *path,
		       struct zsr_err *err)
{
	int ret = dec_sidecars(d, fd, path, err);

	if (!ret)
		ret = dec_raw(d, fd, path, err);
	close(fd);
	return ret;
}

static int from_file(struct dec *d, const char *path, struct zsr_err *err)
{
	uint8_t head[HEAD];
	struct dec_file f;
	size_t len = 0;
	enum what what;
	int ret, fd;

	ret = dec_file_open(&f, AT_FDCWD, path, path, err);
	if (ret)
		return ret;
	ret = dec_file_head(&f, head, sizeof(head), &len, err);
	if (ret)
		goto out;
	what = what_is(d->map, head, len);
	fd = what == NOTHING ? raw_around_file(path) : -1;
	if (fd >= 0)
		ret = from_around(d, fd, path, err);
	else
		ret = decode_as(d, &f, what, head, len, err);
out:
	dec_file_close(&f);
	return ret;
}

int dec_path(struct dec *d, const char *path, struct zsr_err *err)
{
	struct stat st;
	int fd, ret;

	if (!strcmp(path, "-"))
		return from_stdin(d, err);
	if (stat(path, &st))
		return zsr_err_input(err, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return from_file(d, path, err);
	fd = raw_around(path);
	if (fd >= 0)
		return from_around(d, fd, path, err);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return zsr_err_input(err, "%s: %s", path, strerror(errno));
	ret = from_dir(d, fd, path, err);
	close(fd);
	return ret;
}
