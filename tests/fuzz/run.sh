#!/usr/bin/env bash
# Runs every fuzzer of a build in turn: run.sh BUILD_FOLDER SECONDS (of all together). Ends with the first that fails,
# whose input is then in BUILD_FOLDER. What is found new is kept in BUILD_FOLDER/corpus for the next run.
set -euo pipefail

build="$1"
corpus="$(dirname "$0")/corpus"
mapfile -t fuzzers < <(find "$build" -maxdepth 1 -name 'fuzz_*' -type f -executable | sort)
seconds=$(($2 / ${#fuzzers[@]}))
for fuzzer in "${fuzzers[@]}"; do
  name="${fuzzer##*/fuzz_}"
  mkdir -p "$build/corpus/$name"
  echo "Fuzzing $name for $seconds s"
  "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_funcs=0 \
    -print_final_stats=1 -artifact_prefix="$build/$name-" "$build/corpus/$name" "$corpus/$name"
done
