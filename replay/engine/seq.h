/* SPDX-License-Identifier: GPL-2.0-only */
/* Op sequences: "op,id,size" lines, plain or gzipped. */
#ifndef ZSR_ENGINE_SEQ_H
#define ZSR_ENGINE_SEQ_H

#include <zlib.h>

#include "base/base.h"

/*
 * m id size	malloc; ids count from 0
 * f id		free
 * c		compact the pool
 * q id		put the id on the queue of deferred frees
 * r n		free the n oldest of that queue; 0: all of them
 * l id k	try to lock page k mod chain length of the id's zspage
 * u id		drop the page lock remembered under the id
 * w		run the free worker if it was scheduled
 */
struct zsr_seq_op {
	char op;
	uint64_t id; /* or n */
	uint64_t size; /* or k */
};

struct zsr_seq {
	const char *path; /* borrowed */
	gzFile gz;
	uint64_t line; /* of the op read last, from 1 */
	uint64_t nr_ops;
	unsigned at;
	unsigned len;
	char buf[1 << 16];
};

/* Opens PATH and checks its header. Errors name file and line. */
int zsr_seq_open(struct zsr_seq *s, const char *path, struct zsr_err *err);
/* 1 with an op, 0 at the end, -errno. */
int zsr_seq_next(struct zsr_seq *s, struct zsr_seq_op *op, struct zsr_err *err);
void zsr_seq_close(struct zsr_seq *s);

/* An input error at the op read last. */
#define zsr_seq_error(s, err, fmt, ...)                                        \
	zsr_err_input(err, "%s:%llu: " fmt, (s)->path,                         \
		      (unsigned long long)(s)->line, ##__VA_ARGS__)

#endif
