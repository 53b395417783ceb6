/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-ins: types, words of the language, errors, lists. */
#ifndef ZSR_STANDIN_BASE_H
#define ZSR_STANDIN_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <standin/abi.h>

/* Of the C library, whose headers cannot be had beside the kernel's. */
void *malloc(size_t size);
void *calloc(size_t nr, size_t size);
void free(void *p);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int c, size_t size);
char *strdup(const char *s);

static const struct zsr_kernel_host *zsr_host;

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int s32;
typedef long s64;
typedef unsigned int gfp_t;
typedef long long loff_t;
typedef unsigned short umode_t;
typedef long ssize_t;

#define INT_MAX          __INT_MAX__
#define UINT_MAX         (~0u)
#define BITS_PER_LONG    64
#define SZ_16M           (16u << 20)
#define _AC(n, suffix)   ZSR_PASTE(n, suffix)
#define ZSR_PASTE(a, b)  ZSR_PASTE_(a, b)
#define ZSR_PASTE_(a, b) a##b
#define BIT(n)           (1UL << (n))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __init
#define __exit
#define __user
#define __must_check
#define __maybe_unused  __attribute__((unused))
#define __always_inline inline __attribute__((always_inline))
#define noinline        __attribute__((noinline))
#define fallthrough     __attribute__((fallthrough))
#define __acquires(x)
#define __releases(x)
#define __acquire(x) ((void)0)
#define __release(x) ((void)0)
#define _RET_IP_     0UL

#define min(a, b)                                                              \
	({                                                                     \
		__auto_type zsr_a_ = (a);                                      \
		__auto_type zsr_b_ = (b);                                      \
		zsr_a_ < zsr_b_ ? zsr_a_ : zsr_b_;                             \
	})
#define max(a, b)                                                              \
	({                                                                     \
		__auto_type zsr_a_ = (a);                                      \
		__auto_type zsr_b_ = (b);                                      \
		zsr_a_ > zsr_b_ ? zsr_a_ : zsr_b_;                             \
	})
#define min_t(type, a, b)  min((type)(a), (type)(b))
#define max_t(type, a, b)  max((type)(a), (type)(b))
#define MAX(a, b)          ((a) > (b) ? (a) : (b))
#define MIN(a, b)          ((a) < (b) ? (a) : (b))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define is_power_of_2(n)   ((n) && !((n) & ((n)-1)))

#define READ_ONCE(x)            (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)        (*(volatile __typeof__(x) *)&(x) = (v))
#define barrier()               __asm__ volatile("" : : : "memory")
#define smp_mb()                __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()               __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb()               __atomic_thread_fence(__ATOMIC_RELEASE)
#define smp_mb__after_atomic()  smp_mb()
#define smp_mb__before_atomic() smp_mb()

#define container_of(p, type, member)                                          \
	((type *)((char *)(p)-offsetof(type, member)))
#define static_assert(cond, ...) _Static_assert(cond, #cond)
#define BUILD_BUG_ON(cond) ((void)sizeof(char[1 - 2 * !!(cond)]))

/* The name of an option that is not set stays as it is. */
#define IS_ENABLED(option) (ZSR_TEXT(option)[0] == '1')
#define ZSR_TEXT(x)        #x

/* ---- what must not happen ---------------------------------------------- */

#define zsr_bug(what) zsr_host->bug(what, __FILE__, __LINE__)
#define BUG()         zsr_bug("BUG")
#define BUG_ON(cond)                                                           \
	do {                                                                   \
		if (unlikely(cond))                                            \
			zsr_bug("BUG_ON: " #cond);                             \
	} while (0)
#define WARN_ON(cond)                                                          \
	({                                                                     \
		bool zsr_cond_ = !!(cond);                                     \
                                                                               \
		if (unlikely(zsr_cond_))                                       \
			zsr_bug("WARN_ON: " #cond);                            \
		zsr_cond_;                                                     \
	})
#define WARN_ON_ONCE(cond)   WARN_ON(cond)
#define WARN_ONCE(cond, ...) WARN_ON(cond)
#define WARN(cond, ...)      WARN_ON(cond)
/* As in a kernel that is not built to debug its memory management. */
#define VM_BUG_ON(cond)                  ((void)sizeof(!!(cond)))
#define VM_BUG_ON_PAGE(cond, page)       VM_BUG_ON(cond)
#define VM_WARN_ON(cond)                 VM_BUG_ON(cond)
#define VM_WARN_ON_ONCE(cond)            VM_BUG_ON(cond)
#define VM_WARN_ON_ONCE_PAGE(cond, page) VM_BUG_ON(cond)

#define pr_err(...)  ((void)0)
#define pr_warn(...) ((void)0)
#define pr_info(...) ((void)0)

/* ---- errors -------------------------------------------------------------- */

#define ENOMEM 12
#define EBUSY  16
#define ENODEV 19
#define EINVAL 22
#define ENOSPC 28
#define EAGAIN 11

#define ZSR_FIRST_ERROR   (-4095L)
#define IS_ERR_VALUE(x)   ((unsigned long)(x) >= (unsigned long)ZSR_FIRST_ERROR)
#define IS_ERR(p)         IS_ERR_VALUE(p)
#define IS_ERR_OR_NULL(p) (!(p) || IS_ERR_VALUE(p))
#define ERR_PTR(n)        ((void *)(long)(n))
#define PTR_ERR(p)        ((long)(p))

/* ---- lists ---------------------------------------------------------------- */

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#define LIST_HEAD(name) struct list_head name = { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void zsr_list_between(struct list_head *entry,
				    struct list_head *before,
				    struct list_head *after)
{
	entry->prev = before;
	entry->next = after;
	before->next = entry;
	after->prev = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	zsr_list_between(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	zsr_list_between(entry, head->prev, head);
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

static inline void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

/* All of FROM in front of what is in TO. */
static inline void list_splice_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	from->next->prev = to;
	to->next = from->next;
	INIT_LIST_HEAD(from);
}

#define list_entry(p, type, member) container_of(p, type, member)
#define list_first_entry(head, type, member)                                   \
	list_entry((head)->next, type, member)
#define list_first_entry_or_null(head, type, member)                           \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_for_each_entry_safe(at, following, head, member)                  \
	for (at = list_entry((head)->next, __typeof__(*at), member),           \
	    following = list_entry(at->member.next, __typeof__(*at), member);  \
	     &at->member != (head); at = following,                            \
	    following = list_entry(at->member.next, __typeof__(*at), member))

#endif
