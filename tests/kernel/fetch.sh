#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# fetch.sh ARCH DIR PACKAGE...: Debian packages of an architecture, unpacked into
# DIR; nothing is installed. SUITE= names another suite than this system's. Lists
# are kept beside DIR, apart from the system's. 77: they cannot be had here;
# stderr says why.
set -eu

arch=$1 dir=$2
shift 2
[ -d "$dir" ] && exit
suite=${SUITE:-}
cache=$(dirname "$dir")
# shellcheck disable=SC1091 # of the system
[ -n "$suite" ] || suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$suite" ] && command -v apt-get >/dev/null || {
	echo "fetch: no Debian here" >&2
	exit 77
}
apt=$cache/apt-$suite-$arch
options="-o Dir::Etc::SourceList=$apt/sources.list -o Dir::Etc::SourceParts=-
	-o Dir::State::Lists=$apt/lists -o Dir::Cache=$apt/cache
	-o APT::Architecture=$arch -o APT::Architectures::=$arch"
if [ ! -f "$apt/done" ]; then
	mirror=$(apt-get indextargets --format '$(SITE)' \
		'Created-By: Packages' 'Origin: Debian' | head -1)
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	keys=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "deb [signed-by=$keys] $mirror $suite main" >"$apt/sources.list"
	# shellcheck disable=SC2086 # a list of options
	apt-get $options update -qq >/dev/null 2>&1 || {
		echo "fetch: the suite $suite cannot be reached" >&2
		exit 77
	}
	touch "$apt/done"
fi
rm -rf "$dir.new"
mkdir -p "$dir.new"
for p in "$@"; do
	# shellcheck disable=SC2086 # a list of options
	(cd "$dir.new" && apt-get $options download -qq "$p:$arch" \
		>/dev/null 2>&1 && dpkg -x ./*.deb . && rm ./*.deb) || {
		echo "fetch: $p:$arch cannot be downloaded" >&2
		exit 77
	}
done
mv "$dir.new" "$dir"
