// SPDX-License-Identifier: GPL-2.0-only
/* ftrace text. */
#include "capture/decode/decode.h"

bool dec_is_text(const uint8_t *head, size_t len)
{
	return false;
}

int dec_text(struct dec *d, struct dec_file *f, struct zsr_err *err)
{
	return zsr_err_input(err, "%s: ftrace text", f->name);
}
