#!/usr/bin/env bash

DOCUMENT=reclaim
fail "not implemented yet"
