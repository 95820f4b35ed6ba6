#!/bin/sh
# Tests and measures equalized-focal-loss on the NVIDIA GPU of this machine. See README.md.
case $0 in
  */*) here=${0%/*} ;;
  *) here=. ;;
esac
here=$(CDPATH='' cd -- "$here" && pwd) || exit 2
exec "$here/node/bin/node" "$here/scripts/gpu-bundle/run.mjs" "$@"
