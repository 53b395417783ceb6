#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Maps: events and fields of any name come in, in every format, as the same
# calls; the map's text is kept; a bad map is one message with file, line and
# reason, and no database.
set -u
. tests/tap.sh
cd "$tmp" || exit 1

answer() { $zsr sql "$1" --csv -d a.db | tail -n 1; }
fresh() { rm -f a.db; $zsr import -d a.db --name a "$@" >out 2>err; }
gives() { [ "$(answer "$1")" = "$2" ]; }
calls="select group_concat(kind || size || '-' || dur_ns, ' ') from zsr_event"

# ---- text

cat >names.map <<'END'
# what our probes are called
event	vendor:get	malloc bytes=x # no comment there
END
ok "a role that is none" exits 3 $zsr import -d a.db --map names.map x
ok "is said, with file and line" complains \
	"names.map: line 2: 'bytes' is no role of an event's own field"

cat >names.map <<'END'
# what our probes are called
event vendor:get      malloc     size=len2 pool=p   # entry
event vendor:get_done malloc_ret handle=cookie
event put             free       handle=cookie pool=p
event put_done        free_ret
event note            mark       text=what
event zs_free         none
END
cat >ftrace.txt <<'END'
# tracer: nop
 a-1 [000] ..... 1.000000: get: p=00000000deadbeef, len2=100
 a-1 [000] ..... 1.000001: get_done: (0 <- zs_compact) cookie=0x10
 a-1 [000] ..... 1.000002: note: what="snap:x y" more=1
 a-1 [000] ..... 1.000003: zs_free: (zs_free+0x0/0x1) nothing=1
 a-1 [000] ..... 1.000005: put: p=00000000deadbeef cookie=0x10
 a-1 [000] ..... 1.000007: put_done:
END
sed -e 's/\([0-9]: \)\([a-z]*_*[a-z]*: \)/\1vendor:\2/' -e 's/put_done:$/put_done: x/' \
	-e '/^#/d' -e 's/-1 / 1 /' -e 's/ [.][.]*//' ftrace.txt >perf.txt
for f in ftrace.txt perf.txt; do
	ok "$f" fresh --map names.map $f
	ok "$f: its calls" gives "$calls" "malloc100-1000 free100-2000"
	ok "$f: its mark" gives "select text from mark" "snap:x y"
	ok "$f: the map is kept" gives \
		"select value like '%vendor:get%cookie%' from trace_meta where key = 'map'" 1
done
sed 's/vendor:/other:/' perf.txt >other.txt
sed -i '/put/d' other.txt
ok "events of another system are others" exits 3 $zsr import -d b.db \
	--map names.map other.txt

# ---- CSV and rows

cat >csv.map <<'END'
event get malloc_done
event put free
field h   handle
field b   size
field th  pid
row   got malloc_done time cpu pid handle size
row   gone free_done  time cpu pid handle dur_ns
END
printf 't_ns,event,h,b,th\n1000,get,16,100,1\n3000,put,16,,1\n' >t.csv
ok "columns of CSV" fresh --map csv.map t.csv
ok "its calls" gives "$calls" "malloc100-0 free100-0"
cat >rows.txt <<'END'
Attaching 3 probes...
got 1.000001 0 1 ffff1af345086a10 100
some other line
Lost 3 events
gone 1.000003 0 1 ffff1af345086a10 500
END
ok "rows without a header" fresh --map csv.map rows.txt
ok "their calls" gives "$calls" "malloc100-0 free100-500"
ok "what is lost" gives "select value from odd where key = 'lost'" 3
ok "what was skipped" gives "select value from meta where key = 'lines_skipped'" 1
ok "without the map" exits 3 $zsr import -d b.db rows.txt
ok "the message tells of maps" complains "rows.txt: .*zsr-map(5)"
sed 's/^gone/gome/' rows.txt >bad.txt
ok "a row of an unknown kind" exits 3 $zsr import -d b.db --map csv.map bad.txt
ok "is named" complains "line 5: a call of an unknown kind 'gome'"
sed 's/ 500$//' rows.txt >bad.txt
ok "a row that is too short" exits 3 $zsr import -d b.db --map csv.map bad.txt
ok "is said so" complains "line 5: 4 fields behind gone, it has 5"

# ---- trace.dat: a capture of ours, with other meanings

dat="$top/samples/exit-6.12-arm64-4cpu/trace.dat"
ok "trace.dat" fresh "$dat"
frees=$(answer "select nr_frees from trace")
echo "event mm:nothing none" >no.map
ok "with a map of other events" fresh --map no.map "$dat"
ok "is the same" gives "select nr_frees from trace" "$frees"
printf 'event zs_free none\nevent zs_free_ret none\n' >no.map
ok "without its frees" fresh --map no.map "$dat"
ok "has only inferred ones" gives \
	"select count(*) from zsr_event where kind = 'free' and flags = 0" 0

# ---- bad maps

bad() { # title, message, lines
	title=$1 reason=$2
	shift 2
	printf '%s\n' "$@" >bad.map
	ok "$title" exits 3 $zsr import -d b.db --map bad.map ftrace.txt
	ok "$title: is said" complains "bad.map: $reason"
	ok "$title: no database" test ! -e b.db
}
bad "nothing" "no line of it says anything" "# nothing"
bad "another word" "line 2: 'probe' is no event, field or row" "" "probe a b"
bad "no name" "line 1: the name is missing" "event"
bad "no meaning" "line 1: what it means is missing" "event a # malloc"
bad "a wrong meaning" "line 1: 'alloc' is no meaning" "event a alloc"
bad "no field" "line 1: 'size=' is no ROLE=FIELD" "event a malloc size="
bad "a field's role" "line 1: 'bytes' is no role" "field a bytes"
bad "a field's end" "line 1: 'c' is no end" "field a size c"
bad "a name twice" "line 2: 'a' is in line 1, too" "event a malloc" "event a free"
bad "a row without a time" "line 1: one column must be t_ns or time" \
	"row a malloc_done handle size"
bad "a column of events" "line 1: 'obj' is no column of a call" "row a malloc t_ns obj"
bad "a column twice" "line 1: two columns are cpu" "row a malloc t_ns cpu cpu"
bad "other characters" "line 1: a character that is not ASCII" "event ä malloc"
ok "no file" exits 3 $zsr import -d b.db --map none.map ftrace.txt
ok "is said" complains "none.map: No such file"
head -c 70000 /dev/zero | tr '\0' '#' >bad.map
ok "too long" exits 3 $zsr import -d b.db --map bad.map ftrace.txt
ok "is said" complains "bad.map: 70000 bytes, at most 65536"
plan
