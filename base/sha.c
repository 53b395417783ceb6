// SPDX-License-Identifier: GPL-2.0-only
#include <nettle/sha2.h>
#include <string.h>

#include "base/base.h"

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct zsr_sha),
	       "struct zsr_sha holds nettle's context");

static struct sha256_ctx *ctx(struct zsr_sha *s)
{
	return (struct sha256_ctx *)s->state;
}

void zsr_sha_init(struct zsr_sha *s)
{
	sha256_init(ctx(s));
}

void zsr_sha_bytes(struct zsr_sha *s, const void *p, size_t n)
{
	sha256_update(ctx(s), n, p);
}

void zsr_sha_u64(struct zsr_sha *s, uint64_t v)
{
	uint8_t b[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	zsr_sha_bytes(s, b, sizeof(b));
}

void zsr_sha_str(struct zsr_sha *s, const char *str)
{
	size_t n = strlen(str);

	zsr_sha_u64(s, n);
	zsr_sha_bytes(s, str, n);
}

void zsr_sha_hex(struct zsr_sha *s, char hex[ZSR_SHA_HEX])
{
	uint8_t d[SHA256_DIGEST_SIZE];
	unsigned i;

	sha256_digest(ctx(s), sizeof(d), d);
	for (i = 0; i < sizeof(d); i++)
		sprintf(hex + 2 * i, "%02x", d[i]);
}
