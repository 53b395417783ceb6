/* SPDX-License-Identifier: GPL-2.0-only */
/* The account's book as the oracle has it: see book.c and oracle.h. */
#ifndef ZSR_T_BOOK_H
#define ZSR_T_BOOK_H

#include "replay/policy/book.h"

extern const struct zsr_book zsr_oracle_book;

zsr_handle zsr_oracle_handle_alloc(struct zsr_engine *e);
void zsr_oracle_handle_free(struct zsr_engine *e, zsr_handle h);
unsigned zsr_oracle_handle_class(const struct zsr_engine *e, zsr_handle h);
void zsr_oracle_order(struct zsr_machine *m);
zsr_handle zsr_oracle_next_live(const struct zsr_pool *p, zsr_handle h);
unsigned zsr_oracle_queued_in(struct zsr_zspage *z);

#endif
