#!/usr/bin/env bash
# The files of a cgroup go with its directory, and it stays for as long as there is a directory in it.

root="${0%/usr/bin/rmdir}"
shopt -s nullglob
for folder in "$@"; do
  below=("${folder}"/*/)
  if [[ "${folder}" == "${root}/sys/fs/cgroup/"* ]] && ((${#below[@]} == 0)); then rm -f "${folder}"/*; fi
done
PATH="${PATH#"${root}/usr/bin:"}" exec rmdir "$@"
