/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stackful coroutines: an own context switch on x86-64 and arm64 (callee-saved
 * registers and the stack pointer, nothing else), ucontext elsewhere.
 */
#ifndef ZSR_CORO_H
#define ZSR_CORO_H

#include <stddef.h>

#include "base/base.h"

#if !defined(__x86_64__) && !defined(__aarch64__)
#define ZSR_CORO_UCONTEXT 1
#include <ucontext.h>
#endif

struct zsr_coro {
#ifdef ZSR_CORO_UCONTEXT
	ucontext_t context;
#else
	void *sp;
#endif
	void *stack; /* NULL: the thread's own stack */
	unsigned valgrind_id;
	void (*fn)(void *arg);
	void *arg;
};

/* Give C a stack. */
int zsr_coro_init(struct zsr_coro *c, struct zsr_err *err);
/* C runs fn(arg) at the next switch to it; fn never returns. May be called
 * again once C has left its last fn for good. */
void zsr_coro_start(struct zsr_coro *c, void (*fn)(void *arg), void *arg);
/* Frees the stack; not from within itself. */
void zsr_coro_free(struct zsr_coro *c);
/* Suspend FROM (the running one), resume TO. */
void zsr_coro_switch(struct zsr_coro *from, struct zsr_coro *to);

#endif
