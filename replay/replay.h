/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replays a trace of the database under free policies and fills a run each.
 */
#ifndef ZSR_REPLAY_H
#define ZSR_REPLAY_H

#include "base/base.h"
#include "db/db.h"
#include "replay/conditions.h"

/* When a task makes its next call. */
enum zsr_arrival {
	ZSR_ARRIVAL_CLOSED, /* program order, with gaps between calls */
	ZSR_ARRIVAL_RECORDED, /* and not before the recorded time */
	ZSR_ARRIVAL_ASAP, /* program order, no gaps */
	ZSR_NR_ARRIVALS
};

/* Where the gaps between calls come from. */
enum zsr_gaps {
	ZSR_GAPS_AUTO, /* recorded, unless the trace's times are not
				 * those of real hardware */
	ZSR_GAPS_RECORDED,
	ZSR_GAPS_PROFILE, /* gap_store and gap_release of the profile;
				 * gaps of `pause` and longer stay sleeps */
	ZSR_NR_GAPS
};

/* The lock around the swap layer's slot-free notification. */
enum zsr_outer_lock {
	ZSR_OUTER_AUTO, /* by the trace's kernel: device up to 6.13 */
	ZSR_OUTER_DEVICE, /* one lock, held over runs of up to 64 */
	ZSR_OUTER_CLUSTER, /* a cluster's own: never contended here */
	ZSR_OUTER_NONE,
	ZSR_NR_OUTERS
};

/* Where the threads of a host replay run. */
enum zsr_pin {
	ZSR_PIN_NONE, /* where the system puts them */
	ZSR_PIN_SPREAD, /* task i on CPU i, i modulo the number of CPUs */
	ZSR_PIN_RECORDED, /* on the CPU where most of its calls were */
	ZSR_NR_PINS
};

struct zsr_probes;

/* Names on the command line; NULL past the end. */
const char *zsr_arrival_name(unsigned arrival);
const char *zsr_gaps_name(unsigned gaps);
const char *zsr_pin_name(unsigned pin);
const char *zsr_outer_lock_name(unsigned outer);

/* Of the host, as the user says it; NULL: the default. */
struct zsr_host_args {
	const char *spinlock; /* "ticket", "queued" */
	const char *worker_cpus; /* "0-2,5": where unbound workers run */
	const char *release; /* "keep"; "madvise": zspages go to the system */
	const char *sample; /* TIME between two looks at memory */
	const char *numa; /* node that all memory comes from */
	bool oversubscribe; /* more CPUs than the process may use */
};

struct zsr_replay_opts {
	const char *policies; /* "sync,class-idx,deferred" */
	const char *machine; /* profile name or path, NULL: rpi4b */
	const char *const *params; /* "[policy.]name=value", NULL-terminated */
	unsigned cpus; /* 0: the profile's */
	uint64_t seed;
	enum zsr_arrival arrival;
	enum zsr_gaps gaps;
	enum zsr_outer_lock outer;
	struct zsr_condition_args conditions;
	/* On real threads, with the arrivals asap and recorded, no gaps and no
	 * conditions; each policy so often, in turn where interleaved, and
	 * before that some rounds that are not kept. A run's seed is its
	 * round then. */
	bool host;
	enum zsr_pin pin;
	int worker_nice;
	struct zsr_host_args host_args;
	unsigned repeat; /* 0: once */
	unsigned warmup;
	bool interleave;
	/* Kept runs tell these what they do, call by call; before that each is
	 * handed to begins(), which sets up whatever listens. NULL: none. */
	const struct zsr_probes *probes;
	int (*begins)(void *ctx, const struct zsr_run *run, struct zsr_err *err);
};

/*
 * Replay TRACE under every policy of the list, in order. `sync` runs first,
 * unseen when it is not listed: it defines what 100 % of the pages are. Each
 * finished run is handed to done(), which may store it; the run is freed after
 * done() returns (0 to go on); CTX is done()'s and begins()'s. Usage errors for
 * unknown policies, parameters and profiles come before anything runs.
 */
int zsr_replay(struct zsr_db *db, const struct zsr_trace *trace,
	       const struct zsr_replay_opts *opts,
	       int (*done)(void *ctx, struct zsr_run *run, struct zsr_err *err),
	       void *ctx, struct zsr_err *err);

/* ---- calibration ------------------------------------------------------- */

/* A profile's entries that the host machine has no part in come from here. */
#if defined(__aarch64__)
#define ZSR_CALIBRATE_BASE "rpi4b"
#else
#define ZSR_CALIBRATE_BASE "i7-12700"
#endif

struct zsr_calibrate_opts {
	const char *base; /* a profile; NULL: ZSR_CALIBRATE_BASE */
	unsigned rounds; /* of each figure; 0: 400 */
	uint32_t objects; /* a pool's, so much memory is gone through; at
			   * least 1024 */
	uint32_t (*draw)(void *ctx); /* the size of one, in bytes */
	/* A figure whose rounds differ too much; may be NULL. */
	void (*warn)(void *ctx, const char *text);
	void *ctx; /* of both */
};

/*
 * Measure what this machine takes for the steps of a profile, as replays on
 * threads make them, and write it as a profile: *text is malloc'ed. Some
 * seconds.
 */
int zsr_calibrate_host(const struct zsr_calibrate_opts *opts, char **text,
		       struct zsr_err *err);

#endif
