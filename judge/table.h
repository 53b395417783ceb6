/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to judge/: numbers by number. */
#ifndef ZSR_JUDGE_TABLE_H
#define ZSR_JUDGE_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Open addressing, at most half full; zeroed at first. */
struct judge_table {
	struct judge_cell {
		uint64_t key;
		uint64_t value; /* 0: nothing here */
	} * at;
	size_t mask;
	size_t nr;
};

/* VALUE is not 0. Returns 0 or -ENOMEM. */
int judge_table_put(struct judge_table *t, uint64_t key, uint64_t value);
/* 0 when there is none. */
uint64_t judge_table_get(const struct judge_table *t, uint64_t key);
uint64_t judge_table_take(struct judge_table *t, uint64_t key);
void judge_table_free(struct judge_table *t);

#endif
