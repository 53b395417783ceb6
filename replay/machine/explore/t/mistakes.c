// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exploring machine finds the classic mistakes, each with as few
 * preemptions as it takes, and nothing where there is none.
 */
#include "replay/machine/explore/t/scene.h"

/* ---- classic mistakes ------------------------------------------------------ */

static void tasks(unsigned nr, void (*a)(struct zsr_explore *, void *),
		  void (*b)(struct zsr_explore *, void *),
		  void (*c)(struct zsr_explore *, void *))
{
	scene_reset();
	scene.nr_tasks = nr;
	scene.fn[0] = a;
	scene.fn[1] = b;
	scene.fn[2] = c;
}

/* Found with exactly so many preemptions, with and without merging; why. */
static void must_fail(unsigned preemptions, const char *why)
{
	struct zsr_explore_result r;
	int merge;

	for (merge = 0; merge < 2; merge++) {
		r = explore(5, merge);
		ck_assert_msg(r.failed, "%s: not found in %llu runs", why,
			      (unsigned long long)r.all_runs);
		ck_assert_uint_eq(r.preemptions, preemptions);
		ck_assert_msg(strstr(r.why, why), "%s", r.why);
		ck_assert_ptr_nonnull(strstr(r.schedule, r.why));
		zsr_explore_result_free(&r);
	}
}

/* Under every schedule; without merging, with at most so many preemptions. */
static void must_hold(unsigned preemptions)
{
	struct zsr_explore_result r = explore(preemptions, false);

	ck_assert_msg(!r.failed, "%s", r.schedule);
	ck_assert(r.complete);
	r = explore(UINT32_MAX, true);
	ck_assert_msg(!r.failed, "%s", r.schedule);
	ck_assert(r.complete && r.exhausted);
	printf("# %llu runs, %llu merged\n", (unsigned long long)r.runs,
	       (unsigned long long)r.merged);
}

static void add_one(struct zsr_explore *x, void *arg)
{
	int seen;

	(void)x;
	zsr_line_read(scene.m, arg);
	seen = scene.count;
	zsr_line_write(scene.m, arg);
	scene.count = seen + 1;
}

static void locked_add_one(struct zsr_explore *x, void *arg)
{
	zsr_spin_lock(scene.m, &scene.a);
	add_one(x, arg);
	zsr_spin_unlock(scene.m, &scene.a);
}

static void check_count(struct zsr_explore *x)
{
	if (scene.count != (int)scene.nr_tasks)
		zsr_explore_fail(x, "update lost: %d", scene.count);
}

START_TEST(lost_update)
{
	tasks(2, add_one, add_one, NULL);
	scene.check = check_count;
	must_fail(1, "update lost");
	tasks(3, locked_add_one, locked_add_one, locked_add_one);
	scene.check = check_count;
	must_hold(UINT32_MAX);
}
END_TEST

static void lock_ab(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_spin_lock(scene.m, &scene.a);
	zsr_spin_lock(scene.m, &scene.b);
	zsr_spin_unlock(scene.m, &scene.b);
	zsr_spin_unlock(scene.m, &scene.a);
}

static void lock_ba(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_spin_lock(scene.m, &scene.b);
	zsr_spin_lock(scene.m, &scene.a);
	zsr_spin_unlock(scene.m, &scene.a);
	zsr_spin_unlock(scene.m, &scene.b);
}

/* The inner lock only tried: no deadlock. */
static void try_ba(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_spin_lock(scene.m, &scene.b);
	if (zsr_spin_trylock(scene.m, &scene.a))
		zsr_spin_unlock(scene.m, &scene.a);
	else
		scene.count++;
	zsr_spin_unlock(scene.m, &scene.b);
}

START_TEST(deadlock)
{
	tasks(2, lock_ab, lock_ba, NULL);
	must_fail(1, "deadlock");
	tasks(2, lock_ab, lock_ab, NULL);
	must_hold(UINT32_MAX);
	tasks(2, lock_ab, try_ba, NULL);
	must_hold(UINT32_MAX);
}
END_TEST

/* Looks again with the read lock held; a writer that came meanwhile waits for
 * the first hold and keeps the second out. */
static void read_twice(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_read_lock(scene.m, &scene.rw);
	scene.inside++;
	zsr_read_lock(scene.m, &scene.rw);
	zsr_read_unlock(scene.m, &scene.rw);
	scene.inside--;
	zsr_read_unlock(scene.m, &scene.rw);
}

static void read_once(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_read_lock(scene.m, &scene.rw);
	scene.inside++;
	zsr_order(scene.m);
	scene.most = zsr_max(scene.most, scene.inside);
	scene.inside--;
	zsr_read_unlock(scene.m, &scene.rw);
}

static void write_once(struct zsr_explore *x, void *arg)
{
	(void)arg;
	zsr_write_lock(scene.m, &scene.rw);
	if (scene.inside)
		zsr_explore_fail(x, "a reader beside the writer");
	zsr_write_unlock(scene.m, &scene.rw);
}

START_TEST(reader_writer)
{
	tasks(2, read_twice, write_once, NULL);
	must_fail(1, "deadlock");
	tasks(3, read_once, read_once, write_once);
	must_hold(UINT32_MAX);
}
END_TEST

/* Sleeps when there is nothing to do: between the look and the sleep the
 * waker finds nobody to wake. A lock with a strange owner is the bed. */
static void sleeper(struct zsr_explore *x, void *arg)
{
	struct zsr_machine *m = scene.m;

	(void)x;
	zsr_line_read(m, arg);
	if (scene.queue)
		return;
	zsr_line_write(m, arg);
	scene.a.owner = (void *)&scene;
	zsr_spin_lock(m, &scene.a);
	zsr_spin_unlock(m, &scene.a);
}

static void waker(struct zsr_explore *x, void *arg)
{
	(void)x;
	zsr_line_write(scene.m, arg);
	scene.queue = 1;
	scene.a.owner = NULL;
}

START_TEST(missed_wakeup)
{
	tasks(2, sleeper, waker, NULL);
	must_fail(1, "deadlock: p0 waits");
}
END_TEST

static void unlock_other(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_spin_unlock(scene.m, &scene.a);
}

static void sleep_locked(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_spin_lock(scene.m, &scene.a);
	zsr_flush_work(scene.m, &scene.work);
}

static void end_locked(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_read_lock(scene.m, &scene.rw);
}

static void enable_twice(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_preempt_disable(scene.m);
	zsr_preempt_enable(scene.m);
	zsr_preempt_enable(scene.m);
}

static void end_pinned(struct zsr_explore *x, void *arg)
{
	(void)x, (void)arg;
	zsr_preempt_disable(scene.m);
}

static void live_on(struct zsr_explore *x, void *arg)
{
	(void)x;
	for (;;)
		zsr_line_write(scene.m, arg);
}

START_TEST(balance)
{
	tasks(1, unlock_other, NULL, NULL);
	must_fail(0, "does not hold");
	tasks(1, sleep_locked, NULL, NULL);
	must_fail(0, "p0 sleeps with");
	tasks(1, end_locked, NULL, NULL);
	must_fail(0, "p0 ends with");
	tasks(1, enable_twice, NULL, NULL);
	must_fail(0, "preemption that is on");
	tasks(1, end_pinned, NULL, NULL);
	must_fail(0, "preemption off");
	tasks(1, live_on, NULL, NULL);
	must_fail(0, "no end after");
}
END_TEST

/* ---- CPUs ------------------------------------------------------------------ */

/* Use data of the CPU's own; `seen` is where the task is. */
static void use_percpu(struct zsr_explore *x, unsigned cpu)
{
	struct zsr_line *line = &scene.line[cpu];

	zsr_order(scene.m);
	if (line->owner)
		zsr_explore_fail(x, "two tasks use the data of CPU %u", cpu);
	line->owner = 1;
	zsr_charge(scene.m, ZSR_COST_push, 1);
	zsr_order(scene.m);
	line->owner = 0;
}

static void pinned(struct zsr_explore *x, void *arg)
{
	(void)arg;
	zsr_preempt_disable(scene.m);
	use_percpu(x, zsr_cpu(scene.m));
	zsr_preempt_enable(scene.m);
}

static void not_pinned(struct zsr_explore *x, void *arg)
{
	(void)arg;
	use_percpu(x, zsr_cpu(scene.m));
}

static void pinned_late(struct zsr_explore *x, void *arg)
{
	unsigned cpu = zsr_cpu(scene.m);

	(void)arg;
	zsr_preempt_disable(scene.m);
	use_percpu(x, cpu);
	zsr_preempt_enable(scene.m);
}

START_TEST(per_cpu)
{
	unsigned cpus = scenario.cpus;

	scenario.cpus = 2;
	tasks(3, pinned, pinned, pinned);
	must_hold(4);
	scenario.migrate = true;
	must_hold(3);
	tasks(3, not_pinned, pinned, not_pinned);
	must_fail(1, "two tasks use");
	/* Only a move between the look and the pin shows the mistake. */
	tasks(3, pinned_late, pinned_late, pinned_late);
	must_hold(3);
	scenario.migrate = true;
	must_fail(2, "two tasks use");
	scenario.cpus = cpus;
}
END_TEST

/* ---- work --------------------------------------------------------------------- */

/* Takes what is in the queue, one look after the other. */
static void drain(struct zsr_work *work)
{
	struct zsr_explore *x = work->arg;

	if (scene.inside++)
		zsr_explore_fail(x, "the item runs twice at a time");
	zsr_spin_lock(scene.m, &scene.a);
	scene.seen += scene.queue;
	scene.queue = 0;
	zsr_spin_unlock(scene.m, &scene.a);
	zsr_order(scene.m);
	scene.inside--;
}

static void work_init(struct zsr_explore *x)
{
	scene.work = (struct zsr_work){ .fn = drain, .arg = x, .wq = &scene.wq };
	scene.timer.work = scene.work;
}

static void produce(struct zsr_explore *x, void *arg)
{
	(void)arg;
	if (!scene.work.fn)
		work_init(x);
	zsr_spin_lock(scene.m, &scene.a);
	scene.queue++;
	zsr_spin_unlock(scene.m, &scene.a);
	zsr_queue_work(scene.m, &scene.work);
}

/* Only where the queue was empty before, which is looked up too early. */
static void produce_early(struct zsr_explore *x, void *arg)
{
	bool was_empty = !scene.queue;

	(void)arg;
	if (!scene.work.fn)
		work_init(x);
	zsr_spin_lock(scene.m, &scene.a);
	scene.queue++;
	zsr_spin_unlock(scene.m, &scene.a);
	if (was_empty)
		zsr_queue_work(scene.m, &scene.work);
}

static void produce_delayed(struct zsr_explore *x, void *arg)
{
	(void)arg;
	if (!scene.work.fn)
		work_init(x);
	zsr_spin_lock(scene.m, &scene.a);
	scene.queue++;
	zsr_spin_unlock(scene.m, &scene.a);
	zsr_queue_delayed_work_on(scene.m, 0, &scene.timer, 1000);
}

static void flush(struct zsr_explore *x, void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i + 1 < scene.nr_tasks; i++)
		zsr_explore_join(x, scene.task[i]);
	if (zsr_cancel_delayed_work(scene.m, &scene.timer))
		zsr_queue_work(scene.m, &scene.work);
	zsr_flush_work(scene.m, &scene.timer.work);
	zsr_flush_work(scene.m, &scene.work);
	if (zsr_explore_nr_works(x))
		zsr_explore_fail(x, "work is left");
	if (scene.seen != (int)scene.nr_tasks - 1)
		zsr_explore_fail(x, "%d never drained", scene.queue);
}

START_TEST(work)
{
	tasks(3, produce, produce, flush);
	scenario.workers = 2;
	must_hold(2);
	tasks(3, produce_early, produce_early, flush);
	scenario.workers = 1;
	must_fail(1, "never drained");
	tasks(2, produce_delayed, flush, NULL);
	scenario.workers = 1;
	scenario.timers = 1;
	must_hold(3);
}
END_TEST

static void allocate(struct zsr_explore *x, void *arg)
{
	(void)arg;
	if (!zsr_pages_alloc(scene.m, 3) && !zsr_pages_alloc(scene.m, 1))
		zsr_explore_fail(x, "no page");
	if (zsr_explore_pages(x) == 3)
		zsr_pages_free(scene.m, 3);
}

START_TEST(allocation_fails)
{
	tasks(1, allocate, NULL, NULL);
	must_hold(UINT32_MAX);
	scenario.pages_fail = true;
	must_fail(2, "no page");
}
END_TEST

ZSR_TEST_MAIN("mistakes", lost_update, deadlock, reader_writer, missed_wakeup,
	      balance, per_cpu, work, allocation_fails)
