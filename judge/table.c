// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "judge/table.h"

static size_t home(const struct judge_table *t, uint64_t key)
{
	return (size_t)((key * 0x9E3779B97F4A7C15ull) >> 20) & t->mask;
}

static size_t find(const struct judge_table *t, uint64_t key)
{
	size_t i = home(t, key);

	while (t->at[i].value && t->at[i].key != key)
		i = (i + 1) & t->mask;
	return i;
}

static int grow(struct judge_table *t)
{
	struct judge_table bigger = { .mask = t->at ? 2 * t->mask + 1 : 1023 };
	size_t i;

	bigger.at = calloc(bigger.mask + 1, sizeof(*bigger.at));
	if (!bigger.at)
		return -ENOMEM;
	for (i = 0; t->at && i <= t->mask; i++)
		if (t->at[i].value)
			bigger.at[find(&bigger, t->at[i].key)] = t->at[i];
	bigger.nr = t->nr;
	free(t->at);
	*t = bigger;
	return 0;
}

int judge_table_put(struct judge_table *t, uint64_t key, uint64_t value)
{
	size_t i;

	if ((!t->at || 2 * t->nr > t->mask) && grow(t))
		return -ENOMEM;
	i = find(t, key);
	t->nr += !t->at[i].value;
	t->at[i] = (struct judge_cell){ .key = key, .value = value };
	return 0;
}

uint64_t judge_table_get(const struct judge_table *t, uint64_t key)
{
	return t->at ? t->at[find(t, key)].value : 0;
}

uint64_t judge_table_take(struct judge_table *t, uint64_t key)
{
	size_t i, next;
	uint64_t value;

	if (!t->at)
		return 0;
	i = find(t, key);
	value = t->at[i].value;
	if (!value)
		return 0;
	t->nr--;
	t->at[i].value = 0;
	/* Those behind it move up unless they would leave their home. */
	for (next = (i + 1) & t->mask; t->at[next].value;
	     next = (next + 1) & t->mask) {
		size_t from = home(t, t->at[next].key);

		if (((next - from) & t->mask) < ((next - i) & t->mask))
			continue;
		t->at[i] = t->at[next];
		t->at[next].value = 0;
		i = next;
	}
	return value;
}

void judge_table_free(struct judge_table *t)
{
	free(t->at);
	*t = (struct judge_table){ 0 };
}
