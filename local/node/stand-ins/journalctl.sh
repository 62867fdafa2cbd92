#!/usr/bin/env bash
# The journal of a recorded node: lines "SECONDS_AGO WHO: TEXT" in var/lib/recorded/journal, the newest first.

awk -v now="$(date +%s)" '{ ago = $1; sub(/^[0-9]+ /, ""); printf "%d.000000 ip-10-0-1-23 %s\n", now - ago, $0 }' \
  "${0%/usr/bin/journalctl}/var/lib/recorded/journal"
