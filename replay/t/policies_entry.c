// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that queue whole swap entries or slot indices: their gates, what
 * they do without memory, how many workers run, when a slot may be stored to
 * again, what waits for whom, and what follows the page size.
 */
#include "replay/t/scene.h"

#define ROUNDS 4000

static uint64_t queued_in_all(void)
{
	return scene.queued.count + scene.account.depth;
}

static void play_releases(struct setup u)
{
	scene_start(u);
	phase(store_all, true);
	phase(release_all, true);
}

static void finish(void)
{
	phase(flush_all, false);
	check_all_back();
	scene_end();
}

/* ---- gates ----------------------------------------------------------------- */

static uint64_t gathered(unsigned tasks, unsigned objects, const char *name,
			 uint64_t value)
{
	uint64_t queued;

	play_releases((struct setup){ .policy = &zsr_policy_exit_gather,
				      .cpus = 4,
				      .tasks = tasks,
				      .objects = objects,
				      .param = { { name, value } } });
	queued = queued_in_all();
	ck_assert_uint_eq(scene.pool.fallbacks, 0);
	ck_assert_uint_eq(scene.vm->works_queued > 0, queued > 0);
	finish();
	return queued;
}

/* Two tasks at once, each with a cluster of entries: else nobody gathers. */
START_TEST(gather_gate)
{
	ck_assert_uint_eq(gathered(1, 3000, NULL, 0), 0);
	ck_assert_uint_eq(gathered(1, 3000, "min-exiting", 1), 3000);
	ck_assert_uint_eq(gathered(2, 31, NULL, 0), 0);
	ck_assert_uint_gt(gathered(2, 32, NULL, 0), 32);
	ck_assert_uint_eq(gathered(2, 3000, "min-exiting", 3), 0);
	ck_assert_uint_eq(gathered(2, 31, "min-objects", 64), 0);
}
END_TEST

/* The second one comes when the first is half through, and goes long before
 * it ends. */
static void release_late(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	uint64_t half = a->s->objects / 2 *
			a->s->profile.cost_ps[ZSR_COST_gap_release];

	if (a->nr)
		zsr_vm_sleep_until(vm, vm->c->now + 2 * half);
	release_all(vm, a);
}

START_TEST(gate_opens_in_mid_exit)
{
	scene_start((struct setup){ .policy = &zsr_policy_exit_gather,
				    .cpus = 4,
				    .tasks = 2,
				    .objects = 3000 });
	phase(store_all, true);
	phase(release_late, true);
	/* All of the second task's entries, and not all of the first's. */
	ck_assert_uint_gt(queued_in_all(), 3000);
	ck_assert_uint_lt(queued_in_all(), 6000);
	finish();
}
END_TEST

static uint64_t listed(unsigned objects)
{
	uint64_t queued;

	play_releases((struct setup){ .policy = &zsr_policy_global_list,
				      .cpus = 4,
				      .tasks = 1,
				      .objects = objects });
	queued = queued_in_all();
	/* An item every 32 nodes, and nobody waits for the rest. */
	ck_assert_uint_eq(scene.vm->works_queued, queued / 32);
	finish();
	return queued;
}

START_TEST(list_gate)
{
	ck_assert_uint_eq(listed(3199), 0);
	ck_assert_uint_eq(listed(3200), 3200);
	ck_assert_uint_eq(listed(3210), 3210);
}
END_TEST

/* ---- without memory --------------------------------------------------------- */

/*
 * Release every second object, so that hardly a page comes back, with FREE
 * pages left and workers still to be had.
 */
static void release_without_memory(const struct zsr_policy *policy,
				   unsigned free)
{
	scene_start((struct setup){ .policy = policy,
				    .cpus = 4,
				    .tasks = 2,
				    .objects = ROUNDS,
				    .size = 100 });
	phase(store_all, true);
	scene.keep = 2;
	scene.profile.wmark_min = scene.profile.wmark_low = 0;
	scene.profile.wmark_high = 0;
	scene.profile.memory = (scene.vm->pages_used + free) * 4096;
	phase(release_all, true);
}

static void nothing_is_lost(void)
{
	phase(flush_all, false);
	check_settled();
	ck_assert_uint_eq(scene.vm->pages_used, scene.account.total_pages);
	scene_end();
}

START_TEST(no_page_at_all)
{
	release_without_memory(&zsr_policy_exit_gather, 0);
	ck_assert_uint_eq(scene.account.back_pages, 0);
	ck_assert_uint_gt(scene.vm->pages_refused, 0);
	ck_assert_uint_ge(scene.pool.fallbacks, ROUNDS / 2);
	ck_assert_uint_eq(queued_in_all(), 0);
	nothing_is_lost();

	release_without_memory(&zsr_policy_global_list, 0);
	ck_assert_uint_eq(scene.pool.fallbacks, ROUNDS);
	ck_assert_uint_eq(queued_in_all(), 0);
	nothing_is_lost();

	release_without_memory(&zsr_policy_zram_gc, 0);
	ck_assert_uint_eq(scene.pool.fallbacks, ROUNDS);
	nothing_is_lost();
}
END_TEST

/* A page for records, on either CPU, and none for entries: what is inline is
 * handed over whenever it is full. */
START_TEST(no_page_for_entries)
{
	release_without_memory(&zsr_policy_exit_gather, 2);
	ck_assert_uint_gt(scene.vm->pages_refused, 0);
	ck_assert_uint_gt(scene.vm->works_queued, 100);
	ck_assert_uint_eq(queued_in_all() + scene.pool.fallbacks, ROUNDS);
	nothing_is_lost();

	/* As many nodes as there is room for; then synchronously. */
	release_without_memory(&zsr_policy_global_list, 2);
	ck_assert_uint_gt(scene.pool.fallbacks, 0);
	ck_assert_uint_ge(queued_in_all(), 4096 / 32);
	ck_assert_uint_eq(queued_in_all() + scene.pool.fallbacks, ROUNDS);
	nothing_is_lost();
}
END_TEST

/* A bounded list that nobody is woken for: full, the caller does it, and in
 * the end nothing is missing. */
START_TEST(full_list_falls_back)
{
	play_releases((struct setup){
		.policy = &zsr_policy_zram_gc,
		.cpus = 2,
		.tasks = 1,
		.objects = 700,
		.param = { { "kick", 1000 }, { "capacity", 100 } } });
	ck_assert_uint_eq(scene.account.depth, 100);
	ck_assert_uint_eq(scene.pool.fallbacks, 600);
	ck_assert_uint_eq(scene.vm->works_queued, 0);
	finish();
}
END_TEST

/* ---- workers ------------------------------------------------------------------ */

static unsigned most_workers;

static void sample_workers(struct zsr_vm *vm, void *arg)
{
	unsigned i, cpu, nr;

	(void)arg;
	for (i = 0; i < 2000; i++) {
		zsr_vm_sleep_until(vm, vm->c->now + 5000000);
		for (cpu = nr = 0; cpu < vm->m.nr_cpus; cpu++)
			nr += vm->cpu[cpu].cur &&
			      vm->cpu[cpu].cur->mode == ZSR_MODE_WORKER;
		most_workers = zsr_max(most_workers, nr);
	}
}

static unsigned workers(const struct zsr_policy *policy, const char *name,
			uint64_t value)
{
	scene_start((struct setup){
		.policy = policy,
		.cpus = 8,
		.tasks = 4,
		.objects = 4000,
		.param = { { name, value }, { "locking", 2 } } });
	phase(store_all, true);
	most_workers = 0;
	zsr_vm_spawn(scene.vm, sample_workers, NULL, 7, scene.vm->end);
	phase(release_all, true);
	finish();
	return most_workers;
}

START_TEST(workers_at_once)
{
	ck_assert_uint_eq(workers(&zsr_policy_exit_gather, NULL, 0), 1);
	ck_assert_uint_eq(workers(&zsr_policy_exit_gather, "max-active", 3), 3);
	ck_assert_uint_eq(workers(&zsr_policy_global_list, "max-active", 1), 1);
	ck_assert_uint_gt(workers(&zsr_policy_global_list, NULL, 0), 2);
	ck_assert_uint_eq(workers(&zsr_policy_deferred_slot, NULL, 0), 1);
	ck_assert_uint_eq(workers(&zsr_policy_zram_gc, NULL, 0), 1);
}
END_TEST

/* ---- slots --------------------------------------------------------------------- */

static uint64_t objects_used(void)
{
	struct zsr_class_stats st;
	uint64_t used = 0;
	unsigned c;

	for (c = 0; c < scene.pool.nr_classes; c++) {
		if (!scene.pool.class[c].size)
			continue;
		zsr_engine_class_stats(scene.pool.e, c, &st);
		used += st.obj_used;
	}
	return used;
}

static void one_scene(const struct zsr_policy *policy, const char *name,
		      uint64_t value, void (*fn)(struct zsr_vm *, void *))
{
	scene_start((struct setup){ .policy = policy,
				    .cpus = 1,
				    .tasks = 1,
				    .objects = 1,
				    .param = { { name, value } } });
	scene.objects = 0;
	phase(fn, true);
	ck_assert_uint_eq(objects_used(), 0);
	finish();
}

/* One CPU: the worker runs when the task sleeps. */
static void reuse_index(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	uint32_t slot = store(a->s, 1000);

	release(a, slot);
	ck_assert_uint_eq(a->s->account.depth, 1);
	ck_assert_uint_eq(objects_used(), 1);
	/* The old object goes with the store that meets it. */
	ck_assert_uint_eq(store(a->s, 2000), slot);
	ck_assert_uint_eq(a->s->pool.slots_reused, 1);
	ck_assert_uint_eq(a->s->account.depth, 0);
	ck_assert_uint_eq(objects_used(), 1);
	/* The index still waits; the new object is not taken for the old. */
	a->s->pool.policy->flush(&a->s->pool);
	ck_assert_uint_eq(objects_used(), 1);
	/* Two indices of one slot, and the object is freed once. */
	release(a, slot);
	ck_assert_uint_eq(store(a->s, 3000), slot);
	release(a, slot);
	ck_assert_uint_eq(a->s->account.depth, 1);
	a->s->pool.policy->flush(&a->s->pool);
	ck_assert_uint_eq(a->s->account.depth, 0);
	ck_assert_uint_eq(objects_used(), 0);
	ck_assert_uint_eq(a->s->pool.slots_reused, 2);
	ck_assert_uint_eq(a->s->pool.fallbacks, 0);
}

START_TEST(index_reused_before_its_drain)
{
	one_scene(&zsr_policy_deferred_slot, NULL, 0, reuse_index);
	one_scene(&zsr_policy_zram_gc, NULL, 0, reuse_index);
	one_scene(&zsr_policy_zram_gc, "kick", 1000, reuse_index);
}
END_TEST

/* A slot whose entry waits is nobody's; once freed it is the next one's. */
static void reuse_entry(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	uint32_t slot = store(a->s, 1000), other;

	a->releaser.objects = 1;
	gate(a, true);
	release(a, slot);
	ck_assert_uint_eq(a->s->account.depth, 1);
	other = store(a->s, 1000);
	ck_assert_uint_ne(other, slot);
	gate(a, false);
	a->s->pool.policy->flush(&a->s->pool);
	ck_assert_uint_eq(a->s->account.depth, 0);
	ck_assert_uint_eq(store(a->s, 1000), slot);
	gate(a, true);
	release(a, slot);
	release(a, other);
	gate(a, false);
	a->s->pool.policy->flush(&a->s->pool);
	ck_assert_uint_eq(a->s->pool.slots_reused, 0);
}

START_TEST(entry_is_freed_before_its_slot_is_reused)
{
	struct setup u = { .cpus = 1,
			   .tasks = 1,
			   .objects = 1,
			   .param = { { "min-objects", 0 },
				      { "min-exiting", 1 } } };
	unsigned i;

	for (i = 0; i < 2; i++) {
		u.policy = i ? &zsr_policy_global_list : &zsr_policy_exit_gather;
		scene_start(u);
		phase(reuse_entry, true);
		ck_assert_uint_eq(objects_used(), 0);
		finish();
	}
}
END_TEST

/* ---- what waits, and for whom ---------------------------------------------------- */

static void press(struct zsr_vm *vm, void *arg)
{
	(void)vm;
	(void)arg;
	scene.pool.policy->pressure(&scene.pool);
}

START_TEST(pressure_drains)
{
	play_releases((struct setup){ .policy = &zsr_policy_global_list,
				      .cpus = 2,
				      .tasks = 1,
				      .objects = ROUNDS,
				      .param = { { "kick", 1 << 20 } } });
	ck_assert_uint_eq(scene.account.depth, ROUNDS);
	phase(press, false);
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_eq(zsr_engine_pages(scene.pool.e), 0);
	finish();
}
END_TEST

static void release_and_flush(struct zsr_vm *vm, void *arg)
{
	release_all(vm, arg);
	flush_all(vm, &scene);
}

/* What is left without a timer, and that it is gone with one, not before. */
static void check_timer(struct setup u, uint64_t least, uint64_t most)
{
	u.cpus = 2;
	u.tasks = 1;
	play_releases(u);
	ck_assert_uint_ge(scene.account.depth, least);
	ck_assert_uint_le(scene.account.depth, most);
	finish();

	u.param[1].name = "flush-ms";
	u.param[1].value = 5;
	play_releases(u);
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_ge(scene.account.oldest_ps, ZSR_MS(4));
	ck_assert_uint_lt(scene.account.oldest_ps, ZSR_MS(8));
	finish();

	/* A flush does not wait for it. */
	u.param[1].value = 600000;
	scene_start(u);
	phase(store_all, true);
	phase(release_and_flush, true);
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_lt(scene.vm->end, ZSR_MS(1000));
	finish();
}

START_TEST(timer_frees_what_is_left)
{
	check_timer((struct setup){ .policy = &zsr_policy_deferred_slot,
				    .objects = 1030 },
		    6, 6);
	check_timer((struct setup){ .policy = &zsr_policy_global_list,
				    .objects = 3700,
				    .param = { { "kick", 2000 } } },
		    1000, 1700);
	check_timer((struct setup){ .policy = &zsr_policy_zram_gc,
				    .objects = 700,
				    .param = { { "kick", 1000 } } },
		    700, 700);
}
END_TEST

static void take_offline(struct zsr_vm *vm, void *arg)
{
	(void)arg;
	zsr_vm_cpu_offline(vm, 1);
	scene.pool.policy->cpu_offline(&scene.pool, 1);
}

/* What lay there is freed or, as pages and records, given back in the end; and
 * releases go on without the CPU. */
static void check_offline(const struct zsr_policy *policy)
{
	play_releases((struct setup){
		.policy = policy, .cpus = 2, .tasks = 2, .objects = 3270 });
	phase(take_offline, false);
	scene.tasks = 1;
	phase(store_all, true);
	phase(release_all, true);
	finish();
}

START_TEST(a_gone_cpu_leaves_nothing)
{
	check_offline(&zsr_policy_deferred_slot);
	check_offline(&zsr_policy_exit_gather);
	check_offline(&zsr_policy_global_list);
}
END_TEST

static void release_there(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	unsigned i;

	ck_assert_uint_eq(zsr_cpu(&vm->m), a->nr);
	for (i = 0; a->nr && i < a->s->objects; i++)
		release(a, a->slot[i]);
}

/* Not even a flush is needed for the page of a CPU that has gone. */
START_TEST(a_gone_cpus_page_is_drained)
{
	scene_start((struct setup){ .policy = &zsr_policy_deferred_slot,
				    .cpus = 2,
				    .tasks = 2,
				    .objects = 500 });
	phase(store_all, true);
	phase(release_there, true);
	ck_assert_uint_eq(scene.account.depth, 500);
	phase(take_offline, false);
	ck_assert_uint_eq(scene.account.depth, 0);
	scene.tasks = 1;
	phase(release_all, true);
	finish();
}
END_TEST

/* ---- page size ------------------------------------------------------------------- */

/* Entries until the first full page is handed over. */
static void check_slot_pages(unsigned page_size, uint64_t entry_bytes,
			     unsigned entries, unsigned pool)
{
	struct setup u = { .policy = &zsr_policy_deferred_slot,
			   .cpus = 2,
			   .tasks = 1,
			   .objects = entries - 1,
			   .page_size = page_size,
			   .param = { { "entry-bytes", entry_bytes } } };

	play_releases(u);
	ck_assert_uint_eq(scene.account.buffer_pages, pool + 2);
	ck_assert_uint_eq(scene.account.depth, entries - 1);
	ck_assert_uint_eq(scene.vm->works_queued, 0);
	finish();
	u.objects++;
	play_releases(u);
	ck_assert_uint_eq(scene.account.depth, 0);
	ck_assert_uint_eq(scene.vm->works_queued, 1);
	finish();
}

START_TEST(slots_of_a_page)
{
	check_slot_pages(4096, 4, 1024, 64);
	check_slot_pages(4096, 8, 512, 64);
	check_slot_pages(16384, 4, 4096, 16);
	check_slot_pages(65536, 4, 16384, 4);
}
END_TEST

/* Pages a task has for its own entries after NR of them, and items queued. */
static void gather_some(struct zsr_vm *vm, void *arg)
{
	struct actor *a = arg;
	unsigned i;

	(void)vm;
	a->releaser.objects = a->s->objects;
	gate(a, true);
	for (i = 0; i < a->s->objects; i++)
		release(a, a->slot[i]);
	a->s->caller_end = a->s->account.buffer_pages;
	gate(a, false);
}

static uint64_t batch_pages(unsigned page_size, unsigned entries)
{
	uint64_t pages;

	scene_start((struct setup){ .policy = &zsr_policy_exit_gather,
				    .cpus = 1,
				    .tasks = 1,
				    .objects = entries,
				    .page_size = page_size,
				    .param = { { "min-exiting", 1 } } });
	phase(store_all, true);
	phase(gather_some, true);
	pages = scene.caller_end;
	ck_assert_uint_eq(scene.vm->works_queued, 1);
	finish();
	return pages - 1; /* of records */
}

START_TEST(entries_of_a_page)
{
	ck_assert_uint_eq(batch_pages(4096, 32), 1);
	ck_assert_uint_eq(batch_pages(4096, 8 + 510), 1);
	ck_assert_uint_eq(batch_pages(4096, 8 + 510 + 1), 2);
	ck_assert_uint_eq(batch_pages(4096, 8 + 19 * 510), 19);
	ck_assert_uint_eq(batch_pages(16384, 8 + 2046), 1);
	ck_assert_uint_eq(batch_pages(16384, 8 + 2046 + 1), 2);
}
END_TEST

ZSR_TEST_MAIN("policies_entry", gather_gate, gate_opens_in_mid_exit, list_gate,
	      no_page_at_all, no_page_for_entries, full_list_falls_back,
	      workers_at_once, index_reused_before_its_drain,
	      entry_is_freed_before_its_slot_is_reused, pressure_drains,
	      timer_frees_what_is_left, a_gone_cpu_leaves_nothing,
	      a_gone_cpus_page_is_drained, slots_of_a_page, entries_of_a_page)
