# Intel Core i7-12700, four of its performance cores: 4 KiB pages.
#
# [pub]     fitted to the published munmap totals that may be fitted: 256 MiB,
#           one process, lzo-rle: 178 ns a page under `sync` (11.7 ms); two and
#           four processes for the line transfer.
# [scaled]  split as on the Raspberry Pi 4 (rpi4b.profile), scaled to [pub].
# [assumed] an estimate nobody has measured on this machine.
#
# Contents of the published test are unknown; the fit takes pages of nearly
# equal compressed size (`zsr synth munmap --sizes text`).

cpus = 4
speed = 1000 permille
smt_cpus = 0
smt_speed = 1000 permille

# the caller's path outside zs_free [scaled]
gap_release = 30 ns
slot = 9 ns
# the swap core's part of gap_release, and marking a slot instead of clearing
# it [assumed]
swap_free = 15 ns
slot_mark = 4 ns
# swap-out path a page, compression included [assumed]
gap_store = 1.5 us

# zs_free without a release [scaled]
cell_load = 13 ns
zspage_load = 15 ns
obj_free = 26 ns
regroup = 5 ns
handle_free = 13 ns

# release of an emptied zspage [scaled]
zspage_lock = 6 ns
zspage_unlink = 9 ns
page_reset = 36 ns
page_free = 58 ns
zone_free = 30 ns
zspage_free = 15 ns

# zs_malloc [assumed]
handle_alloc = 16 ns
obj_malloc = 28 ns
page_alloc = 40 ns
zone_alloc = 30 ns
zspage_alloc = 52 ns

# compaction copies one object [assumed]
compact_move = 160 ns
migrate_page = 550 ns

# deferral [scaled]
push = 3 ns
pop = 1.5 ns
buffer_swap = 12 ns
# a record of a slab cache, from its per-CPU list [assumed]
node_alloc = 12 ns
node_free = 8 ns
queue_work = 90 ns
wake = 180 ns

# a context switch and a wake-up [assumed]
context_switch = 900 ns
wake_latency = 12 us
worker_create = 40 us
slice = 3 ms

# locks without contention: locked instructions of about 20 cycles [assumed]
spin_lock = 10 ns
spin_unlock = 1.5 ns
read_lock = 13 ns
read_unlock = 11 ns
write_lock = 13 ns
write_unlock = 2 ns
atomic = 9 ns
# a line from another core over the ring, fitted to two and four processes
# under `sync` [pub]
line_transfer = 60 ns

# page lists of a CPU [assumed]
pcp_batch = 63
pcp_high = 378
memory = 16 GiB
# watermarks as the kernel sizes them for that memory [assumed]
wmark_min = 32 MiB
wmark_low = 40 MiB
wmark_high = 48 MiB

# scatter of steps that miss the cache [assumed]
spread = 600 permille
# gaps this long are sleeps, not work
pause = 1 ms
