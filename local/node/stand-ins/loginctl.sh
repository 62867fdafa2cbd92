#!/usr/bin/env bash
# logind of a recorded node on which nobody is logged in.

[[ "$1" == list-sessions ]]
