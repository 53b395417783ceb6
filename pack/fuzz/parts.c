// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing what a pack is made of with libFuzzer: the first byte says of what
 * part the others are. tests/fuzz.sh builds it.
 */
#include <stdlib.h>
#include <string.h>

#include "pack/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_fact(void *ctx, const struct pk_fact *fact, struct zsr_err *err)
{
	return strlen(fact->value) > 1u << 20;
}

static int on_run(void *ctx, const struct zsr_run *run, struct zsr_err *err)
{
	return strlen(run->policy) > sizeof(run->policy);
}

static int on_leak(void *ctx, const char *leak)
{
	return strlen(leak) > 1u << 20;
}

static void fuzz_text(unsigned part, const char *text)
{
	struct zsr_manifest m = { 0 };
	char to[200];
	struct zsr_err err = { 0 };

	switch (part) {
	case 1:
		pk_manifest_parse(&m, text, &err);
		zsr_manifest_free(&m);
		break;
	case 2:
		pk_facts_parse(text, on_fact, NULL, &err);
		break;
	case 3:
		zsr_results_read(text, on_run, NULL, &err);
		break;
	case 4:
		zsr_text_leaks("x", text, on_leak, NULL);
		break;
	case 5:
		pk_clean_release(text, to, sizeof(to));
		pk_clean_mark(text, to, sizeof(to));
		pk_clean_pool(text, 0, to, sizeof(to));
		pk_clean_comm(text, to);
		break;
	case 6:
		pk_meta_allowed(text, text + strlen(text) / 2);
		break;
	}
}

/* Several segments, so that what one leaves behind meets the next. */
static void fuzz_events(const uint8_t *data, size_t size)
{
	struct pk_decoder *d = pk_decoder_new();
	const struct zsr_event *ev;
	struct zsr_err err = { 0 };
	size_t n;

	while (d && size > 2) {
		n = zsr_min(size - 2, (size_t)(data[0] | data[1] << 8));
		pk_decode(d, data + 2, n, &ev, &err);
		data += 2 + n;
		size -= 2 + n;
	}
	pk_decoder_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 2)
		return 0;
	if (data[0] % 7 == 0) {
		fuzz_events(data + 1, size - 1);
		return 0;
	}
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	fuzz_text(data[0] % 7, text);
	free(text);
	return 0;
}
