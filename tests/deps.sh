#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages that building, testing and the demo need, and
# only those that are missing. Without root it says what to install. `deps.sh
# kernel`: what booting kernels takes, too.
set -eu

packages="gcc make pkg-config libc6-dev git
 libtracecmd-dev libtracefs-dev libtraceevent-dev libsqlite3-dev libzstd-dev
 libxxhash-dev libcairo2-dev libpango1.0-dev libpopt-dev libjansson-dev
 nettle-dev zlib1g-dev libarchive-dev libprotobuf-c-dev protobuf-c-compiler
 libbabeltrace2-dev liblttng-ust-dev liblttng-ctl-dev lttng-tools
 babeltrace2 scdoc fonts-dejavu-core protobuf-compiler
 check perl mandoc poppler-utils sqlite3 valgrind trace-cmd zstd
 clang-format"

# What tests need for programs of other machines; they are skipped without.
cross="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
 gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
 libsqlite3-dev:arm64 libzstd-dev:arm64 libxxhash-dev:arm64 nettle-dev:arm64
 libarchive-dev:arm64"

# What `make check-kernel` boots kernels with; its own are static.
kernel="qemu-system-x86 qemu-system-arm kmod cpio xz-utils flex bison bc
 libtracefs-dev:arm64 libtraceevent-dev:arm64 libpopt-dev:arm64"

missing_of() {
	for p in $1; do
		dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null |
			grep -q '^ii' || printf ' %s' "$p"
	done
}

install() {
	# shellcheck disable=SC2086 # a list of packages
	apt-get install -y -qq --no-install-recommends $1 >/dev/null
}

missing=$(missing_of "$packages")
optional=
[ "$(dpkg --print-architecture)" = amd64 ] && optional=$(missing_of "$cross")
[ "${1:-}" = kernel ] && optional="$optional$(missing_of "$kernel")"
[ -n "$missing$optional" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	[ -z "$missing" ] && exit 0
	echo "deps: not root; run: apt-get install$missing" >&2
	exit 4
fi
echo "installing:$missing$optional"
export DEBIAN_FRONTEND=noninteractive
[ -z "$optional" ] || dpkg --add-architecture arm64
apt-get update -qq
[ -z "$missing" ] || install "$missing"
[ -z "$optional" ] || install "$optional" ||
	echo "deps: no arm64 packages; tests on Arm will be skipped" >&2
