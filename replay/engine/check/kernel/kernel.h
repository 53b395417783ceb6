/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stand-ins for what a kernel's mm/zsmalloc.c includes: each header it names
 * becomes a file that includes this one. Here, beside the rest: modules,
 * shrinkers, and what is compiled but never called in a process (migration of
 * pages, file systems).
 */
#ifndef ZSR_STANDIN_KERNEL_H
#define ZSR_STANDIN_KERNEL_H

#include <standin/memory.h>

#define CONFIG_COMPACTION 1
#define CONFIG_64BIT      1
/* CONFIG_ZSMALLOC_CHAIN_SIZE comes from the command line. */

#define KBUILD_MODNAME        "zsmalloc"
#define THIS_MODULE           NULL
#define EXPORT_SYMBOL(s)      struct zsr_nothing
#define EXPORT_SYMBOL_GPL(s)  struct zsr_nothing
#define MODULE_LICENSE(s)     struct zsr_nothing
#define MODULE_AUTHOR(s)      struct zsr_nothing
#define MODULE_DESCRIPTION(s) struct zsr_nothing
#define MODULE_ALIAS(s)       struct zsr_nothing
#define module_init(f)        static int (*const zsr_module_init)(void) = (f)
#define module_exit(f)        struct zsr_nothing

struct dentry;
struct seq_file;

/* ---- shrinkers: registered, never called ---------------------------------------- */

struct shrink_control {
	gfp_t gfp_mask;
	unsigned long nr_to_scan;
};

struct shrinker {
	unsigned long (*count_objects)(struct shrinker *s,
				       struct shrink_control *c);
	unsigned long (*scan_objects)(struct shrinker *s,
				      struct shrink_control *c);
	long batch;
	int seeks;
	unsigned flags;
	void *private_data;
};

#define SHRINK_STOP   (~0UL)
#define DEFAULT_SEEKS 2
#define shrinker_alloc(...)                                                    \
	((struct shrinker *)calloc(1, sizeof(struct shrinker)))
#define shrinker_free(s)          free(s)
#define shrinker_register(s)      ((void)(s))
#define register_shrinker(s, ...) ((void)(s), 0)
#define unregister_shrinker(s)    ((void)(s))

/* ---- migration ---------------------------------------------------------------------- */

typedef unsigned isolate_mode_t;
enum migrate_mode {
	MIGRATE_ASYNC,
	MIGRATE_SYNC_LIGHT,
	MIGRATE_SYNC,
	MIGRATE_SYNC_NO_COPY,
};
#define MIGRATEPAGE_SUCCESS 0

struct movable_operations {
	bool (*isolate_page)(struct page *page, isolate_mode_t mode);
	int (*migrate_page)(struct page *to, struct page *from,
			    enum migrate_mode mode);
	void (*putback_page)(struct page *page);
};
enum pagetype { PGTY_zsmalloc };
#define set_movable_ops(ops, type) 0

/* ---- file systems, by which older kernels migrate ------------------------------------ */

struct super_block;
struct fs_context;

struct address_space;
struct address_space_operations {
	bool (*isolate_page)(struct page *page, isolate_mode_t mode);
	int (*migratepage)(struct address_space *mapping, struct page *to,
			   struct page *from, enum migrate_mode mode);
	void (*putback_page)(struct page *page);
};
struct address_space {
	const struct address_space_operations *a_ops;
	void *private_data;
};
struct inode {
	struct address_space *i_mapping;
	struct address_space data;
};
struct vfsmount {
	struct super_block *mnt_sb;
};
struct file_system_type {
	const char *name;
	int (*init_fs_context)(struct fs_context *fc);
	void (*kill_sb)(struct super_block *sb);
};

#define ZSMALLOC_MAGIC         0
#define init_pseudo(fc, magic) ((void *)(fc))
static inline void kill_anon_super(struct super_block *sb)
{
}

static inline struct vfsmount *zsr_mount(void)
{
	static struct vfsmount mount;

	return &mount;
}
#define kern_mount(type) ((void)(type), zsr_mount())
#define kern_unmount(m)  ((void)(m))

static inline struct inode *alloc_anon_inode(struct super_block *sb)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_mapping = &inode->data;
	return inode;
}
#define iput(inode) free(inode)

#endif
