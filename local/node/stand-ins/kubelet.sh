#!/usr/bin/env bash
# The kubelet of a recorded node, as far as its version.

[[ "$1" == --version ]] && cat "${0%/usr/bin/kubelet}/var/lib/recorded/kubelet"
