/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Things that fail on purpose: an SQLite VFS whose Nth change of a file fails
 * or ends the process, and a malloc() whose Nth call fails.
 */
#ifndef ZSR_DB_T_FAULTS_H
#define ZSR_DB_T_FAULTS_H

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault_mode {
	FAULT_NONE,
	FAULT_ONCE, /* the Nth fails */
	FAULT_FROM, /* it and all that follow */
	FAULT_EXIT, /* the process ends there */
	FAULT_TEAR, /* ... after the first half was written */
};

static struct {
	enum fault_mode mode;
	unsigned long at; /* N, from 1 */
	unsigned long count; /* changes so far */
} vfs_fault;

/* Whether the next change is to fail. */
static inline int fault_now(void)
{
	vfs_fault.count++;
	switch (vfs_fault.mode) {
	case FAULT_ONCE:
		return vfs_fault.count == vfs_fault.at;
	case FAULT_FROM:
		return vfs_fault.count >= vfs_fault.at;
	case FAULT_EXIT:
	case FAULT_TEAR:
		if (vfs_fault.count == vfs_fault.at &&
		    vfs_fault.mode == FAULT_EXIT)
			_exit(99);
		return vfs_fault.count == vfs_fault.at;
	default:
		return 0;
	}
}

/* ---- files ------------------------------------------------------------------ */

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

#define REAL(f) (((struct fault_file *)(f))->real)

static int f_close(sqlite3_file *f)
{
	return REAL(f)->pMethods->xClose(REAL(f));
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (!fault_now())
		return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
	if (vfs_fault.mode == FAULT_TEAR) {
		REAL(f)->pMethods->xWrite(REAL(f), p, n / 2, at);
		_exit(99);
	}
	return vfs_fault.at % 2 ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	if (fault_now())
		return SQLITE_IOERR_TRUNCATE;
	return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int f_sync(sqlite3_file *f, int flags)
{
	if (fault_now())
		return SQLITE_IOERR_FSYNC;
	return REAL(f)->pMethods->xSync(REAL(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}

static int f_lock(sqlite3_file *f, int how)
{
	return REAL(f)->pMethods->xLock(REAL(f), how);
}

static int f_unlock(sqlite3_file *f, int how)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), how);
}

static int f_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int f_device(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend,
		     void volatile **p)
{
	if (extend && fault_now())
		return SQLITE_IOERR_SHMSIZE;
	return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, p);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int f_shm_unmap(sqlite3_file *f, int delete)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), delete);
}

static const sqlite3_io_methods fault_methods = {
	.iVersion = 2,
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_device,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

/* ---- the VFS ---------------------------------------------------------------- */

static sqlite3_vfs *real_vfs;

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		  int flags, int *out)
{
	struct fault_file *f = (struct fault_file *)file;
	int rc;

	f->base.pMethods = NULL;
	f->real = (sqlite3_file *)(f + 1);
	if (flags & SQLITE_OPEN_CREATE && fault_now())
		return SQLITE_CANTOPEN;
	rc = real_vfs->xOpen(real_vfs, name, f->real, flags, out);
	if (f->real->pMethods)
		f->base.pMethods = &fault_methods;
	return rc;
}

static int v_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	if (fault_now())
		return SQLITE_IOERR_DELETE;
	return real_vfs->xDelete(real_vfs, name, sync);
}

static int v_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
	return real_vfs->xAccess(real_vfs, name, flags, out);
}

static int v_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
	return real_vfs->xFullPathname(real_vfs, name, n, out);
}

static int v_random(sqlite3_vfs *vfs, int n, char *out)
{
	return real_vfs->xRandomness(real_vfs, n, out);
}

static int v_sleep(sqlite3_vfs *vfs, int us)
{
	return real_vfs->xSleep(real_vfs, us);
}

static int v_time(sqlite3_vfs *vfs, double *out)
{
	return real_vfs->xCurrentTime(real_vfs, out);
}

static int v_time64(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	return real_vfs->xCurrentTimeInt64(real_vfs, out);
}

static int v_last_error(sqlite3_vfs *vfs, int n, char *out)
{
	return real_vfs->xGetLastError(real_vfs, n, out);
}

static sqlite3_vfs fault_vfs = {
	.iVersion = 2,
	.zName = "fault",
	.xOpen = v_open,
	.xDelete = v_delete,
	.xAccess = v_access,
	.xFullPathname = v_path,
	.xRandomness = v_random,
	.xSleep = v_sleep,
	.xCurrentTime = v_time,
	.xCurrentTimeInt64 = v_time64,
	.xGetLastError = v_last_error,
};

/* From now on every database is opened through it. */
static inline void fault_install(void)
{
	if (real_vfs)
		return;
	real_vfs = sqlite3_vfs_find(NULL);
	fault_vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
	fault_vfs.mxPathname = real_vfs->mxPathname;
	sqlite3_vfs_register(&fault_vfs, 1);
}

/* ---- memory ----------------------------------------------------------------- */

static unsigned long malloc_fail_at; /* 0: never */
static unsigned long malloc_count;

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define FAULTY_MALLOC 1
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static inline int no_memory(void)
{
	if (!malloc_fail_at || ++malloc_count != malloc_fail_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

/* These stand in for the C library's, in every library of the process. */
void *malloc(size_t n)
{
	return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return no_memory() ? NULL : __libc_realloc(p, n);
}
#else
#define FAULTY_MALLOC 0
#endif

#endif
