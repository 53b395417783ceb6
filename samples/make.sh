#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Makes the packs of this folder from the captures in $ZSR_SHARED/captures:
#
#	samples/make.sh [SAMPLE...]
#
# README and pack are written; golden is samples/golden.sh's. Those of zsr
# capture are from $ZSR_OWN: tests/kernel/boot.sh boots a kernel with it.
set -eu

cd "$(dirname "$0")/.."
zsr=${ZSR_BUILD:-build}/zsr
captures=${ZSR_SHARED:-../shared}/captures
own=${ZSR_OWN:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

virt="QEMU virt (emulated)"
sample() { # name, capture, board, CPU, zram, workload, recorder
	[ -z "$only" ] || echo " $only " | grep -q " $1 " || return 0
	capture=$captures/$2
	[ "${2#own/}" = "$2" ] || capture=$own/${2#own/}
	[ -e "$capture" ] || return 0
	dir=samples/$1
	mkdir -p "$dir"
	rm -f "$work/db"
	"$zsr" import "$capture" --times emulated --name "$1" \
		-d "$work/db" >/dev/null
	facts=$("$zsr" sql -d "$work/db" --csv "select kernel || ', ' ||
		(page_size / 1024) || ' KiB pages, chains of up to ' || chain_size
		from trace" | tail -n 1 | tr -d '"')
	calls=$("$zsr" sql -d "$work/db" --csv "select nr_mallocs ||
		' zs_malloc, ' || nr_frees || ' zs_free; nothing lost'
		from trace where not exists (select 1 from odd
		where key like 'lost%')" | tail -n 1 | tr -d '"')
	cat >"$dir/README" <<-END
	SPDX-License-Identifier: CC0-1.0

	A capture of a running Linux kernel under emulation.

	The allocator's calls, their order, sizes and CPUs are the kernel's own. The
	times are those of the emulator and say nothing about hardware: a replay takes
	its gaps from the machine profile.

	kernel        $facts
	board         $3
	CPU           $4
	swap          one zram device, $5
	workload      $6
	recorder      $7
	recorded      $calls
	pack          $1.zsrpack; anonymised, sizes and times exact
	END
	"$zsr" replay "$1" --policy sync,class-idx,deferred --outer-lock cluster \
		-d "$work/db" >/dev/null
	"$zsr" pack "$1" '#1' '#2' '#3' -d "$work/db" --readme "$dir/README" \
		--about board="$3" --about cpu="$4" --about zram="$5" \
		--about workload="$6" --about recorder="$7" \
		-o "$dir/$1.zsrpack"
}

only=$*
one="1 process maps and fills"
out="swaps it out"
a72="Cortex-A72, 2 virtual CPUs, TCG"
kprobe="kprobe events, armed before the pool existed"

sample munmap-6.1-arm64 s01-deb61-4k "$virt" "$a72" lzo-rle \
	"$one 16 MiB, $out, unmaps" "$kprobe"
sample refault-6.12-arm64 s02-deb612-4k-raw "$virt" "$a72" lz4 \
	"$one 16 MiB, $out, touches 5 %, gives up 30 %, unmaps" "$kprobe"
sample fragment-6.12-arm64-16k s03-deb612-16k "$virt" \
	"Cortex-A76, 2 virtual CPUs, TCG" lz4 \
	"$one 48 MiB, $out, gives up 40 %, unmaps" "$kprobe"
sample fragment-7.3-arm64 s04-deb73-4k "$virt" "$a72" lz4 \
	"$one 16 MiB, $out, gives up 40 %, unmaps" "$kprobe"
sample refault-6.12-arm64-1cpu s05-oracle-4k "$virt" \
	"Cortex-A72, 1 virtual CPU, TCG, 1 ns an instruction" lz4 \
	"$one 24 MiB, $out, touches 10 %, gives up 60 %, unmaps" \
	"$kprobe; the kernel's class tables with each snapshot"
sample refault-6.12-arm64-16k s06-oracle-16k "$virt" \
	"Cortex-A76, 1 virtual CPU, TCG, 1 ns an instruction" lz4 \
	"$one 64 MiB, $out, touches 10 %, gives up 60 %, unmaps" \
	"$kprobe; the kernel's class tables with each snapshot"
sample fragment-6.18-arm64 s07-deb618-fprobe "$virt" "$a72" lz4 \
	"$one 16 MiB, $out, gives up 20 %, unmaps" \
	"fprobe events, armed before the pool existed"
sample compact-6.12-arm64 s09-oracle-4k-compact "$virt" \
	"Cortex-A72, 1 virtual CPU, TCG, 1 ns an instruction" lz4 \
	"$one 16 MiB, $out, gives up 70 %, zram is compacted, unmaps" \
	"$kprobe; the kernel's class tables with each snapshot"
sample munmap-6.12-arm64 s14-tracecmd-record "$virt" "$a72" lz4 \
	"$one 24 MiB, $out, unmaps" \
	"trace-cmd record, kprobe events, armed after mkswap"
sample refault-6.12-x86_64 s15-oracle-x86_64 "QEMU pc (emulated)" \
	"x86-64, 2 virtual CPUs, TCG" lz4 \
	"$one 16 MiB, $out, touches 10 %, gives up 60 %, unmaps" "$kprobe"
sample munmap-6.12-raspi3b s16-raspi3b "QEMU raspi3b (emulated)" \
	"Cortex-A53, 4 virtual CPUs, TCG" lz4 "$one 24 MiB, $out, unmaps" \
	"kprobe events, armed after mkswap"
sample munmap-256m-6.12-x86_64 own/munmap256.dat "QEMU pc (emulated)" \
	"x86-64, 1 virtual CPU, TCG" lz4 \
	"$one 256 MiB, $out, unmaps: zsr workload munmap --size 256M" \
	"zsr capture --fresh-zram 768M --buffer 64M"
sample exit-6.12-x86_64-4procs own/exit64x4.dat "QEMU pc (emulated)" \
	"x86-64, 1 virtual CPU, TCG" lz4 \
	"4 processes of 16 MiB, 20 % back in memory, 10 % given up, exit" \
	"zsr capture --fresh-zram 768M --buffer 32M"
sample switch-6.12-x86_64-4cpu own/switch.dat "QEMU pc (emulated)" \
	"x86-64, 4 virtual CPUs, TCG" lz4 \
	"3 processes of 12 MiB, 3 rounds: out, 60 % back, unmap; like apps" \
	"zsr capture --fresh-zram 512M --buffer 32M"
sample app-switch-6.12-x86_64-4cpu own/appswitch.dat "QEMU pc (emulated)" \
	"x86-64, 4 virtual CPUs, TCG" lz4 \
	"4 processes of 8 MiB; 12 turns, 60 % of one back while others go out; exit" \
	"zsr capture --fresh-zram 512M --buffer 32M"
