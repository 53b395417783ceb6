/* SPDX-License-Identifier: GPL-2.0-only */
/* A trace.dat as libtracecmd reads it, held against what we read. */
#ifndef ZSR_CAPTURE_T_PEER_H
#define ZSR_CAPTURE_T_PEER_H

#include <event-parse.h>
#include <trace-cmd.h>

#include "capture/t/collect.h"
#include "tests/check.h"

static inline uint64_t field(struct tep_event *ev, struct tep_record *rec,
			     const char *name)
{
	struct tep_format_field *f = tep_find_any_field(ev, name);
	unsigned long long v = 0;

	if (f)
		tep_read_number_field(f, rec->data, &v);
	return v;
}

static inline void same_record(const struct zsr_rec *r, struct tep_event *ev,
			       struct tep_record *rec)
{
	uint64_t value = field(ev, rec, "size");

	if (r->kind == ZSR_REC_PLACE)
		value = field(ev, rec, "obj");
	else if (r->kind == ZSR_REC_COMPACT_RET)
		value = field(ev, rec, "freed");
	else if (r->kind == ZSR_REC_ZSPAGE_FREE)
		value = field(ev, rec, "zspage");
	ck_assert_uint_eq(r->t_ns, rec->ts);
	ck_assert_int_eq(r->pid, (int)field(ev, rec, "common_pid"));
	if (r->kind == ZSR_REC_MARK)
		return;
	ck_assert_uint_eq(r->pool, field(ev, rec, "pool"));
	ck_assert_uint_eq(r->handle, field(ev, rec, "handle"));
	ck_assert_uint_eq(r->gfp, field(ev, rec, "gfp"));
	ck_assert_uint_eq(r->caller, field(ev, rec, "__probe_ret_ip"));
	ck_assert_uint_eq(r->value, value);
}

/* Every record of the file at PATH is among those in *got, and no other. */
static inline void same_as_libtracecmd(const char *path,
				       const struct collected *got)
{
	struct tracecmd_input *in;
	uint64_t n = 0;
	int cpu, cpus;

	in = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	ck_assert_ptr_nonnull(in);
	cpus = tep_get_cpus(tracecmd_get_tep(in));
	for (cpu = 0; cpu < cpus; cpu++) {
		struct tep_record *rec;
		size_t i = 0;

		while ((rec = tracecmd_read_data(in, cpu))) {
			while (i < got->nr && got->recs[i].cpu != cpu)
				i++;
			ck_assert_uint_lt(i, got->nr);
			if (rec->missed_events) {
				ck_assert_uint_eq(got->recs[i].kind,
						  ZSR_REC_LOST);
				ck_assert_uint_eq(got->recs[i].value,
						  (uint64_t)rec->missed_events);
				ck_assert_uint_eq(got->recs[i].t_ns, rec->ts);
				i++;
				n++;
			}
			same_record(&got->recs[i++],
				    tep_find_event_by_record(
					    tracecmd_get_tep(in), rec),
				    rec);
			tracecmd_free_record(rec);
			n++;
		}
	}
	ck_assert_uint_eq(n, got->nr);
	tracecmd_close(in);
}

#endif
