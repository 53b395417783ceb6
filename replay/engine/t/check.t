#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# `zsr engine check`: what is no kernel tree, or does not compile, or cannot be
# compiled, is said and nothing is left behind; a kernel's own allocator equals
# the engine on all our sequences, page sizes and chain limits, and one with a
# rule altered does not.
#
# The kernels are Debian's linux-source packages that are installed. With
# ZSR_KERNEL_SOURCE=1 those of 6.1 and 6.12 are installed when they are missing
# (root only, about 280 MB); ZSR_KERNEL_SOURCE=DIR is an unpacked tree.
set -u
. tests/tap.sh

TMPDIR="$tmp/a b"
export TMPDIR
mkdir "$TMPDIR"

# exit code, a pattern of what is printed, arguments
gives() {
	want=$1 text=$2
	shift 2
	"$zsr" engine check "$@" >"$tmp/out" 2>&1
	[ $? = "$want" ] && grep -q "$text" "$tmp/out" && nothing_left
}

nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ]
}

# ---- without a kernel --------------------------------------------------

ok "no directory" gives 3 "no kernel tree: No such file" "$tmp/none"
ok "no Makefile" gives 3 "no kernel tree: no Makefile" "$TMPDIR"
ok "no argument" gives 2 "which kernel tree"
ok "two trees" gives 2 "one kernel tree" a b

fake="$tmp/a tree"
mkdir -p "$fake/mm" "$fake/include/linux"
echo "all:" >"$fake/Makefile"
ok "no kernel's Makefile" gives 3 "says no release" "$fake"
printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n' >"$fake/Makefile"
ok "no allocator" gives 3 "no kernel tree: no mm/zsmalloc.c" "$fake"
mkfifo "$fake/mm/zsmalloc.c"
ok "an allocator that is no file" gives 3 "no mm/zsmalloc.c" "$fake"
rm "$fake/mm/zsmalloc.c"
: >"$fake/include/linux/zsmalloc.h"
printf '#include <linux/slab.h>\n\nint $(touch hit) = 1;\n' \
	>"$fake/mm/zsmalloc.c"
ok "the compiler's first error, in the tree's names" \
	gives 3 "stand-ins: mm/zsmalloc.c:3:[0-9]*: error: " "$fake"
printf '#include <../../../../hit.h>\n#include </etc/passwd>\n' \
	>"$fake/mm/zsmalloc.c"
ok "no header is made outside" gives 3 "mm/zsmalloc.c:1:" "$fake"
ok "nothing else appeared" [ -z "$(find "$tmp" . -maxdepth 2 -name 'hit*')" ]
printf 'VERSION = 4\nPATCHLEVEL = 9\n' >"$fake/Makefile"
ok "a release of unknown rules" gives 3 "no rules are known" "$fake"
printf 'VERSION = 6\nPATCHLEVEL = 1\n' >"$fake/Makefile"
ok "a chain limit that cannot be" gives 2 "chains of 4" -c 8 "$fake"
CC=zsr-has-no-such-compiler
export CC
ok "no compiler" gives 4 "no C compiler: zsr-has-no" "$fake"
unset CC

# ---- kernels -------------------------------------------------------------

unpack() { # release
	tree=$tmp/linux-source-$1
	deb=/usr/src/linux-source-$1.tar.xz
	if ! [ -f "$deb" ] && [ "${ZSR_KERNEL_SOURCE-}" = 1 ] &&
		[ "$(id -u)" = 0 ]; then
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
			--no-install-recommends "linux-source-$1" >/dev/null 2>&1
	fi
	[ -f "$deb" ] && tar xf "$deb" --occurrence=1 -C "$tmp" \
		"linux-source-$1/Makefile" "linux-source-$1/mm/zsmalloc.c" \
		"linux-source-$1/include/linux/zsmalloc.h"
}

equal() { # tree, arguments
	gives 0 "^equal: [1-9]" "$@"
}

interrupted() { # signal
	"$zsr" engine check "$tree" >/dev/null 2>&1 &
	pid=$!
	while kill -0 $pid 2>/dev/null && nothing_left; do
		:
	done
	kill "-$1" $pid
	{ wait $pid; } 2>/dev/null
	: >"$tmp/out"
	nothing_left
}

altered() { # what, sed's way to it, file
	rm -rf "$fake"
	cp -r "$tree" "$fake"
	sed -i "$2" "$fake/mm/zsmalloc.c"
	if cmp -s "$tree/mm/zsmalloc.c" "$fake/mm/zsmalloc.c"; then
		echo "# $1: nothing to alter in this kernel"
	else
		ok "$name altered: $1" gives 1 "kernel .* ours " "$fake"
	fi
}

check_tree() {
	name=$(basename "$tree")
	printf 'op,id,size\nx,0,\n' >"$tree/bad.csv"
	ok "$name: equal" equal "$tree"
	for size in 16384 65536; do
		ok "$name: equal with pages of $size" \
			equal "$tree" --page-size $size
	done
	ok "$name: equal on the oracle's sequences" \
		equal "$tree" --seq replay/engine/t/data/seq/[a-oq-z]*.csv.gz \
		replay/engine/t/data/seq/pagelock*.csv.gz
	ok "$name: equal on those for larger pages" \
		equal "$tree" -p 65536 --seq replay/engine/t/data/seq/p[16]*.csv.gz
	ok "$name: a sequence that makes no sense" \
		gives 3 "is no op" "$tree" --seq "$tree/bad.csv"
	ok "$name: nothing stays after a signal" interrupted TERM
	altered "insertion at the tail" \
		's/list_add(&zspage->list, &class/list_add_tail(\&zspage->list, \&class/'
	altered "limits of the groups" 's|ratio / 10 + 1|ratio / 11 + 1|'
	altered "chain lengths" 's/min_waste = INT_MAX/min_waste = 100/'
	altered "regrouping always" 's/if (newfg == [a-z>-]*)/if (0)/'
	altered "the refusal of sizes" 's/ERR_PTR(-EINVAL)/ERR_PTR(-ENOMEM)/'
}

# Only what is needed: the test writes into its copy.
copy() { # directory
	tree=$tmp/given
	mkdir -p "$tree/mm" "$tree/include/linux" &&
		cp "$1/Makefile" "$tree" &&
		cp "$1/mm/zsmalloc.c" "$tree/mm" &&
		cp "$1/include/linux/zsmalloc.h" "$tree/include/linux" || return
	! [ -f "$1/mm/zpdesc.h" ] || cp "$1/mm/zpdesc.h" "$tree/mm"
}

kernels=0
if [ -d "${ZSR_KERNEL_SOURCE-}" ]; then
	kernels=1
	: >"$tmp/out"
	ok "$ZSR_KERNEL_SOURCE is a kernel tree" copy "$ZSR_KERNEL_SOURCE"
	check_tree
fi
for release in 6.12 6.1; do
	unpack $release || continue
	kernels=$((kernels + 1))
	check_tree
	[ "$release" = 6.12 ] || continue
	for chain in 4 16; do
		ok "$name: equal with chains of $chain" \
			equal "$tree" --chain-size $chain
	done
done
if [ $kernels = 0 ]; then
	n=$((n + 1))
	echo "ok $n - kernels # SKIP no linux-source package" \
		"(ZSR_KERNEL_SOURCE=1 installs two, 280 MB)"
fi
plan
