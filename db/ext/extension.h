/* SPDX-License-Identifier: GPL-2.0-only */
/* In front of every file of the extension: SQLite's functions are those of the
 * program that loads it. */
#include <sqlite3ext.h>

extern const sqlite3_api_routines *sqlite3_api;
