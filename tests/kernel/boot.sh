#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot.sh KERNEL SCRIPT OUT [CPUS]: boot a kernel of the list `kernels` with the
# static zsr-capture, run SCRIPT in it, leave what it wrote to /out in OUT.
# Packages are kept in $ZSR_KERNEL_CACHE (~/.cache/zsr/kernels). 77: something
# cannot be had here; stderr says what. A boot may take ZSR_BOOT_SECONDS (600).
# ZSR_ICOUNT=1: one CPU, and an instruction takes a nanosecond of the guest's.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
kernel=$1 script=$2 out=$3 cpus=${4:-1}
cache=${ZSR_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/zsr/kernels}

skip() {
	echo "boot: $*" >&2
	exit 77
}

line=$(grep "^$kernel	" "$here/kernels") || {
	echo "boot: no kernel $kernel in $here/kernels" >&2
	exit 2
}
# shellcheck disable=SC2086 # a line of words
set -- $line
arch=$2 cpu=$3 console=$4 release=$5 packages=$6 suite=${7:-}
case $arch in
amd64)
	qemu=qemu-system-x86_64 machine=pc cross= target=x86_64-linux-gnu
	# On a busy machine the timer looks broken, and the kernel panics.
	console="$console no_timer_check"
	;;
arm64)
	qemu=qemu-system-aarch64 machine=virt
	cross=aarch64-linux-gnu- target=aarch64-linux-gnu
	;;
esac
for tool in $qemu depmod modprobe cpio xz "${cross}gcc" apt-get; do
	command -v "$tool" >/dev/null || skip "no $tool here"
done

# ---- what is booted: kernel, modules, busybox --------------------------------

download() { # packages, directory, suite
	[ -d "$2" ] && return
	packages=$(echo "$1" | tr , ' ')
	if [ -n "$3" ]; then
		# shellcheck disable=SC2086 # a list of packages
		SUITE=$3 "$here/fetch.sh" "$arch" "$2" $packages
		return
	fi
	rm -rf "$2.new"
	mkdir -p "$2.new"
	for p in $packages; do
		(cd "$2.new" && apt-get download -qq "$p:$arch" \
			>/dev/null 2>&1 && dpkg -x ./*.deb . && rm ./*.deb) ||
			skip "package $p:$arch cannot be downloaded"
	done
	mv "$2.new" "$2"
}

image=$cache/$release
case $release in
oracle-*) [ -f "$image/boot/vmlinuz-$release" ] || skip "no $release here: make kernel-oracle" ;;
*) download "$packages" "$image" "$suite" ;;
esac
download busybox-static "$cache/busybox-$arch" ''
# From 7.0 on all is under /usr.
vmlinuz=$image/boot/vmlinuz-$release
[ -f "$vmlinuz" ] || vmlinuz=$image/usr/lib/modules/$release/vmlinuz
[ -e "$image/lib" ] || ln -s usr/lib "$image/lib"

# In the order in which they are loaded, unpacked.
modules() { # directory
	mkdir -p "$1"
	: >"$1/order"
	[ -d "$image/lib/modules/$release" ] || return 0
	[ -f "$image/lib/modules/$release/modules.dep.bin" ] ||
		depmod -b "$image" "$release" 2>/dev/null
	for m in virtio_pci virtio_blk lz4 lz4hc zstd lzo-rle zram; do
		modprobe -d "$image" -S "$release" --show-depends "$m" \
			2>/dev/null || true
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			name=$(basename "$path" .xz)
			case $path in
			*.xz) xz -dc "$path" >"$1/$name" ;;
			*) cp "$path" "$1/$name" ;;
			esac
			echo "$name"
		done >"$1/order"
}

# ---- the guest ------------------------------------------------------------------

static=$top/build-static/$target/zsr-capture
log=$top/build-static/$target.log
mkdir -p "$top/build-static"
PKG_CONFIG_LIBDIR=/usr/lib/$target/pkgconfig pkg-config --exists libtracefs popt ||
	skip "no libtracefs-dev and libpopt-dev for $arch here"
env -u MAKEFLAGS make -s -C "$top" capture-static CROSS_COMPILE="$cross" >"$log" \
	2>&1 || {
	tail -5 "$log" >&2
	exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev"
cp "$cache/busybox-$arch/bin/busybox" "$root/bin"
${cross}strip -o "$root/bin/zsr-capture" "$static"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
cp "$script" "$root/test.sh"
modules "$root/modules"
(cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/initrd"
truncate -s 512M "$work/disk"

accel="-accel tcg,thread=multi"
[ -z "${ZSR_ICOUNT:-}" ] || accel="-accel tcg,thread=single -icount shift=0"
status=0
# shellcheck disable=SC2086 # a list of options
timeout -k 5 "${ZSR_BOOT_SECONDS:-600}" nice -n 10 "$qemu" -M "$machine" \
	$accel -cpu "$cpu" -smp "$cpus" -m 768 -nographic \
	-no-reboot -nodefaults -serial stdio -kernel "$vmlinuz" \
	-initrd "$work/initrd" -append "console=$console panic=-1 quiet" \
	-drive "file=$work/disk,if=none,format=raw,id=d" \
	-device virtio-blk-pci,drive=d </dev/null >"$work/console" 2>&1 || status=$?
rm -rf "$out"
mkdir -p "$out"
tr -d '\033' <"$work/console" >"$out/console"
# One that panics ends with 0, too.
if [ $status != 0 ] || ! tar xf "$work/disk" -C "$out" 2>/dev/null ||
	[ ! -f "$out/release" ]; then
	echo "boot: $kernel ended with $status (124: took too long):" >&2
	tail -5 "$out/console" >&2
	exit 1
fi
