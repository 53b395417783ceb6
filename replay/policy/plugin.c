// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies from shared objects. What such a file says about itself is looked
 * at before it is believed; what its code does is up to its author.
 */
#include <ctype.h>
#include <dlfcn.h>
#include <elf.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "replay/policy/table.h"

#define SYMBOL "zsr_policy_plugin"

/* ---- is it what it should be? ------------------------------------------- */

/* Words of command lines and of run records. */
static bool is_word(const char *s, const char *beside, size_t max)
{
	size_t n = s ? strlen(s) : 0;
	const char *c;

	if (!n || n > max)
		return false;
	for (c = s; *c; c++)
		if (!islower((unsigned char)*c) &&
		    !isdigit((unsigned char)*c) && !strchr(beside, *c))
			return false;
	return true;
}

static int check_values(const struct zsr_param *p, struct zsr_err *err)
{
	uint64_t i;

	if (!p->unit || !p->text || !p->source)
		return zsr_err_input(err, "no unit, text or source");
	if (p->min > p->def || p->def > p->max)
		return zsr_err_input(err,
				     "the default %" PRIu64
				     " is not within %" PRIu64 " to %" PRIu64,
				     p->def, p->min, p->max);
	for (i = 0; p->names && i <= p->max; i++) {
		if (!p->names[i])
			return zsr_err_input(err,
					     "%" PRIu64 " names for values up "
					     "to %" PRIu64,
					     i, p->max);
		if (!is_word(p->names[i], ".-", 63))
			return zsr_err_input(err,
					     "the name of %" PRIu64
					     " is not made of a-z, 0-9, '.' "
					     "and '-' (up to 63)",
					     i);
	}
	return 0;
}

static int check_param(const struct zsr_param *params, unsigned nr,
		       struct zsr_err *err)
{
	const struct zsr_param *p = &params[nr];
	unsigned i;
	int ret;

	if (!is_word(p->name, "-", 31))
		return zsr_err_input(err,
				     "the name of parameter %u is not made of "
				     "a-z, 0-9 and '-' (up to 31)",
				     nr + 1);
	/* Where the record of a run keeps the file's digest. */
	if (!strcmp(p->name, "plugin"))
		return zsr_err_input(err,
				     "no parameter can be called 'plugin'");
	for (i = 0; i < nr; i++)
		if (!strcmp(params[i].name, p->name))
			return zsr_err_input(
				err, "two parameters are called '%s'", p->name);
	ret = check_values(p, err);
	return ret ? zsr_err_wrap(err, ret, "parameter '%s'", p->name) : 0;
}

static int check_fields(const struct zsr_policy *p, struct zsr_err *err)
{
	unsigned i;
	int ret = 0;

	if (!p->summary || !p->text || !p->source)
		return zsr_err_input(err, "no summary, text or source");
	if (!p->release || !p->free_now)
		return zsr_err_input(err, "no %s()",
				     p->release ? "free_now" : "release");
	if (p->flags & ~(ZSR_POLICY_GATED | ZSR_POLICY_ENTRIES))
		return zsr_err_input(err, "unknown flags");
	if (p->store_lock != ZSR_STORE_CLASS_LOCK &&
	    p->store_lock != ZSR_STORE_BIG_LOCK)
		return zsr_err_input(err, "unknown store_lock");
	if (p->nr_params > ZSR_MAX_PARAMS)
		return zsr_err_input(err, "%u parameters, more than %d",
				     p->nr_params, ZSR_MAX_PARAMS);
	if (p->nr_params && !p->params)
		return zsr_err_input(err, "%u parameters, but no table of them",
				     p->nr_params);
	for (i = 0; !ret && i < p->nr_params; i++)
		ret = check_param(p->params, i, err);
	return ret;
}

static int check_policy(const struct zsr_policy *p, struct zsr_err *err)
{
	int ret;

	if (!is_word(p->name, ".-", 63))
		return zsr_err_input(err,
				     "the policy's name is not made of a-z, "
				     "0-9, '.' and '-' (up to 63)");
	if (zsr_policy_find(p->name))
		return zsr_err_input(err,
				     "the policy is called '%s', as one of "
				     "zsr's own; give it another name",
				     p->name);
	ret = check_fields(p, err);
	return ret ? zsr_err_wrap(err, ret, "policy '%s'", p->name) : 0;
}

/* ---- the file ------------------------------------------------------------ */

/* More is no plug-in, and less than the tests of a cut file may cost. */
#define MAX_FILE (64u << 20)

static int read_all(FILE *f, char **data, size_t *size, struct zsr_err *err)
{
	struct stat st;

	if (fstat(fileno(f), &st))
		return zsr_err_sys(err, errno, "cannot be read");
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
		return zsr_err_input(err, "%s",
				     S_ISREG(st.st_mode) ? "larger than 64 MiB"
							 : "not a file");
	*data = malloc((size_t)st.st_size + 1);
	if (!*data)
		return zsr_err_nomem(err, "reading");
	*size = fread(*data, 1, (size_t)st.st_size, f);
	if (ferror(f))
		return zsr_err_sys(err, errno, "cannot be read");
	return 0;
}

/* The loader maps what the headers tell it to; where the file ends before that
 * it dies of it. The rest it checks itself. */
static int check_elf(const char *data, size_t size, struct zsr_err *err)
{
	ElfW(Ehdr) e;
	ElfW(Phdr) p;
	unsigned i;

	if (size < SELFMAG || memcmp(data, ELFMAG, SELFMAG))
		return zsr_err_input(err, "not a shared object (no ELF file)");
	if (size < sizeof(e))
		return zsr_err_input(err, "cut short");
	memcpy(&e, data, sizeof(e));
	if (e.e_phentsize != sizeof(p))
		return 0;
	for (i = 0; i < e.e_phnum; i++) {
		if (e.e_phoff > size || size - e.e_phoff < (i + 1) * sizeof(p))
			return zsr_err_input(err, "cut short");
		memcpy(&p, data + e.e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD &&
		    (p.p_offset > size || size - p.p_offset < p.p_filesz))
			return zsr_err_input(err, "cut short");
	}
	return 0;
}

static int look_at(const char *path, char id[ZSR_POLICY_ID], struct zsr_err *err)
{
	struct zsr_sha sha;
	char *data = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "re");
	int ret;

	if (!f)
		return zsr_err_sys(err, errno, "cannot be opened");
	ret = read_all(f, &data, &size, err);
	if (!ret)
		ret = check_elf(data, size, err);
	if (!ret) {
		zsr_sha_init(&sha);
		zsr_sha_bytes(&sha, data, size);
		memcpy(id, "sha256:", 7);
		zsr_sha_hex(&sha, id + 7);
	}
	free(data);
	fclose(f);
	return ret;
}

/* The loader's word on it, less the path it begins with. */
static int load_error(const char *path, struct zsr_err *err)
{
	const char *msg = dlerror() ?: "cannot be loaded";
	size_t n = strlen(path);

	if (!strncmp(msg, path, n) && !strncmp(msg + n, ": ", 2))
		msg += n + 2;
	return zsr_err_input(err, "%s", msg);
}

/* The policy in a loaded file. Nothing but its version is looked at before
 * that fits: the rest may be laid out in another way. */
static int policy_of(void *so, const struct zsr_policy **policy,
		     struct zsr_err *err)
{
	const struct zsr_policy *p = dlsym(so, SYMBOL);
	const ElfW(Sym) *sym = NULL;
	Dl_info info;

	if (!p)
		return zsr_err_input(err, "no '" SYMBOL
					  "'; zsr-policy(7) says what that is");
	if (!dladdr1(p, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym ||
	    ELF64_ST_TYPE(sym->st_info) != STT_OBJECT ||
	    sym->st_size < sizeof(p->version))
		return zsr_err_input(err, "its '" SYMBOL "' is no policy");
	if (p->version != ZSR_MACHINE_VERSION)
		return zsr_err_input(err,
				     "built for version %u of the plug-in "
				     "interface, this zsr has %d; rebuild it "
				     "with this zsr's headers",
				     p->version, ZSR_MACHINE_VERSION);
	if (sym->st_size != sizeof(*p))
		return zsr_err_input(err, "its '" SYMBOL "' is no policy");
	*policy = p;
	return check_policy(p, err);
}

static int load(const char *path, const struct zsr_policy **policy,
		char id[ZSR_POLICY_ID], struct zsr_err *err)
{
	char here[PATH_MAX];
	void *so;
	int ret = look_at(path, id, err);

	if (ret)
		return ret;
	/* Without a '/' the loader would look everywhere but here. */
	snprintf(here, sizeof(here), "%s%s", strchr(path, '/') ? "" : "./",
		 path);
	so = dlopen(here, RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return load_error(here, err);
	ret = policy_of(so, policy, err);
	if (ret)
		dlclose(so);
	return ret;
}

/* ---- names and paths ----------------------------------------------------- */

static bool is_path(const char *name)
{
	size_t n = strlen(name);

	return strchr(name, '/') || (n > 3 && !strcmp(name + n - 3, ".so"));
}

static int unknown(const char *name, struct zsr_err *err)
{
	char all[512];
	size_t i, n = 0;

	for (i = 0; zsr_policies[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      i ? ", " : "", zsr_policies[i]->name);
	return zsr_err_usage(err,
			     "no policy '%s'; there are %s, and plug-ins: "
			     "./FILE.so",
			     name, all);
}

int zsr_policy_get(const char *name, const struct zsr_policy **policy,
		   char id[ZSR_POLICY_ID], struct zsr_err *err)
{
	int ret;

	id[0] = '\0';
	if (is_path(name)) {
		ret = load(name, policy, id, err);
		return ret ? zsr_err_wrap(err, ret, "plug-in %s", name) : 0;
	}
	*policy = zsr_policy_find(name);
	return *policy ? 0 : unknown(name, err);
}
