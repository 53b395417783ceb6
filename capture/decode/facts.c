// SPDX-License-Identifier: GPL-2.0-only
/* What a capture says about itself: marks, losses, task names, statistics. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode/decode.h"

#define MAX_MARK 8192

/* "capture:begin RELEASE", which whoever captures writes first. */
static void release_of_mark(struct dec *d, const char *text)
{
	static const char begin[] = "capture:begin ";

	if (d->have_release || strncmp(text, begin, strlen(begin)))
		return;
	text += strlen(begin);
	if (!isdigit((unsigned char)*text) || strchr(text, ' '))
		return;
	dec_out_meta(d->out, "kernel.release", text);
	d->have_release = true;
}

bool dec_fact(struct dec *d, char *text)
{
	static const char begin[] = "zsr:fact ";
	char *key, *value;

	if (strncmp(text, begin, strlen(begin)))
		return false;
	key = text + strlen(begin);
	value = strchr(key, '=');
	if (!value || value == key)
		return false;
	*value++ = '\0';
	d->have_release |= !strcmp(key, "kernel.release");
	dec_out_meta(d->out, key, value);
	return true;
}

void dec_mark(struct dec *d, struct zsr_rec *rec, const char *text, size_t len)
{
	char line[MAX_MARK];

	rec->kind = ZSR_REC_MARK;
	rec->text_len = (uint32_t)dec_printable(line, sizeof(line), text, len);
	/* No mark of the workload's. */
	if (dec_fact(d, line))
		return;
	release_of_mark(d, line);
	dec_out_mark(d->out, rec, line);
}

void dec_lost(struct dec *d, uint64_t t_ns, unsigned cpu, uint64_t count)
{
	*dec_out_rec(d->out) = (struct zsr_rec){
		.t_ns = t_ns,
		.value = count,
		.cpu = (uint16_t)cpu,
		.kind = ZSR_REC_LOST,
	};
}

void dec_tasks_see(struct dec *d, struct dec_tasks *t, int32_t pid,
		   const char *comm, size_t len)
{
	size_t i = (uint32_t)pid % ZSR_ARRAY_SIZE(t->seen);

	len = zsr_min(len, sizeof(t->seen[i].comm) - 1);
	if (t->seen[i].pid == pid && t->seen[i].len == len &&
	    !memcmp(t->seen[i].comm, comm, len))
		return;
	t->seen[i].pid = pid;
	t->seen[i].len = (uint8_t)len;
	memcpy(t->seen[i].comm, comm, len);
	t->seen[i].comm[len] = '\0';
	dec_out_task(d->out, pid, t->seen[i].comm);
}

void dec_cmdlines(struct dec *d, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text), i = 0;
		char comm[DEC_COMM_LEN];
		uint64_t pid = 0;

		while (i < n && isdigit((unsigned char)text[i]) &&
		       pid <= INT32_MAX)
			pid = pid * 10 + (unsigned)(text[i++] - '0');
		if (i && i + 1 < n && text[i] == ' ' && pid <= INT32_MAX &&
		    strncmp(text + i + 1, "<...>", 5)) {
			dec_printable(comm, sizeof(comm), text + i + 1,
				      n - i - 1);
			dec_out_task(d->out, (int32_t)pid, comm);
		}
		text += n + 1;
	}
}

static bool starts(const char *line, const char *word, const char **rest)
{
	size_t n = strlen(word);

	if (strncmp(line, word, n))
		return false;
	*rest = line + n;
	return true;
}

void dec_stats_parse(struct dec *d, const char *text, int cpu)
{
	const char *line = text, *v;

	for (; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		struct dec_cpu_stats *s;

		if (starts(line, "CPU: ", &v) || starts(line, "cpu", &v)) {
			unsigned long n = strtoul(v, NULL, 10);

			cpu = isdigit((unsigned char)*v) && n < DEC_MAX_CPUS
				      ? (int)n
				      : -1;
			continue;
		}
		if (cpu < 0 || cpu >= (int)DEC_MAX_CPUS)
			continue;
		s = &d->stats[cpu];
		if (starts(line, "entries: ", &v)) {
			s->entries = strtoull(v, NULL, 10);
			s->have = true;
		} else if (starts(line, "overrun: ", &v)) {
			s->overrun = strtoull(v, NULL, 10);
		} else if (starts(line, "commit overrun: ", &v)) {
			s->commit_overrun = strtoull(v, NULL, 10);
		} else if (starts(line, "dropped events: ", &v)) {
			s->dropped = strtoull(v, NULL, 10);
		} else if (starts(line, "read events: ", &v)) {
			s->read = strtoull(v, NULL, 10);
		}
	}
}

static void ring_meta(struct dec *d, const char *what, unsigned cpu, uint64_t n)
{
	char key[64];

	snprintf(key, sizeof(key), "ring.%s.cpu%u", what, cpu);
	dec_out_metaf(d->out, key, "%" PRIu64, n);
}

void dec_stats_meta(struct dec *d)
{
	unsigned cpu;

	for (cpu = 0; cpu < DEC_MAX_CPUS; cpu++) {
		const struct dec_cpu_stats *s = &d->stats[cpu];

		if (!s->have)
			continue;
		ring_meta(d, "entries", cpu, s->entries);
		ring_meta(d, "overrun", cpu, s->overrun);
		ring_meta(d, "commit_overrun", cpu, s->commit_overrun);
		ring_meta(d, "dropped", cpu, s->dropped);
		ring_meta(d, "read", cpu, s->read);
	}
}

int dec_fault(struct dec *d, int ret, const struct zsr_err *err)
{
	if (!d->partial)
		return ret;
	if (!d->fault.kind)
		d->fault = *err;
	return 0;
}
