/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to the recorder, which runs on the target. */
#ifndef ZSR_CAPTURE_RECORD_H
#define ZSR_CAPTURE_RECORD_H

#include <pthread.h>
#include <sys/types.h>
#include <tracefs.h>

#include "capture/capture.h"

/* ---- small files (file.c) ------------------------------------------------- */

/* The text of a file, without white space at its end; NULL: none. malloc'ed. */
char *rec_read(const char *fmt, ...) ZSR_PRINTF(1, 2);
/* Returns 0 or -errno. */
int rec_write(const char *text, const char *fmt, ...) ZSR_PRINTF(2, 3);

/* ---- facts, which travel in the capture (facts.c) -------------------------- */

struct rec_facts {
	char **line; /* "KEY=VALUE", value escaped; owned */
	size_t nr;
	size_t cap;
};

int rec_fact(struct rec_facts *f, const char *key, const char *value,
	     struct zsr_err *err);
/* Of this machine, its kernel and a zram device. */
int rec_facts_machine(struct rec_facts *f, const char *zram,
		      struct zsr_err *err);
/* Of every snapshot in DIR, and unlinks it. */
int rec_facts_snapshots(struct rec_facts *f, const char *dir,
			struct zsr_err *err);
void rec_facts_free(struct rec_facts *f);

/* ---- a session: what is made on this system (session.c) -------------------- */

#define REC_PROBES 24

/* Made for one capture and gone with it. Its names say whose it is. */
struct rec_session {
	struct tracefs_instance *instance;
	char name[40]; /* of the instance: "zsr.PID" */
	char group[40]; /* of the probes: "zsr_PID" */
	char dir[64]; /* of snapshots: "/run/zsr.PID", gone with a boot */
	char zram[16]; /* a device of our own, "" none */
	char *probe[REC_PROBES]; /* as written, owned */
	unsigned nr_probes;
	enum zsr_record_method method; /* AUTO: nothing is measured */
	uint64_t whole_ns; /* that a measured call takes more; 0 not known */
	int guard; /* a pipe; whoever reads it cleans up behind us */
	pid_t guardian;
};

/* Where tracefs is, mounted if need be; NULL with an error set. */
const char *rec_tracefs(struct zsr_err *err);
int rec_session_begin(struct rec_session *s, struct zsr_err *err);
/* Everything that was made goes. */
void rec_session_end(struct rec_session *s);
/* Remove what the process PID made, as far as it is there. */
unsigned rec_session_remove(pid_t pid);
/* Arguments are $arg1 to $arg4, $caller is where the function returns to. */
int rec_probe(struct rec_session *s, const char *fmt, ...) ZSR_PRINTF(2, 3);
/* Says that a zram device is ours now. */
void rec_session_zram(struct rec_session *s, const char *zram);

/* ---- zram (zram.c) ------------------------------------------------------------ */

/* The only zram device with a size, or "" . */
void rec_zram_find(char name[16]);
/* A new device of BYTES, ALGORITHM NULL: the kernel's choice. */
int rec_zram_new(struct rec_session *s, uint64_t bytes, const char *algorithm,
		 struct zsr_err *err);
int rec_zram_swapon(const char *name, struct zsr_err *err);
/* Off, empty and gone; 0 or -errno. */
int rec_zram_remove(const char *name);

/* ---- probes (probes.c) ------------------------------------------------------- */

/* ---- how long calls take (latency.c) ------------------------------------------ */

/* What this kernel offers. */
enum zsr_record_method rec_method(void);
/* Pairs of probes, defined; the tracer, armed. */
int rec_arm_pairs(struct rec_session *s, const struct zsr_record_opts *opts);
int rec_arm_graph(struct rec_session *s, struct zsr_err *err);
/* Calls of a function that does nothing go into the trace, at its begin and at
 * its end; ZRAM "": a device is made for it. */
void rec_calibrate(struct rec_session *s, const char *zram);
void rec_calibrate_again(struct rec_session *s, const char *zram);
int rec_facts_latency(struct rec_facts *f, const struct rec_session *s,
		      struct zsr_err *err);

/* Whether there is anything to probe. */
bool rec_has_zsmalloc(void);
int rec_arm(struct rec_session *s, const struct zsr_record_opts *opts,
	    struct zsr_err *err);
/*
 * See on a device of our own that the probes show what they are taken for.
 * 1: there is no way to make such a device.
 */
int rec_prove(struct rec_session *s, struct zsr_err *err);

/* ---- the command (command.c) -------------------------------------------------- */

/* Run it to its end; *status as of waitpid(). SIGINT, SIGTERM and SIGHUP end it,
 * and are blocked already. */
int rec_command(char *const *argv, int *status, int *sig, struct zsr_err *err);

/* ---- beside the command (watch.c) ---------------------------------------------- */

/* Record only what a process, its threads, and its children from now on do. */
int rec_follow(struct rec_session *s, pid_t pid, struct zsr_err *err);
/* Until it is gone, or a signal asks to end. */
int rec_await(pid_t pid, int *sig, struct zsr_err *err);
/* A process that marks samples of memory: its number, or -errno. */
pid_t rec_sample_begin(const char *zram, unsigned period_us,
		       struct zsr_err *err);
void rec_sample_end(pid_t pid);

/* ---- what the ring buffer holds (stream.c) ------------------------------------- */

struct rec_output;

struct rec_cpu {
	struct rec_output *o;
	int fd; /* where its sub-buffers are kept */
	uint64_t nr_pages; /* of them */
	int raw; /* where they come from */
	int pipe[2];
	pthread_t thread;
	bool runs;
	int error; /* of its thread, -errno */
};

/* The file to be, and what goes there at the end. Set to 0 before. */
struct rec_output {
	struct zsr_outfile file;
	struct rec_cpu *cpu;
	unsigned nr_cpus;
	unsigned page_size; /* of a sub-buffer */
	unsigned data_at; /* in it */
	char *header_page;
	char *header_event;
	int stop[2]; /* a pipe; readers end with it */
};

int rec_output_open(struct rec_output *o, const char *path, struct zsr_err *err);
/* Start a reader a CPU; end them all, with the first's error. */
int rec_output_stream(struct rec_output *o, struct rec_session *s,
		      struct zsr_err *err);
int rec_output_stop(struct rec_output *o, struct zsr_err *err);
/* What readers left of a CPU's, tracing being off. */
int rec_output_rest(struct rec_cpu *c, struct rec_session *s,
		    struct zsr_err *err);
/* Nothing of a CPU is needed any more. */
void rec_output_drop(struct rec_cpu *c);
/* The file is not there, unless it was closed before. */
void rec_output_close(struct rec_output *o);

/* ---- after the run (collect.c) ------------------------------------------------- */

int rec_collect(struct rec_session *s, struct rec_output *o,
		const struct zsr_record_opts *opts,
		const struct rec_facts *facts, struct zsr_recorded *out,
		struct zsr_err *err);

#endif
