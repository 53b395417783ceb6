#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The plug-in for babeltrace2: a database is recognised and nothing else is; its
# traces have every event, in part with begin and end; what a graph gives to the
# sink is the trace that zsr import makes of it; mistakes are causes of errors.
set -u
. tests/tap.sh

command -v babeltrace2 >/dev/null || {
	echo "1..0 # SKIP no babeltrace2"
	exit 77
}
plugin=${ZSR_BUILD:-$top/build}/babeltrace-plugin-zsr.so
[ -e "$plugin" ] || {
	echo "1..0 # SKIP no plug-in at $plugin"
	exit 77
}
BABELTRACE_PLUGIN_PATH=${plugin%/*}
export BABELTRACE_PLUGIN_PATH

bt() { exits 0 babeltrace2 "$@"; }
refused() { exits 1 babeltrace2 "$@"; }
answer() { $zsr sql "$1" --csv -d "$2" | tail -n 1; }
counted() { answer "select count(*) from zsr_event e join trace t
	on t.id = e.trace where $1" zsr.db; }
events() { grep -vc " zsr_fact: " "$1"; }
source_of() { # TRACE, more parameters
	printf %s "--component=source.zsr.db --params=database=\"zsr.db\",trace=\"$1\"$2"
}
sink_of() { # DB
	printf %s "--component=sink.zsr.db --params=database=\"$1\""
}
digest() { answer "select digest from trace where name = '$1'" "$2"; }
support() { # TYPE INPUT: the weight
	babeltrace2 query source.zsr.db babeltrace.support-info \
		--params="type=\"$1\",input=\"$2\"" 2>&1
}

cd "$tmp" || exit 1
$zsr import "$sample" --name exit >out

# ---- source

ok "its name is enough" bt zsr.db
babeltrace2 zsr.db 2>err >all.txt
ok "nothing is complained of" test ! -s err
ok "every event is there" is "$(events all.txt)" "$(counted 1)"
for kind in malloc free mark; do
	ok "every $kind" is "$(grep -c " zsr_$kind: " all.txt)" \
		"$(counted "kind = '$kind'")"
done
ok "the first one" grep -q "zsr_mark: .*text = \"capture:begin" all.txt
ok "a caller has a name" grep -q 'caller = ( "unknown" : container = 0 )' all.txt

$zsr synth munmap --size 8M --procs 3 --seed 1 --name syn >out
babeltrace2 zsr.db 2>err >both.txt
ok "two traces: every event of both" is "$(events both.txt)" "$(counted 1)"
babeltrace2 $(source_of syn "") 2>err >syn.txt
ok "one of them" is "$(events syn.txt)" "$(counted "t.name = 'syn'")"
babeltrace2 $(source_of exit ',begin="500ms",end=1000000000') 2>err >part.txt
ok "a part of one" is "$(events part.txt)" "$(counted "t.name = 'exit' and
	t_ns >= 500000000 and t_ns < 1000000000")"
ok "which is not all" test "$(events part.txt)" -gt 100
babeltrace2 $(source_of exit ',begin="1h"') 2>err >none.txt
ok "a part behind the end" is "$(events none.txt)" 0
start=$(answer "select value from meta m join trace t on t.id = m.trace where
	name = 'exit' and key = 'clock.start_ns'" zsr.db)
from=$(awk "BEGIN { printf \"%.9f\", ($start + 500000000) / 1e9 }")
babeltrace2 $(source_of exit "") --begin="$from" 2>err >trimmed.txt
ok "babeltrace2 --begin" is "$(events trimmed.txt)" \
	"$(counted "t.name = 'exit' and t_ns >= 500000000")"

ok "no such trace" refused $(source_of nobody "")
ok "names those there are" complains "no trace 'nobody' in zsr.db; there are: .*exit"
ok "no database" refused --component=source.zsr.db
ok "is said" complains "parameter database: missing"
ok "no such database" refused --component=source.zsr.db \
	--params='database="none.db"'
ok "a number as a trace" refused --component=source.zsr.db \
	--params='database="zsr.db",trace=3'
ok "is said" complains "parameter trace: no text"
ok "a begin behind the end" refused $(source_of exit ',begin=3,end=2')
ok "a time that is none" refused $(source_of exit ',begin="soon"')
ok "is said" complains "parameter begin: no time"
ok "an unknown parameter" refused $(source_of exit ',colour=3')
ok "is said" complains "parameter colour: unknown"

# ---- babeltrace.support-info

ok "a database is supported" is "$(support file zsr.db)" 1.000000
ok "a text is not" is "$(support file all.txt)" 0.000000
ok "its name is not" is "$(support string zsr.db)" 0.000000
ok "a directory is not" is "$(support directory .)" 0.000000
ok "no file is not" is "$(support file none.db)" 0.000000
printf 'SQLite format 3' >short.db
ok "a short file is not" is "$(support file short.db)" 0.000000
if command -v sqlite3 >/dev/null; then
	sqlite3 other.db 'create table t (x)'
	ok "another database is not" is "$(support file other.db)" 0.000000
fi
ok "another query" exits 1 babeltrace2 query source.zsr.db colour

# ---- damage

size=$(stat -c %s zsr.db)
i=0
for at in 150 200 300 400 500 600 700 800 900 990; do
	cp zsr.db bad.db
	dd if=/dev/urandom of=bad.db bs=1 seek=$((size * at / 1000)) count=64 \
		conv=notrunc 2>/dev/null
	timeout 60 babeltrace2 bad.db >bad.txt 2>err
	[ $? -lt 124 ] && i=$((i + 1))
done
ok "damage is an error, or harmless" is "$i" 10
head -c $((size / 2)) zsr.db >half.db
ok "half a database" refused half.db
ok "a cause complains which" complains "half.db\|malformed\|damaged\|trace"

# ---- sink

for t in exit syn; do
	$zsr export $t -o $t.ctf
	rm -f s.db
	ok "$t: CTF into the sink" bt $t.ctf $(sink_of s.db)
	ok "$t: is the same trace" is "$(digest trace s.db)" \
		"$(digest $t zsr.db)"
	ok "$t: and sound" $zsr fsck -q s.db
	rm -f s.db
	ok "$t: source into sink" bt $(source_of $t "") \
		$(sink_of s.db),trace=\"x\"
	ok "$t: is the same trace" is "$(digest x s.db)" "$(digest $t zsr.db)"
done
ok "twice" refused $(source_of syn "") $(sink_of s.db)
ok "it is there already" complains "already"
rm -f p.db
ok "a part" bt $(source_of exit ',begin="500ms",end="1s"') $(sink_of p.db)
ok "has its events" is "$(answer "select count(*) from zsr_event" p.db)" \
	"$(events part.txt)"
ok "was not seen from empty" is "$(answer "select from_empty from trace" p.db)" 0
ok "and is sound" $zsr fsck -q p.db
rm -f n.db
ok "two traces" refused zsr.db $(sink_of n.db)
ok "are not one capture" complains "several traces of zsr"
ok "no database is left" test ! -e n.db
ok "no database is named" refused exit.ctf --component=sink.zsr.db
ok "is said" complains "parameter database: missing"
ok "a place where none can be" refused exit.ctf $(sink_of no/n.db)
ok "a graph without calls" refused $(source_of exit ',begin="1h"') $(sink_of n.db)
ok "no database is left" test ! -e n.db

shared=$(realpath "${ZSR_SHARED:-$top/../shared}" 2>/dev/null)
perf=$shared/captures/s11-perf/ctf-from-perf
if [ -d "$perf" ]; then
	$zsr import "$perf" --name perf >out 2>&1
	rm -f s.db
	ok "perf's CTF into the sink" bt "$perf" $(sink_of s.db)
	ok "is the same trace" is "$(digest trace s.db)" \
		"$(digest perf zsr.db)"
else
	ok "no shared captures # SKIP" true
fi
plan
