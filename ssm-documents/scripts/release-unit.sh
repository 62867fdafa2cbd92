#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of contain-unit: removes our drop-ins. The service moves back at its next start, as it came.

DOCUMENT=release-unit

undo_changes contain-unit find_systemd
