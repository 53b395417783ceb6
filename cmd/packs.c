// SPDX-License-Identifier: GPL-2.0-only
/* Packs as arguments: files, mails, standard input. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/packs.h"

/* What waits in a pipe, up to N bytes, without taking it out. */
static size_t peek(int fd, void *buf, size_t n)
{
	ssize_t got = 0;
	int copy[2];

	if (pipe2(copy, O_CLOEXEC))
		return 0;
	if (tee(fd, copy[1], n, 0) > 0)
		got = read(copy[0], buf, n);
	close(copy[0]);
	close(copy[1]);
	return got > 0 ? (size_t)got : 0;
}

/* A capture is read as it comes; a pack or a mail has to be there whole. */
static bool is_capture(int fd)
{
	static const char trace_dat[] = "\x17\x08\x44tracing",
			  text[] = "# tracer: ";
	char head[16];
	size_t n = peek(fd, head, sizeof(head));

	return (n >= sizeof(trace_dat) - 1 &&
		!memcmp(head, trace_dat, sizeof(trace_dat) - 1)) ||
	       (n >= sizeof(text) - 1 && !memcmp(head, text, sizeof(text) - 1));
}

/* Standard input becomes a file that can be read from its begin again. */
static int spool(struct zsr_err *err)
{
	FILE *tmp = tmpfile();
	char buf[65536];
	ssize_t n;

	if (!tmp)
		return zsr_err_sys(err, errno, "temporary file");
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fwrite(buf, 1, (size_t)n, tmp) != (size_t)n)
			break;
	}
	if (n < 0 || fflush(tmp) || dup2(fileno(tmp), STDIN_FILENO) < 0 ||
	    lseek(STDIN_FILENO, 0, SEEK_SET) < 0) {
		fclose(tmp);
		return zsr_err_sys(err, errno, "standard input");
	}
	fclose(tmp);
	return 0;
}

int zsr_cmd_pack_open(const char *arg, struct zsr_pack **p, struct zsr_err *err)
{
	bool in = !strcmp(arg, "-");
	struct stat st;
	int fd, ret;

	*p = NULL;
	if (in && lseek(STDIN_FILENO, 0, SEEK_CUR) < 0) {
		if (isatty(STDIN_FILENO) || is_capture(STDIN_FILENO))
			return 0;
		ret = spool(err);
		if (ret)
			return ret;
	}
	/* Standard input stays where it is, for whoever reads it next. */
	fd = open(in ? "/proc/self/fd/0" : arg,
		  O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (in)
		lseek(fd, lseek(STDIN_FILENO, 0, SEEK_CUR), SEEK_SET);
	ret = !fstat(fd, &st) && S_ISREG(st.st_mode) && zsr_pack_sniff(fd);
	if (ret)
		ret = zsr_pack_open(p, fd, arg, err);
	close(fd);
	return ret ? ret : *p != NULL;
}

int zsr_cmd_no_pack(const char *arg, struct zsr_err *err)
{
	if (strcmp(arg, "-") && access(arg, R_OK))
		return zsr_err_input(err, "%s: %s", arg, strerror(errno));
	return zsr_err_input(err, "%s: no pack, nor a mail with one", arg);
}

int zsr_cmd_pack_import(struct zsr_pack *p, struct zsr_db *db, const char *name,
			bool force, struct zsr_imported *out,
			struct zsr_err *err)
{
	const char *own = zsr_manifest_get(zsr_pack_manifest(p), "name");
	struct zsr_err ignored = { 0 };
	uint64_t start = zsr_clock_ns();
	int ret;

	memset(out, 0, sizeof(*out));
	if (!name)
		name = own && !zsr_cmd_check_name(own, &ignored) ? own : "pack";
	ret = zsr_pack_import(p, db, name, force, &out->trace, err);
	out->known = ret == -EEXIST;
	out->spent_ns = zsr_clock_ns() - start;
	return ret;
}
