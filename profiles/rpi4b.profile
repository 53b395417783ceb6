# Raspberry Pi 4 Model B: 4 x Cortex-A72, 4 KiB pages.
#
# [pub]     fitted to the published munmap totals that may be fitted: 256 MiB,
#           one process, lzo-rle: 879 ns a page under `sync` (57.6 ms), of
#           which 262 ns are left when zs_free is deferred (17.2 ms).
# [icount]  share taken from instruction counts of Debian's arm64 kernels: a
#           zs_free that releases a zspage takes 5200 to 5500 instructions, one
#           that does not 500 to 700.
# [assumed] an estimate nobody has measured on this board.
#
# Contents of the published test are unknown; the fit takes pages of nearly
# equal compressed size (`zsr synth munmap --sizes text`).

cpus = 4
speed = 1000 permille
smt_cpus = 0
smt_speed = 1000 permille

# the caller's path outside zs_free: 245 ns of the 262 [pub], split [assumed]
gap_release = 195 ns
slot = 48 ns
# the swap core's part of gap_release, and marking a slot instead of clearing
# it [assumed]
swap_free = 95 ns
slot_mark = 20 ns
# swap-out path a page, compression included [assumed]
gap_store = 6 us

# zs_free without a release: 516 ns [pub], split by [icount] and [assumed]
cell_load = 84 ns
zspage_load = 98 ns
obj_free = 168 ns
regroup = 28 ns
handle_free = 76 ns

# release of an emptied zspage [icount], scaled by [pub]
zspage_lock = 28 ns
zspage_unlink = 40 ns
page_reset = 170 ns
page_free = 290 ns
zone_free = 150 ns
zspage_free = 70 ns

# zs_malloc [assumed]
handle_alloc = 80 ns
obj_malloc = 150 ns
page_alloc = 200 ns
zone_alloc = 150 ns
zspage_alloc = 260 ns

# compaction copies one object [assumed]
compact_move = 900 ns
migrate_page = 3 us

# deferral: the rest of the 262 ns [pub]
push = 12 ns
pop = 6 ns
buffer_swap = 60 ns
# a record of a slab cache, from its per-CPU list [assumed]
node_alloc = 60 ns
node_free = 40 ns
queue_work = 450 ns
wake = 900 ns

# a context switch and a wake-up on an idle Cortex-A72 [assumed]
context_switch = 1.8 us
wake_latency = 25 us
worker_create = 120 us
slice = 3 ms

# locks without contention: load-exclusive/store-exclusive pairs, no LSE
# atomics on this core [assumed]
spin_lock = 18 ns
spin_unlock = 10 ns
read_lock = 24 ns
read_unlock = 22 ns
write_lock = 24 ns
write_unlock = 12 ns
atomic = 18 ns
# a line from another core of the cluster, fitted to two and four processes
# under `sync` [pub]
line_transfer = 130 ns

# page lists of a CPU, as the kernel sizes them for 4 GiB [assumed]
pcp_batch = 63
pcp_high = 378
memory = 4 GiB
# watermarks as the kernel sizes them for that memory [assumed]
wmark_min = 8 MiB
wmark_low = 10 MiB
wmark_high = 12 MiB

# scatter of steps that miss the cache [assumed]
spread = 600 permille
# gaps this long are sleeps, not work
pause = 1 ms
