// SPDX-License-Identifier: GPL-2.0-only
/* The book of the account once more, with handles that the oracle follows. */
#include "replay/t/explore/book.h"

#define zsr_book_ordered        zsr_oracle_book
#define zsr_engine_handle_alloc zsr_oracle_handle_alloc
#define zsr_engine_handle_free  zsr_oracle_handle_free
#define zsr_engine_handle_class zsr_oracle_handle_class
#define zsr_order               zsr_oracle_order
#define zsr_book_next_live      zsr_oracle_next_live
#define zsr_book_queued_in      zsr_oracle_queued_in

#include "replay/policy/book.c"
