#!/usr/bin/env bash
# The files of a cgroup go with its directory, and it stays for as long as there is a directory in it.

root="${0%/usr/bin/rmdir}"
for folder in "$@"; do
  if [[ "${folder}" == "${root}/sys/fs/cgroup/"* && -z "$(find "${folder}" -mindepth 1 -maxdepth 1 -type d)" ]]; then rm -f "${folder}"/*; fi
done
PATH="${PATH#"${root}/usr/bin:"}" exec rmdir "$@"
