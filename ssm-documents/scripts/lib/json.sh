#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables; awk has dollars of its own
# JSON that stays valid whatever a cgroup is called.

# awk functions, shared by every awk program of the documents: json(s) quotes any bytes.
AWK_JSON='
function json_init(  i) { for (i = 1; i < 256; i++) json_code[sprintf("%c", i)] = i }
function json(s,  out, i, n, c, b, k, len, ok) {
  if (s !~ /[^ -~]|["\\]/) return "\"" s "\""
  out = ""
  n = length(s)
  for (i = 1; i <= n; i++) {
    c = substr(s, i, 1)
    b = json_code[c] + 0
    if (c == "\"" || c == "\\") out = out "\\" c
    else if (b < 32 || b == 127) out = out sprintf("\\u%04x", b)
    else if (b < 128) out = out c
    else {
      len = json_utf8_length(s, i, b)
      if (len) {
        out = out substr(s, i, len)
        i += len - 1
      } else out = out "\\ufffd"
    }
  }
  return "\"" out "\""
}
# Length of the valid UTF-8 sequence that begins at i with byte b; 0 if there is none.
function json_utf8_length(s, i, b,  len, k, low, high) {
  if (b >= 194 && b <= 223) len = 2
  else if (b >= 224 && b <= 239) len = 3
  else if (b >= 240 && b <= 244) len = 4
  else return 0
  for (k = 1; k < len; k++) {
    low = 128; high = 191
    if (k == 1 && b == 224) low = 160
    if (k == 1 && b == 237) high = 159
    if (k == 1 && b == 240) low = 144
    if (k == 1 && b == 244) high = 143
    if (!(substr(s, i + k, 1) in json_code)) return 0
    if (json_code[substr(s, i + k, 1)] < low || json_code[substr(s, i + k, 1)] > high) return 0
  }
  return len
}'

# Sets REPLY to the argument as a JSON string.
json_string() {
  if [[ "$1" != *[!\ -~]* ]]; then
    REPLY="${1//\\/\\\\}"
    REPLY="\"${REPLY//\"/\\\"}\""
    return
  fi
  REPLY="$(printf '%s' "$1" | awk "${AWK_JSON}"'
    { text = text (NR > 1 ? "\n" : "") $0 }
    END { json_init(); printf "%s", json(text) }')"
}

# Ends the document with an error that the caller can parse. Bounded: it may quote a parameter.
fail() {
  local message="${1:0:500}"
  log "error: ${message}"
  json_string "${message}"
  SAID=1
  printf '{"version":1,"document":"%s","error":%s}\n' "${DOCUMENT:-unknown}" "${REPLY}"
  exit 1
}
