// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing one ring-buffer page with libFuzzer:
 *
 *	clang -std=gnu11 -D_GNU_SOURCE -I. -g -O1 \
 *		-fsanitize=fuzzer,address,undefined -o fuzz-page \
 *		capture/fuzz/page.c capture/decode/page.c base/err.c
 */
#include <stdlib.h>
#include <string.h>

#include "capture/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile unsigned sum; /* so that all bytes are read */
	const struct dec_page_format f = { .commit_off = 8,
					   .commit_size = 8,
					   .data_off = 16,
					   .size = (unsigned)size };
	struct dec_page p;
	struct zsr_err err;
	const uint8_t *ev;
	uint8_t *copy;
	unsigned len, i;

	if (size < 32 || size > DEC_MAX_PAGE)
		return 0;
	copy = malloc(size); /* exactly, so that reading on is seen */
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (!dec_page_load(&p, &f, copy, &err))
		while (dec_page_next(&p, &ev, &len, &err) > 0)
			for (i = 0; i < len; i++)
				sum += ev[i];
	free(copy);
	return 0;
}
