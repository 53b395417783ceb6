/* SPDX-License-Identifier: GPL-2.0-only */
/* What `zsr info` counts in one pass over a trace. */
#ifndef ZSR_CMD_SURVEY_H
#define ZSR_CMD_SURVEY_H

#include "cmd/cmd.h"

#define ZSR_SURVEY_SIZES 16 /* steps of a page */
#define ZSR_SURVEY_LIVES 32 /* powers of four from 1 ns on */

struct zsr_odd_text {
	const char *name;
	const char *text;
};
extern const struct zsr_odd_text zsr_odd_texts[];
#define X(name, text) +1
enum { ZSR_NR_ODD = 0 ZSR_ODD_COUNTS(X) };
#undef X

struct zsr_calls {
	uint64_t mallocs;
	uint64_t frees;
};

struct zsr_survey {
	uint64_t odd[ZSR_NR_ODD];
	uint64_t sizes[ZSR_SURVEY_SIZES];
	uint64_t lives[ZSR_SURVEY_LIVES];
	struct zsr_calls *cpus;
	size_t nr_cpus;
	struct zsr_survey_task {
		int32_t pid;
		char comm[32];
		struct zsr_calls calls;
	} * tasks; /* busiest first */
	size_t nr_tasks;
	struct zsr_survey_class {
		unsigned size;
		unsigned objs;
		unsigned pages;
		uint64_t mallocs;
	} * classes; /* those used, most used first */
	size_t nr_classes;
	size_t nr_all_classes;
	struct zsr_survey_mark {
		uint64_t t_ns;
		uint64_t nr;
		char *text; /* NULL: it has none */
	} * marks; /* by time */
	size_t nr_marks;
};

/* Freed by the caller when it returns 0. */
int zsr_survey_trace(struct zsr_db *db, const struct zsr_trace *t,
		     struct zsr_survey *s, struct zsr_err *err);
void zsr_survey_free(struct zsr_survey *s);
/* Lower bound of a row of lives: 0, 4, 16, ... ns. */
uint64_t zsr_survey_life(unsigned row);

#endif
