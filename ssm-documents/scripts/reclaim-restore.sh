#!/usr/bin/env bash

DOCUMENT=reclaim-restore
fail "not implemented yet"
