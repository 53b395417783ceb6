#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs one test for prove: scripts through sh, programs as they are. Exit 77
# becomes a TAP skip of the whole file.
set -u

case $1 in
*.t) sh "$@" ;;
*) "$@" ;;
esac
code=$?
[ $code = 77 ] && exit 0
exit $code
