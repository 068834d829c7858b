#!/usr/bin/env bash
# What gpu-check.sh makes of its programs, with stand-ins for them: gpu_check_test.sh FOLDER_OF_GPU_CHECK
set -euo pipefail
source="$1"
bundle="$(mktemp -d)"
trap 'rm -rf "$bundle"' EXIT
mkdir "$bundle/bin" "$bundle/lib"
cp "$source/gpu-check.sh" "$source/gpu_table.py" "$bundle"
echo abc1234 >"$bundle/COMMIT"

fail() {
  printf 'FAILED: %s\n%s\n' "$1" "${output:-}"
  exit 1
}
# check STATUS: gpu-check.sh ends with it; what it says is in `output`.
check() {
  local status=0
  output="$("$bundle/gpu-check.sh" "${@:2}" 2>&1)" || status=$?
  [[ $status == "$1" ]] || fail "status $status, not $1"
}
says() { [[ $output == *"$1"* ]] || fail "it does not say: $1"; }

stand_in() { cat >"$bundle/bin/$1" && chmod +x "$bundle/bin/$1"; }

# Without a GPU: one line and nothing else.
stand_in gpu_bench <<'PROGRAM'
#!/bin/sh
echo "gpu_bench: no GPU to measure: this machine has no NVIDIA driver" >&2
exit 4
PROGRAM
check 4
[[ $output == "gpu_bench: no GPU to measure: this machine has no NVIDIA driver" ]] || fail "more than one clear line"

# All programs work; a peer's results are there already, and its stamp with them.
stand_in gpu_bench <<'PROGRAM'
#!/bin/sh
for argument; do
  case $argument in
    --benchmark_list_tests) exit 0 ;;
    --benchmark_out=*layers_cudnn.json) echo "gpu_bench: cuDNN is absent" >&2 && exit 4 ;;
    --benchmark_out=*) file="${argument#*=}" ;;
  esac
done
cat >"$file" <<'JSON'
{"context": {"gpu": "Stand-in", "cuda_driver": "13.0", "cuda_compiled": "13.0"}, "benchmarks": [
 {"name": "train/base:64/iterations:20/manual_time", "images_per_second": 1300, "bytes_per_image": 52428800},
 {"name": "latency/base:64/iterations:200/manual_time", "milliseconds": 0.5},
 {"name": "bce/iterations:1/manual_time", "bytes_per_second": 3e12}]}
JSON
PROGRAM
for program in test_cuda test_unet_cuda test_nccl_cuda; do
  stand_in "$program" <<'PROGRAM'
#!/bin/sh
for argument; do
  case $argument in --gtest_output=json:*) file="${argument#*json:}" ;; esac
done
cat >"$file" <<'JSON'
{"tests": 3, "failures": 0, "testsuites": [{"testsuite": [{"result": "COMPLETED"}, {"result": "SKIPPED"}]},
 {"testsuite": [{"result": "COMPLETED"}]}]}
JSON
PROGRAM
done
mkdir "$bundle/results"
cat >"$bundle/results/torch_training.json" <<'JSON'
{"torch": "2.9", "cudnn": 91900, "results": {"train/base:64/eager": {"images_per_second": 1000, "bytes_per_image": 104857600},
 "train/base:64/compiled": {"error": "RuntimeError"}}}
JSON
echo '{"torch": "2.9", "cudnn": 91900, "results": {"latency/base:64": {"milliseconds": 0.6}}}' >"$bundle/results/torch_inference.json"
for work in training inference; do echo "3 s" >"$bundle/results/torch_$work.done"; done
check 0
says "layers_cudnn: left out: gpu_bench: cuDNN is absent"
says "torch_training: done before (3 s)"
says "Kernel tests: 2 passed, 0 failed, 1 skipped; whole steps: 2 passed, 0 failed, 1 skipped; NCCL: 2 passed"
says "| training step, base 64 | eager, channels_last, AMP, fused AdamW | 1300.00 | 1000.00 | images/s | 1.30 | 1.25 | 1.50 | met |"
says "| training step, base 64 | torch.compile in a CUDA graph | 1300.00 | - | images/s | - | 1.05 | 1.25 |  |"
says "| latency, batch 1, base 64 | torch.compile max-autotune | 0.50 | 0.60 | ms | 1.20 | 1.30 | 2.00 | MISSED |"
says "| device memory per image in training, base 64 | eager, channels_last, AMP, fused AdamW | 50.00 | 100.00 | MiB | 2.00 |"
says "| bce | 3000 GB/s | - |"
python3 -c "import json, sys; assert json.load(open(sys.argv[1]))['table'][0]['ratio'] == 1.3" "$bundle/results/results.json"

# A machine without NCCL.
rm "$bundle/results/nccl_tests.done"
stand_in test_nccl_cuda <<'PROGRAM'
#!/bin/sh
echo '{"tests": 1, "failures": 0, "testsuites": [{"testsuite": [{"result": "SKIPPED"}]}]}' >"${1#*json:}"
PROGRAM
check 0
says "nccl_tests: left out: NCCL (libnccl.so.2) cannot be opened here"

# What is done is not done again; a failure is, and tells.
stand_in test_unet_cuda <<'PROGRAM'
#!/bin/sh
exit 1
PROGRAM
check 0
says "network_tests: done before"
rm "$bundle/results/network_tests.done"
check 1
says "network_tests: FAILED with status 1"
check 1 --fresh
[[ $output != *"done before"* ]] || fail "--fresh kept a stamp"
check 2 --what
check 2 steps and
check 0 --fresh tests
says "tests: ok"
[[ $output != *"network_tests:"* ]] || fail "a step ran that was not chosen"
echo "gpu-check.sh: all as it should be"
