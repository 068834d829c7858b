#!/usr/bin/env bash
# Runs clang-tidy on every C++ file that a configured build compiles: lint.sh BUILD_FOLDER [PATTERN]. Says nothing when clean.
# PATTERN (grep -E) picks files by path.
set -euo pipefail

files() {
  sed -n 's/^ *"file": "\(.*\.cpp\)",*$/\1/p' "$1/compile_commands.json" | sort -u | { grep -E -- "$2" || true; }
}

# The two options are for flags that GCC knows and clang does not; on stderr clang-tidy only counts suppressed warnings.
files "$1" "${2:-.}" | xargs -r -d '\n' -n 1 -P "$(nproc)" clang-tidy --quiet -p "$1" \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-ignored-optimization-argument \
  2> >(grep -v -E '^[0-9]+ warnings?( and [0-9]+ errors?)? (generated|treated as errors?)\.?$' >&2)
