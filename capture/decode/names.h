/* SPDX-License-Identifier: GPL-2.0-only */
/* Names and what they mean: those built in (classify.c), and a map's (map.c). */
#ifndef ZSR_CAPTURE_NAMES_H
#define ZSR_CAPTURE_NAMES_H

#include "capture/decode/decode.h"

/* What a name is the name of. */
enum dec_names {
	DEC_FUNCTION_NAME, /* of the kernel: enum dec_func */
	DEC_EVENT_NAME, /* enum dec_meaning */
	DEC_FIELD_NAME, /* of an event: enum dec_role */
	DEC_CONTEXT_NAME, /* fields around an event's own, in CTF: enum dec_role */
	DEC_KIND_NAME, /* in the column "kind" of CSV: enum dec_meaning */
	DEC_COLUMN_NAME, /* of CSV: enum csv_column */
	DEC_ROW_NAME, /* of lines without a header: enum dec_meaning */
};

enum dec_meaning {
	DEC_IS_NONE,
	DEC_IS_MALLOC,
	DEC_IS_MALLOC_RET,
	DEC_IS_MALLOC_DONE,
	DEC_IS_FREE,
	DEC_IS_FREE_RET,
	DEC_IS_FREE_DONE,
	DEC_IS_COMPACT,
	DEC_IS_COMPACT_RET,
	DEC_IS_CREATE,
	DEC_IS_DESTROY,
	DEC_IS_PAGE_FREE,
	DEC_IS_PAGE_FREE_RET,
	DEC_IS_EMPTY,
	DEC_IS_EMPTY_RET,
	DEC_IS_MUNMAP,
	DEC_IS_MUNMAP_RET,
	DEC_IS_EXIT,
	DEC_IS_EXIT_RET,
	DEC_IS_MARK,
	DEC_IS_LOST,
	DEC_NR_MEANINGS
};

/* A name that a map gives a meaning; it lies in the map's text. */
struct dec_alias {
	const char *name;
	size_t len;
	uint8_t of; /* enum dec_names */
	uint8_t is; /* what OF says it is */
	unsigned line;
	/* Of an event: its own fields, of DEC_FIELD_NAME. Of a row: its columns, of
	 * DEC_COLUMN_NAME. Both in map->parts. */
	size_t first, nr;
};

struct zsr_event_map {
	char *text;
	size_t len;
	struct dec_alias *names, *parts;
	size_t nr, cap, nr_parts, cap_parts;
};

#define DEC_MAX_MAP (64u << 10) /* bytes of its text */

/* A map from its text, which becomes the map's, also when this fails. */
int dec_map_parse(struct zsr_event_map *map, char *text, size_t len,
		  struct zsr_err *err);
void dec_map_end(struct zsr_event_map *map);

/* The line of a map (NULL: there is none) that gives a name of OF a meaning. */
const struct dec_alias *dec_alias(const struct zsr_event_map *map,
				  enum dec_names of, const char *name,
				  size_t len);
/* The same, else a name that is built in: what it is, or -1. */
int dec_name_is(const struct zsr_event_map *map, enum dec_names of,
		const char *name, size_t len);
/* How good a NAME is among several for the same thing: 0 not at all, a map's
 * name best, those built in by their order. DEC_CONTEXT_NAME: a map's are fields. */
unsigned dec_name_rank(const struct zsr_event_map *map, enum dec_names of,
		       int is, const char *name);
/* What a word in the column "kind" of CSV means, or -1. */
int dec_meaning_of_kind(const struct zsr_event_map *map, const char *name,
			size_t len);

/* The words of zsr-map(5): -1, and DEC_NO_ROLE, when there is no such. */
int dec_meaning_named(const char *word, size_t len);
enum dec_role dec_role_named(const char *word, size_t len);

#endif
