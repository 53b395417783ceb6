/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers as tokens: below 8 as they are; above, four to a power of two. */
#ifndef ZSR_PACK_TOKEN_H
#define ZSR_PACK_TOKEN_H

#include <stdint.h>

#define PK_TOKEN_MAX 251 /* of 2^64 - 1 */

static inline uint8_t pk_token(uint64_t v)
{
	unsigned k;

	if (v < 8)
		return (uint8_t)v;
	k = 61 - (unsigned)__builtin_clzll(v); /* v >> k is 4 to 7 */
	return (uint8_t)(4 * k + (unsigned)(v >> k));
}

/* How many bits a token leaves. */
static inline unsigned pk_token_bits(uint8_t token)
{
	return token < 8 ? 0 : token / 4u - 1;
}

/* The least number of a token. */
static inline uint64_t pk_token_base(uint8_t token)
{
	return token < 8 ? token
			 : (uint64_t)(4 + token % 4) << pk_token_bits(token);
}

static inline uint64_t pk_zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t pk_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

#endif
