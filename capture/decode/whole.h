/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to capture/decode/: files that tell a whole trace, see whole.c. */
#ifndef ZSR_CAPTURE_WHOLE_H
#define ZSR_CAPTURE_WHOLE_H

#include "capture/decode/decode.h"

struct dec_whole {
	struct zsr_event ev[256]; /* to be delivered */
	size_t nr_ev;
	uint64_t next_task, next_mark;
	uint64_t first_obj, next_obj; /* the second counts from the first */
};

/* What an event says of its task, and a mark. Texts are not NUL-terminated. */
struct dec_words {
	int32_t pid;
	const char *comm, *text;
	size_t comm_len, text_len;
	bool no_aux; /* a mark without a number: the next */
};

int dec_whole_fact(struct dec *d, struct dec_whole *w, const char *key,
		   const char *value, struct zsr_err *err);
/* *ev is in range, but for its task, mark and object, which it may change. */
int dec_whole_event(struct dec *d, struct dec_whole *w, struct zsr_event *ev,
		    const struct dec_words *said, struct zsr_err *err);
/* After the last one. */
void dec_whole_flush(struct dec *d, struct dec_whole *w);

#endif
