// SPDX-License-Identifier: GPL-2.0-only
/*
 * CTF traces in a directory and below it. A trace is known by its metadata,
 * and must consist of files and directories: what reads it would follow links
 * out of it, and wait at pipes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/decode/ctf.h"

#define MAX_DEPTH    5 /* SESSION/ust/uid/1000/64-bit */
#define MAX_ENTRIES  8192
#define MAX_METADATA (4 << 20) /* a parser's time grows faster than they do */

bool dec_is_ctf(const uint8_t *head, size_t len)
{
	static const char *const begins[] = {
		"/* CTF 1.8",
		"\x57\x1d\xd1\x75", /* in packets */
		"\x75\xd1\x1d\x57",
	};
	size_t i;

	for (i = 0; i < ZSR_ARRAY_SIZE(begins); i++)
		if (len >= strlen(begins[i]) &&
		    !memcmp(head, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static bool has_metadata(int dirfd)
{
	struct zsr_err ignored;
	struct dec_file f;
	uint8_t head[16];
	size_t len = 0;
	bool is;

	if (dec_file_open(&f, dirfd, "metadata", "metadata", &ignored))
		return false;
	is = !dec_file_head(&f, head, sizeof(head), &len, &ignored) &&
	     dec_is_ctf(head, len);
	dec_file_close(&f);
	return is;
}

static int open_dir(int dirfd, const char *name)
{
	return openat(dirfd, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The entries of a directory, in the order of their names. */
struct entries {
	struct dirent **e;
	int nr;
};

static int list(struct entries *l, int dirfd, const char *path,
		unsigned *nr_seen, struct zsr_err *err)
{
	l->nr = scandirat(dirfd, ".", &l->e, NULL, alphasort);
	if (l->nr < 0)
		return zsr_err_input(err, "%s: %s", path, strerror(errno));
	*nr_seen += (unsigned)l->nr;
	return 0;
}

static void unlist(struct entries *l)
{
	while (l->nr > 0)
		free(l->e[--l->nr]);
	free(l->e);
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int check(int dirfd, const char *path, bool deeper, unsigned *nr_seen,
		 struct zsr_err *err);

static int check_entry(int dirfd, const char *path, const char *name,
		       bool deeper, unsigned *nr_seen, struct zsr_err *err)
{
	char below[4096];
	struct stat st;
	int fd, ret;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW))
		return zsr_err_input(err, "%s/%s: %s", path, name,
				     strerror(errno));
	if (S_ISREG(st.st_mode))
		return 0;
	if (!S_ISDIR(st.st_mode))
		return zsr_err_input(err,
				     "%s/%s: neither a file nor a directory",
				     path, name);
	if (!deeper)
		return 0;
	fd = open_dir(dirfd, name);
	if (fd < 0)
		return zsr_err_input(err, "%s/%s: %s", path, name,
				     strerror(errno));
	snprintf(below, sizeof(below), "%s/%s", path, name);
	ret = check(fd, below, false, nr_seen, err);
	close(fd);
	return ret;
}

/* A trace's own directory, and index/ in it. */
static int check(int dirfd, const char *path, bool deeper, unsigned *nr_seen,
		 struct zsr_err *err)
{
	struct entries l;
	int ret, i;

	ret = list(&l, dirfd, path, nr_seen, err);
	if (ret)
		return ret;
	for (i = 0; i < l.nr && !ret; i++)
		if (!is_dots(l.e[i]->d_name))
			ret = check_entry(dirfd, path, l.e[i]->d_name, deeper,
					  nr_seen, err);
	unlist(&l);
	return ret;
}

static int add(struct ctf *c, int dirfd, const char *path, unsigned *nr_seen,
	       struct zsr_err *err)
{
	int ret = check(dirfd, path, true, nr_seen, err);
	struct stat st;

	if (ret)
		return ret;
	if (fstatat(dirfd, "metadata", &st, AT_SYMLINK_NOFOLLOW) ||
	    st.st_size > MAX_METADATA)
		return zsr_err_input(err,
				     "%s/metadata: more than %d bytes are no "
				     "metadata",
				     path, MAX_METADATA);
	if (c->nr_dirs == CTF_MAX_TRACES)
		return zsr_err_input(err, "%s: more than %u CTF traces",
				     c->name, CTF_MAX_TRACES);
	c->dirs[c->nr_dirs] = strdup(path);
	if (!c->dirs[c->nr_dirs++])
		return zsr_err_nomem(err, "traces");
	return 0;
}

static int search(struct ctf *c, int dirfd, const char *path, unsigned depth,
		  unsigned *nr_seen, struct zsr_err *err)
{
	struct entries l;
	char below[4096];
	int ret, i, fd;

	if (has_metadata(dirfd))
		return add(c, dirfd, path, nr_seen, err);
	if (!depth || *nr_seen > MAX_ENTRIES)
		return 0;
	ret = list(&l, dirfd, path, nr_seen, err);
	if (ret)
		return ret;
	for (i = 0; i < l.nr && !ret; i++) {
		const char *name = l.e[i]->d_name;

		if (name[0] == '.' ||
		    strlen(path) + strlen(name) + 2 > sizeof(below))
			continue;
		fd = open_dir(dirfd, name);
		if (fd < 0)
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, name);
		ret = search(c, fd, below, depth - 1, nr_seen, err);
		close(fd);
	}
	unlist(&l);
	return ret;
}

int ctf_search(struct ctf *c, int dirfd, struct zsr_err *err)
{
	size_t len = strlen(c->name);
	unsigned nr_seen = 0;
	char path[4096];

	while (len > 1 && c->name[len - 1] == '/')
		len--;
	snprintf(path, sizeof(path), "%.*s", (int)len, c->name);
	return search(c, dirfd, path, MAX_DEPTH, &nr_seen, err);
}
