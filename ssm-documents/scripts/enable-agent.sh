#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# The inverse of disable-agent: removes the condition, and starts again what that one stopped.

DOCUMENT=enable-agent

undo_changes disable-agent find_systemd
