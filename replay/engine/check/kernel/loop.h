/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loop that is timed, the same on both sides. Whoever includes it says
 * before what a handle is and what the three calls are:
 *
 *	ZSR_LOOP_HANDLE			type of a handle
 *	ZSR_LOOP_MALLOC(size, handle)	handle: where it goes
 *	ZSR_LOOP_FREE(handle)
 *	ZSR_LOOP_COMPACT()
 *
 * Compactions take place but their time does not count.
 */
static __attribute__((__noinline__)) unsigned long timed_loop(
	const struct zsr_timed_op *op, unsigned long nr,
	ZSR_LOOP_HANDLE *handle, unsigned long (*clock_ns)(void))
{
	const struct zsr_timed_op *end = op + nr;
	unsigned long start = clock_ns(), left_out = 0, t;

	for (; op < end; op++) {
		if (op->size == ZSR_TIMED_FREE) {
			ZSR_LOOP_FREE(handle[op->place]);
		} else if (op->size != ZSR_TIMED_COMPACT) {
			ZSR_LOOP_MALLOC(op->size, &handle[op->place]);
		} else {
			t = clock_ns();
			ZSR_LOOP_COMPACT();
			left_out += clock_ns() - t;
		}
	}
	return clock_ns() - start - left_out;
}
