// SPDX-License-Identifier: GPL-2.0-only
/*
 * The long texts of a trace's metadata (snapshots of the kernel's files look
 * much alike) in one zstd frame, and the SQL function zsr_text() for them.
 */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "db/private.h"

#define LEVEL      15
#define MAX_UNPACK (64u << 20)

int zsr_texts_pack(const char *text, size_t n, void **blob, size_t *len,
		   struct zsr_err *err)
{
	size_t cap = ZSTD_compressBound(n), ret;

	*blob = malloc(cap);
	if (!*blob)
		return zsr_err_nomem(err, "metadata");
	ret = ZSTD_compress(*blob, cap, text, n, LEVEL);
	if (ZSTD_isError(ret)) {
		free(*blob);
		return zsr_err_sys(err, EIO, "metadata: %s",
				   ZSTD_getErrorName(ret));
	}
	*len = ret;
	return 0;
}

/* The texts of TRACE, NULL with the function's error set when damaged. */
static char *unpack(sqlite3_context *ctx, int64_t trace, size_t *size)
{
	sqlite3 *sql = sqlite3_context_db_handle(ctx);
	sqlite3_blob *blob = NULL;
	unsigned long long n;
	void *packed = NULL;
	char *text = NULL;
	int len;

	if (sqlite3_blob_open(sql, "main", "trace", "texts", trace, 0, &blob))
		goto bad;
	len = sqlite3_blob_bytes(blob);
	packed = malloc((size_t)len + 1);
	if (!packed || sqlite3_blob_read(blob, packed, len, 0))
		goto bad;
	n = ZSTD_getFrameContentSize(packed, (size_t)len);
	if (n > MAX_UNPACK)
		goto bad;
	text = malloc((size_t)n + 1);
	if (!text || ZSTD_decompress(text, (size_t)n, packed, (size_t)len) != n) {
		free(text);
		text = NULL;
		goto bad;
	}
	*size = (size_t)n;
bad:
	if (!text)
		sqlite3_result_error(ctx, "a trace's texts are damaged", -1);
	free(packed);
	sqlite3_blob_close(blob);
	return text;
}

/* zsr_text(trace, at, len) */
static void zsr_text(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	uint64_t at = (uint64_t)sqlite3_value_int64(argv[1]);
	uint64_t len = (uint64_t)sqlite3_value_int64(argv[2]);
	size_t size = 0;
	char *text;

	if (sqlite3_value_type(argv[2]) == SQLITE_NULL)
		return;
	text = unpack(ctx, sqlite3_value_int64(argv[0]), &size);
	if (!text)
		return;
	if (at > size || len > size - at)
		sqlite3_result_error(ctx, "a trace's texts are damaged", -1);
	else
		sqlite3_result_text64(ctx, text + at, len, SQLITE_TRANSIENT,
				      SQLITE_UTF8);
	free(text);
}

int zsr_texts_register(struct zsr_db *db)
{
	return sqlite3_create_function_v2(db->sql, "zsr_text", 3,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC |
						  SQLITE_INNOCUOUS,
					  NULL, zsr_text, NULL, NULL, NULL);
}
