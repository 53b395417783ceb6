-- SPDX-License-Identifier: GPL-2.0-only
--
-- The one schema of a zsr database, described in zsr-db(5). The number in
-- "PRAGMA user_version" is its version; db/create.c refuses other ones.

-- First, or it is too late: what is removed gives its space back.
PRAGMA page_size = 1024;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA application_id = 0x7a737231;	-- "zsr1"
PRAGMA user_version = 3;

-- One row a trace. fact_flags: ZSR_GIVEN_* and ZSR_INFERRED_* of db/db.h.
-- texts: the long values of meta, one after the other, as one zstd frame.
CREATE TABLE trace (
	id		INTEGER PRIMARY KEY,
	name		TEXT NOT NULL UNIQUE,
	digest		TEXT NOT NULL,
	kernel		TEXT NOT NULL,
	lock_gen	TEXT NOT NULL,
	format		TEXT NOT NULL,
	clock		TEXT NOT NULL,
	times		TEXT NOT NULL,
	page_size	INTEGER NOT NULL,
	chain_size	INTEGER NOT NULL,
	fact_flags	INTEGER NOT NULL,
	from_empty	INTEGER NOT NULL,
	has_dur		INTEGER NOT NULL,
	nr_cpus		INTEGER NOT NULL,
	nr_tasks	INTEGER NOT NULL,
	nr_pools	INTEGER NOT NULL,
	nr_events	INTEGER NOT NULL,
	nr_mallocs	INTEGER NOT NULL,
	nr_frees	INTEGER NOT NULL,
	duration_ns	INTEGER NOT NULL,
	imported_s	INTEGER NOT NULL,	-- seconds since 1970
	zsr_version	TEXT NOT NULL,
	texts		BLOB
) STRICT;

CREATE TABLE task (
	trace		INTEGER NOT NULL REFERENCES trace ON DELETE CASCADE,
	nr		INTEGER NOT NULL,
	pid		INTEGER NOT NULL,
	comm		TEXT NOT NULL,
	PRIMARY KEY (trace, nr)
) STRICT, WITHOUT ROWID;

CREATE TABLE pool (
	trace		INTEGER NOT NULL REFERENCES trace ON DELETE CASCADE,
	nr		INTEGER NOT NULL,
	name		TEXT NOT NULL,
	PRIMARY KEY (trace, nr)
) STRICT, WITHOUT ROWID;

CREATE TABLE mark (
	trace		INTEGER NOT NULL REFERENCES trace ON DELETE CASCADE,
	nr		INTEGER NOT NULL,
	text		TEXT NOT NULL,
	PRIMARY KEY (trace, nr)
) STRICT, WITHOUT ROWID;

-- A long value is NULL here and lies in trace.texts, len bytes from at on.
CREATE TABLE meta (
	trace		INTEGER NOT NULL REFERENCES trace ON DELETE CASCADE,
	key		TEXT NOT NULL,
	value		TEXT,
	at		INTEGER,
	len		INTEGER,
	PRIMARY KEY (trace, key)
) STRICT, WITHOUT ROWID;

-- What the import pass counted; only what is not 0.
CREATE TABLE odd (
	trace		INTEGER NOT NULL REFERENCES trace ON DELETE CASCADE,
	key		TEXT NOT NULL,
	value		INTEGER NOT NULL,
	PRIMARY KEY (trace, key)
) STRICT, WITHOUT ROWID;

-- Events, up to 65536 a row; data: db/chunk_encode.c. id: trace * 2^32 + number.
-- (Generated columns come last: sqlite3_blob_open() counts stored ones.)
CREATE TABLE chunk (
	id		INTEGER PRIMARY KEY,
	events		INTEGER NOT NULL,
	mallocs		INTEGER NOT NULL,
	frees		INTEGER NOT NULL,
	first_obj	INTEGER NOT NULL,
	t_min		INTEGER NOT NULL,
	t_max		INTEGER NOT NULL,
	task_min	INTEGER NOT NULL,
	task_max	INTEGER NOT NULL,
	kinds		INTEGER NOT NULL,	-- bit 1 << kind
	cpus		INTEGER NOT NULL,	-- bit 1 << cpu, 63: and above
	xxh3		INTEGER NOT NULL,	-- of data
	data		BLOB NOT NULL,
	trace		INTEGER AS (id >> 32),
	nr		INTEGER AS (id & 0xffffffff)
) STRICT;

-- Machine profiles, once each.
CREATE TABLE profile (
	digest		TEXT PRIMARY KEY,
	text		TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
	id		INTEGER PRIMARY KEY AUTOINCREMENT,
	trace		INTEGER REFERENCES trace ON DELETE SET NULL,
	trace_name	TEXT NOT NULL,
	trace_digest	TEXT NOT NULL,
	policy		TEXT NOT NULL,
	clock		TEXT NOT NULL,
	profile		TEXT NOT NULL,
	profile_digest	TEXT NOT NULL REFERENCES profile,
	params		TEXT NOT NULL,
	arrival		TEXT NOT NULL,
	gaps		TEXT NOT NULL,
	outer_lock	TEXT NOT NULL,
	conditions	TEXT NOT NULL,		-- as options of zsr replay
	engine		TEXT NOT NULL,
	page_size	INTEGER NOT NULL,
	cpus		INTEGER NOT NULL,
	seed		TEXT NOT NULL,		-- 64 bits, decimal
	digest		TEXT NOT NULL,
	stored_s	INTEGER NOT NULL,	-- seconds since 1970
	zsr_version	TEXT NOT NULL
) STRICT;

-- value NULL: it did not happen.
CREATE TABLE run_value (
	run		INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	key		TEXT NOT NULL,
	value		INTEGER,
	PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

-- Histograms and time series of a run; data: db/runblob.c.
CREATE TABLE run_data (
	run		INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	key		TEXT NOT NULL,		-- "hist.release", "grid.latency", ...
	count		INTEGER NOT NULL,	-- values or points
	xxh3		INTEGER NOT NULL,	-- of data
	data		BLOB NOT NULL,
	PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

-- Locks from the first release on.
CREATE TABLE run_lock (
	run		INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	nr		INTEGER NOT NULL,
	name		TEXT NOT NULL,		-- "class", "pool", "zone", ...
	size		INTEGER NOT NULL,	-- the class's bytes a slot, or 0
	acquired	INTEGER NOT NULL,
	contended	INTEGER NOT NULL,
	wait_ns		INTEGER NOT NULL,
	hold_ns		INTEGER NOT NULL,
	PRIMARY KEY (run, nr)
) STRICT, WITHOUT ROWID;

-- CPU time by step of the release path.
CREATE TABLE run_step (
	run		INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	nr		INTEGER NOT NULL,
	who		TEXT NOT NULL,		-- "caller" or "worker"
	step		TEXT NOT NULL,		-- as in machine profiles
	ns		INTEGER NOT NULL,
	PRIMARY KEY (run, nr)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_release (
	run		INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
	nr		INTEGER NOT NULL,
	task		INTEGER NOT NULL,
	begin_ns	INTEGER NOT NULL,
	end_ns		INTEGER NOT NULL,
	objects		INTEGER NOT NULL,
	PRIMARY KEY (run, nr)
) STRICT, WITHOUT ROWID;

-- What people ask. All but trace_meta and those of runs want the virtual table
-- zsr_event, or one that sums events up, of zsr or of its extension. They join
-- a trace by its name first, so that a condition on it keeps the others from
-- being read.

CREATE VIEW trace_meta AS
	SELECT trace, key, coalesce(value, zsr_text(trace, at, len)) AS value
	FROM meta;

-- What was live before t_ns, at up to 1000 times.
CREATE VIEW live_bytes AS
	SELECT t.name AS trace, l.t_ns, l.live_objects, l.live_bytes
	FROM trace t CROSS JOIN zsr_live l ON l.trace = t.id;

-- Mallocs by size, in steps of 256 bytes.
CREATE VIEW size_histogram AS
	SELECT t.name AS trace, s.size_from, s.mallocs
	FROM trace t CROSS JOIN zsr_size s ON s.trace = t.id;

-- How long objects lived that were freed, by powers of two of us.
CREATE VIEW lifetime_histogram AS
	SELECT t.name AS trace, l.life_from_ns, l.objects, l.bytes
	FROM trace t CROSS JOIN zsr_lifetime l ON l.trace = t.id;

CREATE VIEW task_frees AS
	SELECT t.name AS trace, k.pid, k.comm, f.frees, f.bytes, f.first_ns,
		f.last_ns
	FROM trace t CROSS JOIN zsr_task_free f ON f.trace = t.id
	CROSS JOIN task k ON k.trace = t.id AND k.nr = f.task;

-- Frees of a task one after the other whose objects are of one size class, in
-- bytes; t_ns is that of the last of them.
CREATE VIEW class_runs AS
	SELECT t.name AS trace, k.pid, k.comm, r.class, r.length, r.t_ns
	FROM trace t CROSS JOIN zsr_class_run r ON r.trace = t.id
	CROSS JOIN task k ON k.trace = t.id AND k.nr = r.task;

CREATE VIEW run_values AS
	SELECT r.id AS run, r.trace_name AS trace, r.policy, r.params,
		r.profile, r.seed, v.key, v.value
	FROM run r JOIN run_value v ON v.run = r.id;

-- The results that most questions are about, a row a run.
CREATE VIEW run_results AS
	SELECT r.id AS run, r.trace_name AS trace, r.policy, r.params,
		r.profile, r.seed,
		max(iif(key = 'tasks', value, NULL)) AS tasks,
		max(iif(key = 'frees', value, NULL)) AS frees,
		max(iif(key = 'caller_max_ns', value, NULL)) AS caller_max_ns,
		max(iif(key = 'caller_mean_ns', value, NULL)) AS caller_mean_ns,
		max(iif(key = 'caller_sum_ns', value, NULL)) AS caller_sum_ns,
		max(iif(key = 'pages_total', value, NULL)) AS pages_total,
		max(iif(key = 'pages_back', value, NULL)) AS pages_back,
		max(iif(key = 'at_50_ns', value, NULL)) AS at_50_ns,
		max(iif(key = 'at_90_ns', value, NULL)) AS at_90_ns,
		max(iif(key = 'at_99_ns', value, NULL)) AS at_99_ns,
		max(iif(key = 'at_100_ns', value, NULL)) AS at_100_ns,
		max(iif(key = 'held_peak_pages', value, NULL))
			AS held_peak_pages,
		max(iif(key = 'held_area_page_us', value, NULL))
			AS held_area_page_us,
		max(iif(key = 'dead_peak_bytes', value, NULL))
			AS dead_peak_bytes,
		max(iif(key = 'queue_peak', value, NULL)) AS queue_peak,
		max(iif(key = 'queue_oldest_ns', value, NULL))
			AS queue_oldest_ns,
		max(iif(key = 'fallbacks', value, NULL)) AS fallbacks,
		max(iif(key = 'stranded', value, NULL)) AS stranded
	FROM run r LEFT JOIN run_value v ON v.run = r.id
	GROUP BY r.id;
