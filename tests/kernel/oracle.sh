#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# oracle.sh [4k|16k]: builds a small arm64 kernel with zsmalloc's statistics (no
# distribution has them) from Debian's linux-source-6.12, into the cache of
# boot.sh, which then boots it as oracle-4k, oracle-16k. Takes some minutes and
# 2 GB. 77: something cannot be had here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
pages=${1:-4k}
cache=${ZSR_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zsr/kernels}
out=$cache/oracle-$pages
case $pages in
4k) page="CONFIG_ARM64_4K_PAGES=y CONFIG_ARM64_VA_BITS_39=y" ;;
16k) page="CONFIG_ARM64_16K_PAGES=y CONFIG_ARM64_VA_BITS_47=y" ;;
*) echo "oracle: 4k or 16k?" >&2 && exit 2 ;;
esac

skip() {
	echo "oracle: $*" >&2
	exit 77
}

[ -f "$out/boot/vmlinuz-oracle-$pages" ] && exit
for tool in aarch64-linux-gnu-gcc flex bison bc make xz; do
	command -v $tool >/dev/null || skip "no $tool here"
done
source=$cache/linux-source-6.12
if [ ! -d "$source" ]; then
	rm -rf "$source.new" "$source.deb"
	mkdir -p "$source.new" "$source.deb"
	(cd "$source.deb" && apt-get download -qq linux-source-6.12 \
		>/dev/null 2>&1 && dpkg -x ./*.deb .) ||
		skip "linux-source-6.12 cannot be downloaded"
	tar xf "$source.deb/usr/src/linux-source-6.12.tar.xz" \
		--strip-components 1 -C "$source.new"
	rm -r "$source.deb"
	mv "$source.new" "$source"
fi
mkdir -p "$out/build" "$out/boot" "$out/lib/modules"
{
	cat "$here/oracle.config"
	echo "$page" | tr ' ' '\n'
} >"$out/fragment"
build() {
	make -s -C "$source" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
		O="$out/build" "$@"
}
build KCONFIG_ALLCONFIG="$out/fragment" allnoconfig
for option in ZSMALLOC_STAT ZRAM KPROBE_EVENTS VIRTIO_BLK; do
	grep -q "^CONFIG_$option=y" "$out/build/.config" ||
		skip "CONFIG_$option cannot be set"
done
nice -n 10 make -s -C "$source" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- \
	O="$out/build" -j"${JOBS:-$(nproc)}" Image
cp "$out/build/arch/arm64/boot/Image" "$out/boot/vmlinuz-oracle-$pages"
rm -rf "$out/build"
