// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ust/daemon.h"
#include "ust/ust.h"
#include "ust/so/so.h"

#define OBJECT   "zsr-lttng.so"
#define NR_COSTS 2048
#define NOT_BUILT                                                              \
	"not there: zsr was built without liblttng-ust-dev and "               \
	"liblttng-ctl-dev"

struct zsr_lttng {
	const struct zsr_lttng_object *object;
	struct zsr_lttng_daemon daemon;
	unsigned nr_sessions;
	char session[48]; /* its name while it records */
};

/* ---- the shared object ------------------------------------------------------- */

/* Beside the program, or where `make install` puts it. */
static int find_object(char *path, size_t room, struct zsr_err *err)
{
	static const char *const places[] = { "/" OBJECT,
					      "/../lib/zsr/" OBJECT };
	char exe[3072];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	unsigned i;

	if (n < 0)
		return zsr_err_sys(err, errno, "/proc/self/exe");
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	for (i = 0; i < ZSR_ARRAY_SIZE(places); i++) {
		snprintf(path, room, "%s%s", exe, places[i]);
		if (!access(path, F_OK))
			return 0;
	}
	return zsr_err_sys(err, ENOENT, OBJECT ": " NOT_BUILT);
}

static int load(struct zsr_lttng *l, struct zsr_err *err)
{
	char path[4096];
	void *so;
	int ret = find_object(path, sizeof(path), err);

	if (ret)
		return ret;
	/* It returns when the session daemons that there are know us. */
	setenv("LTTNG_UST_REGISTER_TIMEOUT", "20000", 0);
	so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	l->object = so ? dlsym(so, "zsr_lttng_object") : NULL;
	if (!l->object)
		return zsr_err_sys(err, ELIBACC, "%s", dlerror());
	if (l->object->version != ZSR_LTTNG_VERSION)
		return zsr_err_sys(err, ELIBBAD, "%s: of another version", path);
	return 0;
}

int zsr_lttng_load(struct zsr_lttng **out, struct zsr_err *err)
{
	struct zsr_lttng *l = calloc(1, sizeof(*l));
	int ret;

	*out = l;
	if (!l)
		return zsr_err_nomem(err, "tracepoints");
	zsr_lttng_daemon_none(&l->daemon);
	ret = load(l, err);
	if (!ret)
		return 0;
	zsr_lttng_close(l);
	*out = NULL;
	return zsr_err_wrap(err, ret, "tracepoints");
}

int zsr_lttng_open(struct zsr_lttng **out, struct zsr_err *err)
{
	struct zsr_lttng *l = calloc(1, sizeof(*l));
	char path[4096];
	int ret;

	*out = NULL;
	if (!l)
		return zsr_err_nomem(err, "tracepoints");
	l->daemon.hold = l->daemon.lock = -1;
	/* Who writes may wait for who reads. */
	setenv("LTTNG_UST_ALLOW_BLOCKING", "1", 1);
	ret = find_object(path, sizeof(path), err);
	if (!ret)
		ret = zsr_lttng_daemon_start(&l->daemon, err);
	if (!ret)
		ret = load(l, err);
	if (ret) {
		zsr_lttng_close(l);
		return zsr_err_wrap(err, ret, "tracepoints");
	}
	*out = l;
	return 0;
}

void zsr_lttng_close(struct zsr_lttng *l)
{
	struct zsr_err ignored;
	uint64_t n;

	if (!l)
		return;
	if (*l->session)
		zsr_lttng_stop(l, &n, &ignored);
	zsr_lttng_daemon_stop(&l->daemon);
	free(l);
}

const struct zsr_probes *zsr_lttng_probes(const struct zsr_lttng *l)
{
	return l->object->probes;
}

void (*zsr_lttng_chunk(const struct zsr_lttng *l))(uint64_t nr, uint64_t events,
						   uint64_t bytes)
{
	return l->object->chunk;
}

/* ---- recording ------------------------------------------------------------------ */

int zsr_lttng_start(struct zsr_lttng *l, const char *dir, struct zsr_err *err)
{
	char name[sizeof(l->session)];
	unsigned i;
	int ret;

	snprintf(name, sizeof(name), "zsr-%d-%u", (int)getpid(),
		 ++l->nr_sessions);
	ret = l->object->start(name, dir,
			       (unsigned)sysconf(_SC_NPROCESSORS_CONF), err);
	if (ret)
		return ret;
	snprintf(l->session, sizeof(l->session), "%s", name);
	if (!l->object->listens())
		return zsr_err_sys(err, EPIPE,
				   "LTTng: the session daemon does not know "
				   "our tracepoints");
	for (i = 0; i < NR_COSTS; i++)
		l->object->cost(i);
	return 0;
}

int zsr_lttng_stop(struct zsr_lttng *l, uint64_t *discarded, struct zsr_err *err)
{
	int ret = l->object->stop(l->session, discarded, err);

	*l->session = '\0';
	return ret;
}
