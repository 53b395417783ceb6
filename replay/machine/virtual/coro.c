// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <sys/mman.h>

#include "replay/machine/virtual/coro.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id)       ((void)(id))
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_UNPOISON_MEMORY_REGION(p, len) ((void)0)
#endif

/* Room for a cursor's SQLite calls; only what is touched takes memory. */
#define STACK_SIZE (256u << 10)
#define GUARD_SIZE (64u << 10) /* a page on any page size */

#ifndef ZSR_CORO_UCONTEXT

void zsr_coro_swap(void **save_sp, void *load_sp);
void zsr_coro_entry(void);

#if defined(__x86_64__)
/* rdi = where to save the stack pointer, rsi = the one to load. A new
 * coroutine starts at zsr_coro_entry with fn in r12 and arg in r13. */
__asm__(".text\n"
	".globl zsr_coro_swap\n"
	".type zsr_coro_swap, @function\n"
	"zsr_coro_swap:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size zsr_coro_swap, .-zsr_coro_swap\n"
	".globl zsr_coro_entry\n"
	".type zsr_coro_entry, @function\n"
	"zsr_coro_entry:\n"
	"	movq %r13, %rdi\n"
	"	callq *%r12\n"
	"	ud2\n"
	".size zsr_coro_entry, .-zsr_coro_entry\n");

static void *first_frame(char *top, void (*fn)(void *), void *arg)
{
	void **sp = (void **)top;

	*--sp = NULL; /* two words keep the stack aligned at the call */
	*--sp = NULL;
	*--sp = (void *)zsr_coro_entry;
	*--sp = NULL; /* rbp */
	*--sp = NULL; /* rbx */
	*--sp = (void *)fn; /* r12 */
	*--sp = arg; /* r13 */
	*--sp = NULL; /* r14 */
	*--sp = NULL; /* r15 */
	return sp;
}
#else /* __aarch64__ */
/* x0 = where to save the stack pointer, x1 = the one to load. A new coroutine
 * starts at zsr_coro_entry with fn in x19 and arg in x20. */
__asm__(".text\n"
	".globl zsr_coro_swap\n"
	".type zsr_coro_swap, %function\n"
	"zsr_coro_swap:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size zsr_coro_swap, .-zsr_coro_swap\n"
	".globl zsr_coro_entry\n"
	".type zsr_coro_entry, %function\n"
	"zsr_coro_entry:\n"
	"	mov x0, x20\n"
	"	blr x19\n"
	"	brk #1\n"
	".size zsr_coro_entry, .-zsr_coro_entry\n");

static void *first_frame(char *top, void (*fn)(void *), void *arg)
{
	void **frame = (void **)(top - 160);

	memset(frame, 0, 160);
	frame[0] = (void *)fn; /* x19 */
	frame[1] = arg; /* x20 */
	frame[11] = (void *)zsr_coro_entry; /* x30 */
	return frame;
}
#endif

void zsr_coro_switch(struct zsr_coro *from, struct zsr_coro *to)
{
	zsr_coro_swap(&from->sp, to->sp);
}

#else /* ZSR_CORO_UCONTEXT */

/* makecontext passes ints; the pointer travels in two halves. */
static void start(unsigned hi, unsigned lo)
{
	struct zsr_coro *c = (void *)(uintptr_t)(((uint64_t)hi << 32) |
						 (uint64_t)lo);

	c->fn(c->arg);
}

void zsr_coro_switch(struct zsr_coro *from, struct zsr_coro *to)
{
	swapcontext(&from->context, &to->context);
}

#endif

int zsr_coro_init(struct zsr_coro *c, struct zsr_err *err)
{
	char *p = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return zsr_err_sys(err, errno, "stack of a virtual task");
	/* Overflow faults instead of overwriting the neighbour. */
	mprotect(p, GUARD_SIZE, PROT_NONE);
	*c = (struct zsr_coro){ .stack = p };
	c->valgrind_id = VALGRIND_STACK_REGISTER(p + GUARD_SIZE,
						 p + GUARD_SIZE + STACK_SIZE);
	return 0;
}

void zsr_coro_start(struct zsr_coro *c, void (*fn)(void *arg), void *arg)
{
	char *stack = (char *)c->stack + GUARD_SIZE;

	c->fn = fn;
	c->arg = arg;
	/* Frames that were left for good never unpoisoned theirs. */
	ASAN_UNPOISON_MEMORY_REGION(stack, STACK_SIZE);
#ifdef ZSR_CORO_UCONTEXT
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = stack;
	c->context.uc_stack.ss_size = STACK_SIZE;
	makecontext(&c->context, (void (*)(void))start, 2,
		    (unsigned)((uint64_t)(uintptr_t)c >> 32),
		    (unsigned)(uintptr_t)c);
#else
	c->sp = first_frame(stack + STACK_SIZE, fn, arg);
#endif
}

void zsr_coro_free(struct zsr_coro *c)
{
	if (!c->stack)
		return;
	VALGRIND_STACK_DEREGISTER(c->valgrind_id);
	munmap(c->stack, GUARD_SIZE + STACK_SIZE);
	c->stack = NULL;
}
