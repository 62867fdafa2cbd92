#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of enable-linger: ends the linger of the users for whom this incident began it, and of no others.

DOCUMENT=disable-linger

undo_changes enable-linger find_loginctl
