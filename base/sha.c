// SPDX-License-Identifier: GPL-2.0-only
#include <sha2.h>
#include <string.h>

#include "base/base.h"

_Static_assert(sizeof(SHA2_CTX) <= sizeof(struct zsr_sha),
	       "struct zsr_sha holds libmd's context");

static SHA2_CTX *ctx(struct zsr_sha *s)
{
	return (SHA2_CTX *)s->state;
}

void zsr_sha_init(struct zsr_sha *s)
{
	SHA256Init(ctx(s));
}

void zsr_sha_bytes(struct zsr_sha *s, const void *p, size_t n)
{
	SHA256Update(ctx(s), p, n);
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
	uint8_t d[SHA256_DIGEST_LENGTH];
	unsigned i;

	SHA256Final(d, ctx(s));
	for (i = 0; i < sizeof(d); i++)
		sprintf(hex + 2 * i, "%02x", d[i]);
}
