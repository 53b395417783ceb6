/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A column of numbers in few bytes, for entropy coding. A number becomes a
 * token, which says its leading bits and how many follow, and those bits as
 * they are; tokens of a column are compressed together. What takes few
 * different values is numbered first, the most frequent lowest.
 */
#ifndef ZSR_PACK_COLUMNS_H
#define ZSR_PACK_COLUMNS_H

#include "pack/private.h"

/* First byte of a column. */
enum {
	PK_COLUMN_CONST, /* one value */
	PK_COLUMN_PLAIN, /* tokens of the values */
	PK_COLUMN_DICT, /* tokens of numbers of a list of values */
};

#define PK_DICT_MAX 32768

struct pk_columns; /* what encoding takes */

struct pk_columns *pk_columns_new(void);
void pk_columns_free(struct pk_columns *c);
void pk_columns_start(struct pk_columns *c);
/* A column of N values. V may change. */
int pk_columns_add(struct pk_columns *c, int64_t *v, size_t n,
		   struct zsr_err *err);
int pk_columns_add_byte(struct pk_columns *c, uint8_t byte, struct zsr_err *err);
/* An estimate of the bits that it would take. */
uint64_t pk_columns_cost(struct pk_columns *c, const int64_t *v, size_t n);
const void *pk_columns_bytes(const struct pk_columns *c, size_t *len);

struct pk_bytes {
	const uint8_t *p, *end;
};

struct pk_uncolumns; /* what decoding takes */

struct pk_uncolumns *pk_uncolumns_new(void);
void pk_uncolumns_free(struct pk_uncolumns *u);
/* N (to PK_SEGMENT) values. */
int pk_uncolumns_take(struct pk_uncolumns *u, struct pk_bytes *from, int64_t *v,
		      size_t n, struct zsr_err *err);
int pk_uncolumns_byte(struct pk_bytes *from, uint8_t *byte, struct zsr_err *err);

#endif
