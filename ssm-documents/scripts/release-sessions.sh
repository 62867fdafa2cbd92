#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of contain-sessions: removes our drop-in, and passes the memory controller on where it was taken away.

DOCUMENT=release-sessions

undo_changes contain-sessions find_hierarchy find_systemd
