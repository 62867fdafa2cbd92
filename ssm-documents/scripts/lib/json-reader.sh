#!/usr/bin/env bash
# shellcheck disable=SC2034,SC2153,SC2154 # a part of a document: other parts set and read some of its variables
# Reads JSON of any size and layout in one pass, a string at a time.

# awk functions: split at every quotation mark, the text is in turn outside and inside a string, and no string, however
# hostile, is taken for structure. The program that uses them runs with RS = "\"", calls json_read() for every record
# and json_complete() at the end, and defines
#     json_value(depth, text)    a string (without its quotes, still escaped), number or word at json_key[1…depth]
#     json_end(depth)            the end of an object at this depth
# shellcheck disable=SC2016 # awk's own dollars
AWK_JSON_READER='
function json_read() {
  if (!json_inside) {
    json_structure($0)
    json_inside = 1
    json_text = ""
    return
  }
  # Nothing of interest is that long.
  if (length(json_text) < 2000) json_text = json_text substr($0, 1, 2000)
  if (match($0, /\\+$/) && RLENGTH % 2 == 1) {
    json_text = json_text "\""
    return
  }
  json_inside = 0
  json_scalar(json_text, 1)
}
function json_structure(text,  i, c) {
  gsub(/[ \t\r\n]+/, " ", text)
  while (text != "") {
    c = substr(text, 1, 1)
    if (match(text, /^[-+.0-9A-Za-z]+/)) {
      json_scalar(substr(text, 1, RLENGTH), 0)
      text = substr(text, RLENGTH + 1)
      continue
    }
    if (c == "{" || c == "[") {
      if (json_depth == 0 && json_closed) json_bad = 1
      json_kind[++json_depth] = c
      json_key[json_depth] = ""
      json_wants_key[json_depth] = (c == "{")
    } else if (c == "}" || c == "]") {
      if (json_depth == 0 || json_kind[json_depth] != (c == "}" ? "{" : "[")) {
        json_bad = 1
        return
      }
      if (c == "}") json_end(json_depth)
      if (--json_depth == 0) json_closed = 1
    } else if (c == ",") {
      json_wants_key[json_depth] = (json_kind[json_depth] == "{")
    } else if (c == ":") {
      json_wants_key[json_depth] = 0
    } else if (c != " ") {
      json_bad = 1
    }
    text = substr(text, 2)
  }
}
function json_scalar(text, quoted) {
  if (json_depth == 0) json_bad = 1
  else if (json_kind[json_depth] == "{" && json_wants_key[json_depth] && quoted) json_key[json_depth] = text
  else json_value(json_depth, text)
}
function json_complete() { return !json_bad && json_closed }'
