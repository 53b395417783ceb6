// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a kernel tree to a shared object with its allocator, in a directory of
 * its own. There tree is a link to the kernel's, standin/ has our headers, and
 * each header that the kernel's file names is a file that includes them. The
 * compiler works in that directory, so no name of the user's is in a command.
 */
#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "replay/engine/check/private.h"

#define MAX_ARGS 48

extern const char zsr_standin_abi[], zsr_standin_base[], zsr_standin_locks[],
	zsr_standin_memory[], zsr_standin_kernel[], zsr_standin_loop[],
	zsr_standin_glue[];

static const struct {
	const char *path;
	const char *text;
} files[] = {
	{ "standin/abi.h", zsr_standin_abi },
	{ "standin/base.h", zsr_standin_base },
	{ "standin/locks.h", zsr_standin_locks },
	{ "standin/memory.h", zsr_standin_memory },
	{ "standin/kernel.h", zsr_standin_kernel },
	{ "standin/loop.h", zsr_standin_loop },
	{ "standin/glue.c", zsr_standin_glue },
};

/* Files of the tree that are compiled as they are. */
#define ALLOCATOR "mm/zsmalloc.c"
#define ITS_API   "include/linux/zsmalloc.h"
static const char *const compiled[] = { ALLOCATOR, "mm/zpdesc.h", ITS_API };

#define INCLUDE_OURS "#include <standin/kernel.h>\n"

/* ---- the directory --------------------------------------------------------- */

int zsr_check_dir_make(struct zsr_check_build *b, struct zsr_err *err)
{
	const char *tmp = getenv("TMPDIR");
	int n;

	n = snprintf(b->dir, sizeof(b->dir), "%s/zsr-check.XXXXXX",
		     tmp && *tmp ? tmp : "/tmp");
	/* Names in it are short. */
	if (n >= (int)sizeof(b->dir) - 256)
		n = -1;
	if (n < 0 || !mkdtemp(b->dir)) {
		b->dir[0] = '\0';
		return zsr_err_sys(err, n < 0 ? ENAMETOOLONG : errno,
				   "temporary directory in %s",
				   tmp && *tmp ? tmp : "/tmp");
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	remove(path);
	return 0;
}

void zsr_check_dir_remove(struct zsr_check_build *b)
{
	if (b->dir[0])
		nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	b->dir[0] = '\0';
}

static int write_file(const struct zsr_check_build *b, const char *name,
		      const char *text, struct zsr_err *err)
{
	char path[ZSR_CHECK_PATH + 256];
	bool bad;
	char *p;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", b->dir, name);
	for (p = path + strlen(b->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	f = fopen(path, "w");
	if (!f)
		return zsr_err_sys(err, errno, "%s", path);
	fputs(text, f);
	bad = ferror(f);
	if (fclose(f) || bad)
		return zsr_err_sys(err, errno ? errno : EIO, "%s", path);
	return 0;
}

/* ---- the tree ---------------------------------------------------------------- */

static FILE *open_in_tree(const struct zsr_check_build *b, const char *name)
{
	char path[ZSR_CHECK_PATH + 256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", b->tree, name);
	/* Opening what is no file may take for ever. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return NULL;
	return fopen(path, "r");
}

/* "VERSION = 6" */
static bool read_part(const char *line, const char *name, char *out, size_t len)
{
	size_t n = strlen(name);

	if (strncmp(line, name, n))
		return false;
	line += n + strspn(line + n, " \t");
	if (*line++ != '=')
		return false;
	line += strspn(line, " \t");
	snprintf(out, len, "%.*s", (int)strcspn(line, " \t\r\n"), line);
	return true;
}

static int read_release(struct zsr_check_build *b, struct zsr_err *err)
{
	static const char *const names[] = { "VERSION", "PATCHLEVEL",
					     "SUBLEVEL" };
	char part[ZSR_ARRAY_SIZE(names)][8] = { "", "", "" }, line[256];
	FILE *f = open_in_tree(b, "Makefile");
	unsigned i, n;

	if (!f)
		return zsr_err_input(err, "%s: no kernel tree: no Makefile",
				     b->tree);
	for (n = 0; n < 100 && fgets(line, sizeof(line), f); n++)
		for (i = 0; i < ZSR_ARRAY_SIZE(names); i++)
			read_part(line, names[i], part[i], sizeof(part[i]));
	fclose(f);
	snprintf(b->release, sizeof(b->release), "%s.%s%s%s", part[0], part[1],
		 part[2][0] ? "." : "", part[2]);
	if (!zsr_release_parse(b->release))
		return zsr_err_input(err,
				     "%s: no kernel tree: its Makefile says no "
				     "release",
				     b->tree);
	return 0;
}

/* Fit for a file name below the directory. */
static bool plain_name(const char *s)
{
	const char *p;

	for (p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-./", *p))
			return false;
	return *s && *s != '/' && *s != '.' && !strstr(s, "/.") &&
	       !strstr(s, "//") && p[-1] != '/' && p - s < 128 &&
	       strncmp(s, "standin/", 8) && strncmp(s, "tree/", 5);
}

/* What a file names between angle brackets comes from us. */
static int stand_in(const struct zsr_check_build *b, FILE *f,
		    struct zsr_err *err)
{
	char line[1024], name[1024];
	int ret = 0;

	while (!ret && fgets(line, sizeof(line), f))
		if (sscanf(line, " # include < %1000[^> ]", name) == 1 &&
		    plain_name(name))
			ret = write_file(b, name, INCLUDE_OURS, err);
	return ret;
}

int zsr_check_prepare(struct zsr_check_build *b, const char *tree,
		      struct zsr_err *err)
{
	char path[ZSR_CHECK_PATH + 256], *real;
	unsigned i;
	FILE *f;
	int ret;

	real = realpath(tree, NULL);
	if (!real || strlen(real) >= sizeof(b->tree)) {
		free(real);
		return zsr_err_input(err, "%s: no kernel tree: %s", tree,
				     strerror(real ? ENAMETOOLONG : errno));
	}
	strcpy(b->tree, real);
	free(real);
	ret = read_release(b, err);
	for (i = 0; !ret && i < ZSR_ARRAY_SIZE(files); i++)
		ret = write_file(b, files[i].path, files[i].text, err);
	for (i = 0; !ret && i < ZSR_ARRAY_SIZE(compiled); i++) {
		f = open_in_tree(b, compiled[i]);
		if (!f && !strcmp(compiled[i], ALLOCATOR))
			return zsr_err_input(
				err, "%s: no kernel tree: no " ALLOCATOR, tree);
		if (!f)
			continue;
		ret = stand_in(b, f, err);
		fclose(f);
	}
	/* The one header that is its own. */
	if (!ret)
		ret = write_file(b, "linux/zsmalloc.h",
				 INCLUDE_OURS "#include <tree/" ITS_API ">\n",
				 err);
	snprintf(path, sizeof(path), "%s/tree", b->dir);
	if (!ret && symlink(b->tree, path))
		ret = zsr_err_sys(err, errno, "%s", path);
	return ret;
}

/* ---- the compiler -------------------------------------------------------------- */

struct compile {
	const char *dir;
	char *cc; /* its words are cut apart */
	char *argv[MAX_ARGS + 1];
};

/* $CC may have options, as make has it. */
static bool compile_args(struct compile *c, const char *const *args)
{
	char *word, *rest = NULL;
	unsigned n = 0;

	for (word = strtok_r(c->cc, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (n == MAX_ARGS / 2)
			return false;
		c->argv[n++] = word;
	}
	if (!n)
		return false;
	for (; *args; args++)
		c->argv[n++] = (char *)*args;
	return true;
}

static void limit(int what, rlim_t most)
{
	struct rlimit l;

	if (getrlimit(what, &l))
		return;
	l.rlim_cur = zsr_min(most, l.rlim_max);
	setrlimit(what, &l);
}

/* In the child: what a compiler says goes to the pipe, and behind a zero byte
 * why there is none. */
static int exec_compiler(void *ctx, int fd)
{
	struct compile *c = ctx;
	int null = open("/dev/null", O_RDWR), n;
	char why[32];

	limit(RLIMIT_CPU, 120);
	limit(RLIMIT_AS, (rlim_t)4 << 30);
	limit(RLIMIT_FSIZE, 64 << 20);
	limit(RLIMIT_CORE, 0);
	if (null < 0 || chdir(c->dir) || dup2(null, 0) < 0 ||
	    dup2(null, 1) < 0 || dup2(fd, 2) < 0)
		return 1;
	setenv("LC_ALL", "C", 1);
	setenv("TMPDIR", ".", 1);
	execvp(c->argv[0], c->argv);
	n = snprintf(why, sizeof(why), "%c%d", '\0', errno);
	return write(fd, why, (size_t)n) == n ? 127 : 1;
}

/* The first line that is an error, in the tree's own names. */
static void first_error(char *said, char *out, size_t len)
{
	char *p, *rest = NULL;
	const char *line = NULL, *at;

	for (p = strtok_r(said, "\n", &rest); p;
	     p = strtok_r(NULL, "\n", &rest)) {
		if (!line)
			line = p;
		if (!strstr(p, "error:") && !strstr(p, "undefined reference"))
			continue;
		line = p;
		break;
	}
	if (!line)
		line = "it says nothing";
	at = strstr(line, "tree/");
	if (at && at - line <= 2)
		line = at + 5;
	snprintf(out, len, "%s", line);
	for (p = out; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
}

/* All it says, to the end; what does not fit is dropped. */
static int listen(struct zsr_child *child, const struct zsr_signals *s,
		  char *said, size_t len, size_t *got, struct zsr_err *err)
{
	char more[512];
	ssize_t n;

	*got = 0;
	while ((n = zsr_child_read(child, s, more, sizeof(more), err)) > 0) {
		size_t fits = zsr_min((size_t)n, len - 1 - *got);

		memcpy(said + *got, more, fits);
		*got += fits;
	}
	said[*got] = '\0';
	return (int)n;
}

static int run_compiler(struct zsr_check_build *b, const struct zsr_signals *s,
			struct compile *c, struct zsr_err *err)
{
	static char said[1 << 16];
	struct zsr_child child;
	char line[600];
	size_t got;
	int ret, status;

	ret = zsr_child_start(&child, s, exec_compiler, c, err);
	if (ret)
		return ret;
	ret = listen(&child, s, said, sizeof(said), &got, err);
	if (ret) {
		zsr_child_end(&child);
		return ret;
	}
	status = zsr_child_end(&child);
	if (got > 1 && !said[0])
		return zsr_err_sys(err, atoi(said + 1),
				   "no C compiler: %s (the environment's CC "
				   "names another)",
				   c->argv[0]);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	first_error(said, line, sizeof(line));
	return zsr_err_input(err,
			     "%s: its " ALLOCATOR
			     " does not compile behind our stand-ins: %s",
			     b->tree, line);
}

int zsr_check_compile(struct zsr_check_build *b, const struct zsr_signals *s,
		      const char *name, bool observe, unsigned page_size,
		      unsigned chain_size, struct zsr_err *err)
{
	const char *cc = getenv("CC");
	char shift[32], chain[64], out[64];
	const char *const args[] = { "-std=gnu11",
				     "-O2",
				     "-w",
				     "-fPIC",
				     "-shared",
				     "-fvisibility=hidden",
				     "-ftls-model=initial-exec",
				     "-fno-strict-aliasing",
				     "-fno-strict-overflow",
				     "-fno-common",
				     "-Wl,-z,defs",
				     "-Werror=implicit-function-declaration",
				     shift,
				     chain,
				     observe ? "-DZSR_OBSERVE" : "-DZSR_TIME",
				     "-I.",
				     "-o",
				     out,
				     "standin/glue.c",
				     NULL };
	struct compile c = { .dir = b->dir };
	int ret;

	snprintf(shift, sizeof(shift), "-DPAGE_SHIFT=%d",
		 __builtin_ctz(page_size));
	snprintf(chain, sizeof(chain), "-DCONFIG_ZSMALLOC_CHAIN_SIZE=%u",
		 chain_size);
	snprintf(out, sizeof(out), "%s.so", name);
	c.cc = strdup(cc && *cc ? cc : "cc");
	if (!c.cc)
		return zsr_err_nomem(err, "compiler");
	if (compile_args(&c, args))
		ret = run_compiler(b, s, &c, err);
	else
		ret = zsr_err_usage(err, "the environment's CC is no command");
	free(c.cc);
	return ret;
}
