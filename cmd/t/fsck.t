#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# zsr fsck: a good database is clean; every fault planted into a copy of it is
# found and named, with exit status 1; -q; what is no database.
set -u
. tests/tap.sh

cd "$tmp" || exit 1
$zsr import "$sample" --name exit \
	-d good.db >out 2>&1 &&
	$zsr synth munmap --size 8M --procs 2 --seed 1 -d good.db --name syn \
		>>out 2>&1 &&
	$zsr replay syn -d good.db --policy sync,deferred >>out 2>&1
result $? "a database with two traces and two runs"

$zsr fsck good.db >out 2>&1 &&
	grep -q '^2 traces, .* events, 2 runs: clean$' out
result $? "is clean"
$zsr fsck -q -d good.db >out 2>&1 && ! [ -s out ]
result $? "-q says nothing"

# fault WHAT SQL PATTERN: SQL is run on a copy; a line of fsck must match, and
# none may come unmatched but those that PATTERN2 allows
fault() {
	rm -f bad.db*
	cp good.db bad.db
	if ! sqlite3 bad.db "$2" >out 2>&1; then
		result 1 "$1 (planting it)"
		return
	fi
	$zsr fsck bad.db >out 2>&1
	code=$?
	grep -v ': [0-9,]* faults*$' out >faults
	[ $code = 1 ] && grep -q -x -e "$3" faults &&
		! grep -q -v -x -e "$3" -e "${4:-$3}" faults
	result $? "$1"
}

# ---- chunks

flip='CAST(substr(data, 1, 99) || x'"'"'00ff'"'"' || substr(data, 102) AS BLOB)'
fault "bytes of a chunk changed" \
	"UPDATE chunk SET data = $flip WHERE trace = 2 AND nr = 0" \
	"trace 'syn': chunk 0: its checksum is wrong"
fault "a chunk cut short" \
	"UPDATE chunk SET data = substr(data, 1, length(data) - 1) WHERE trace = 1 AND nr = 0" \
	"trace 'exit': chunk 0: its checksum is wrong"
fault "a chunk gone" "DELETE FROM chunk WHERE trace = 1 AND nr = 0" \
	"trace 'exit': nr_events is [0-9]*, there are [0-9]*" \
	"trace 'exit': .*"
fault "a chunk of no trace" \
	"UPDATE chunk SET id = id + (7 << 32) WHERE trace = 2 AND nr = 0" \
	"chunk 9/0: there is no trace 9" "trace 'syn': .*"
for col in events mallocs frees; do
	fault "a chunk's $col wrong" \
		"UPDATE chunk SET $col = $col + 1 WHERE trace = 1" \
		"trace 'exit': nr_$col is [0-9]*, there are [0-9]*"
done
fault "a chunk's mallocs wrong, its frees as much" \
	"UPDATE chunk SET mallocs = mallocs + 1 WHERE trace = 1;
	 UPDATE trace SET nr_mallocs = nr_mallocs + 1 WHERE id = 1" \
	"trace 'exit': chunk 0: its head is not that of its row"
fault "a chunk's first object wrong" \
	"UPDATE chunk SET first_obj = first_obj + 1 WHERE trace = 1" \
	"trace 'exit': chunk 0: it does not follow the one before"
fault "a chunk's first time wrong" \
	"UPDATE chunk SET t_min = t_min - 1 WHERE trace = 2" \
	"trace 'syn': chunk 0: .*"
fault "a chunk's last time wrong" \
	"UPDATE chunk SET t_max = t_max + 1 WHERE trace = 1" \
	"trace 'exit': chunk 0: its content is not that of its row"
fault "a chunk's tasks wrong" \
	"UPDATE chunk SET task_max = task_max + 1 WHERE trace = 1" \
	"trace 'exit': chunk 0: its row says other tasks than its events"
fault "a chunk's kinds wrong" \
	"UPDATE chunk SET kinds = kinds & ~2 WHERE trace = 1" \
	"trace 'exit': chunk 0: its row says other kinds than its events"
fault "a chunk's cpus wrong" \
	"UPDATE chunk SET cpus = cpus | 256 WHERE trace = 1" \
	"trace 'exit': chunk 0: its row says other cpus than its events"

# ---- traces

for col in nr_tasks nr_pools nr_events nr_mallocs nr_frees; do
	fault "$col wrong" "UPDATE trace SET $col = $col + 1 WHERE id = 1" \
		"trace 'exit': $col is [0-9]*, there are [0-9]*"
done
for col in nr_cpus has_dur duration_ns; do
	fault "$col wrong" "UPDATE trace SET $col = $col + 1 WHERE id = 2" \
		"trace 'syn': $col is [0-9]*, its events make [0-9]*"
done
for set in "kernel = '6.12.9'" "chain_size = 9" "times = 'hardware'" \
	"from_empty = 0" "page_size = 16384" "digest = 'abc'"; do
	fault "$set" "UPDATE trace SET $set WHERE id = 2" \
		"trace 'syn': its digest is [0-9a-f]*, its content makes .*" \
		"run #[12]: its trace 'syn' has another digest now"
done
fault "a lock generation of another kernel" \
	"UPDATE trace SET lock_gen = '5.10' WHERE id = 2" \
	"trace 'syn': lock_gen is 5.10, that of [0-9.]* is .*"
fault "a page size that no kernel has" \
	"UPDATE trace SET page_size = 5000 WHERE id = 2" \
	"trace 'syn': page size 5000 is none of .*"
fault "a task renamed" "UPDATE task SET comm = 'x' WHERE trace = 2 AND nr = 0" \
	"trace 'syn': its digest is .*"
fault "a pool renamed" "UPDATE pool SET name = 'x' WHERE trace = 2" \
	"trace 'syn': its digest is .*"
fault "a mark changed" "UPDATE mark SET text = 'x' WHERE trace = 2 AND nr = 0" \
	"trace 'syn': its digest is .*"
fault "a task gone" "DELETE FROM task WHERE trace = 2 AND nr = 0" \
	"trace 'syn': nr_tasks is 2, there are 1" \
	"trace 'syn': its 1 rows in task are not numbered 0 to 0"
fault "a task of another number" \
	"UPDATE task SET nr = 5 WHERE trace = 2 AND nr = 0" \
	"trace 'syn': its 2 rows in task are not numbered 0 to 1"
fault "a mark gone" "DELETE FROM mark WHERE trace = 2 AND nr = 2" \
	"trace 'syn': an event names mark 2 of 2" "trace 'syn': its digest .*"
for t in task pool mark meta odd; do
	fault "a row of $t without its trace" \
		"UPDATE $t SET trace = 77 WHERE trace = 1" \
		"$t 77/[^:]*: there is no trace 77" "trace 'exit': .*"
done
fault "the import's count of live objects wrong" \
	"UPDATE odd SET value = value + 1 WHERE trace = 1 AND key = 'live_at_end'" \
	"trace 'exit': odd live_at_end is [0-9]*, its events make [0-9]*"
fault "a long text damaged" \
	"UPDATE trace SET texts = x'28b52ffd00' WHERE id = 2;
	 UPDATE meta SET value = NULL, at = 0, len = 2 WHERE trace = 2 AND key = 'seed'" \
	"trace 'syn': meta: .*: a trace's texts are damaged"
fault "a text without a value" \
	"UPDATE meta SET value = NULL WHERE trace = 2 AND key = 'seed'" \
	"trace 'syn': meta seed has no value"

# ---- runs

fault "a value of a run changed" \
	"UPDATE run_value SET value = value + 1 WHERE run = 1 AND key = 'frees'" \
	"run #1: its digest is .*, its results make .*"
fault "a value of a run gone" \
	"DELETE FROM run_value WHERE run = 1 AND key = 'frees'" \
	"run #1: [0-9]* of its [0-9]* values are there"
fault "a histogram damaged" \
	"UPDATE run_data SET data = x'00' WHERE run = 2 AND key = 'hist.release'" \
	"run #2: hist.release: its checksum is wrong"
fault "a histogram gone" \
	"DELETE FROM run_data WHERE run = 2 AND key = 'hist.release'" \
	"run #2: hist.release: it is missing"
fault "a histogram's count wrong" \
	"UPDATE run_data SET count = count + 1 WHERE run = 2 AND key = 'hist.release'" \
	"run #2: hist.release: its count is wrong"
fault "a series' count wrong" \
	"UPDATE run_data SET count = count + 1 WHERE run = 2 AND key = 'series.live_pages'" \
	"run #2: series.live_pages: .*"
fault "a run's digest wrong" "UPDATE run SET digest = 'x' WHERE id = 2" \
	"run #2: its digest is x, its results make .*"
fault "a run of no trace" "UPDATE run SET trace = 9 WHERE id = 2" \
	"run #2: there is no trace 9"
fault "a run of no profile" "DELETE FROM profile" \
	"run #[12]: there is no profile [0-9a-f]*"
fault "a profile changed" "UPDATE profile SET text = text || ' '" \
	"profile [0-9a-f]*: its text's is [0-9a-f]*"
fault "a release gone" "DELETE FROM run_release WHERE run = 1 AND nr = 0" \
	"run #1: its releases are not numbered 0 to 0" \
	"run #1: its digest is .*"
fault "a release of no task" \
	"UPDATE run_release SET task = 9 WHERE run = 1 AND nr = 0" \
	"run #1: release 0 is of task 9 of 2" "run #1: its digest is .*"
fault "a release that ends before it begins" \
	"UPDATE run_release SET end_ns = begin_ns - 1 WHERE run = 1 AND nr = 0" \
	"run #1: release 0 ends before it begins" "run #1: its digest is .*"
for t in run_value run_data run_release; do
	fault "a row of $t without its run" \
		"UPDATE $t SET run = 77 WHERE run = 1" \
		"$t 77/[^:]*: there is no run 77" "run #1: .*"
done

# ---- the file

fault "a table gone" "DROP TABLE run_release" \
	"database bad.db: no such table: run_release" ".*"
cp good.db bad.db
size=$(wc -c <bad.db)
printf '\377\377\377\377\377\377\377\377' |
	dd of=bad.db bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
$zsr fsck bad.db >out 2>&1
[ $? = 1 ]
result $? "a page of the file overwritten"
cp good.db bad.db
truncate -s $((size / 8192 * 4096)) bad.db
$zsr fsck -q bad.db >out 2>&1
[ $? = 1 ] && ! [ -s out ]
result $? "the file cut in half; -q"
$zsr fsck none.db >out 2>&1
[ $? = 3 ]
result $? "no database: exit 3"
$zsr fsck good.db -d good.db >out 2>&1
[ $? = 2 ]
result $? "two databases: exit 2"
$zsr fsck good.db >out 2>&1
result $? "the good one is still clean"
plan
