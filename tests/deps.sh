#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs the Debian packages that building, testing and the demo need, and
# only those that are missing. Without root it says what to install.
set -eu

packages="gcc make pkg-config libc6-dev git
 libtracecmd-dev libtracefs-dev libtraceevent-dev libsqlite3-dev libzstd-dev
 libxxhash-dev libcairo2-dev libpango1.0-dev libpopt-dev libjansson-dev
 libmd-dev zlib1g-dev scdoc fonts-dejavu-core
 check perl mandoc poppler-utils sqlite3 valgrind trace-cmd clang-format"

missing=
for p in $packages; do
	dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null |
		grep -q '^ii' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
if [ "$(id -u)" != 0 ]; then
	echo "deps: not root; run: apt-get install$missing" >&2
	exit 4
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of packages
apt-get install -y -qq --no-install-recommends $missing >/dev/null
