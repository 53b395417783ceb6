#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The whole way, from a captured trace to a report: what `make demo` shows.
set -eu

cd "$(dirname "$0")/.."
sample=samples/exit-6.12-arm64-4cpu
db=demo.db
report=report.pdf

run() {
	printf '\n$ zsr %s\n' "$*"
	./zsr "$@"
}

rm -f $db
cat <<END

A capture of four processes on a 6.12 kernel that swap out, give memory
up and exit, taken under emulation: the allocator's calls are the
kernel's, the times are not. So the replay takes its times from a
profile of the Raspberry Pi 4, and the swap device's outer lock, which
6.14 did away with, is left out.
END
run import $sample/trace.dat --name exit --times emulated -d $db
run replay exit --policy sync,class-idx,deferred --outer-lock cluster -d $db
run compare -d $db
run report -d $db -o $report

cat <<END

The figures are in $report. Next:

  ./zsr info exit -d $db
  ./zsr why g8 -d $db
  ./zsr replay exit --policy deferred --param pool-pages=1 -d $db
  ./zsr synth munmap --size 256M --procs 4 --name munmap -d $db
END
