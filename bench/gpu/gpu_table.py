#!/usr/bin/env python3
"""One table, and a JSON of everything, from what gpu-check.sh left: gpu_table.py RESULTS_FOLDER."""
import json
import pathlib
import sys

# Work, plume's benchmark, the peer's, the figure, and the ratio (above 1: plume is ahead) that is asked for and aimed at.
ROWS = [
    ("training step, base 64", "train/base:64", "train/base:64/eager", "images_per_second", 1.25, 1.5),
    ("training step, base 32", "train/base:32", "train/base:32/eager", "images_per_second", 1.45, 1.8),
    ("training step, base 16", "train/base:16", "train/base:16/eager", "images_per_second", 1.8, 2.5),
    ("training step, base 64", "train/base:64", "train/base:64/compiled", "images_per_second", 1.05, 1.25),
    ("training step, base 32", "train/base:32", "train/base:32/compiled", "images_per_second", 1.15, 1.3),
    ("training step, base 16", "train/base:16", "train/base:16/compiled", "images_per_second", 1.2, 1.5),
    ("inference, base 64", "infer/base:64", "infer/base:64", "images_per_second", 1.1, 1.3),
    ("inference, base 32", "infer/base:32", "infer/base:32", "images_per_second", 1.2, 1.5),
    ("latency, batch 1, base 64", "latency/base:64", "latency/base:64", "milliseconds", 1.3, 2.0),
    ("device memory per image in training, base 64", "train/base:64", "train/base:64/eager", "bytes_per_image", 1 / 0.6, 2.0),
]
PEERS = {"eager": "eager, channels_last, AMP, fused AdamW", "compiled": "torch.compile in a CUDA graph"}
UNITS = {"images_per_second": ("images/s", 1), "milliseconds": ("ms", 1), "bytes_per_image": ("MiB", 2**-20)}


def load(path):
    """A JSON file's content; nothing where it is absent or was cut off."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def benchmarks(report):
    """{name: counters} of a Google Benchmark report, whose names end in the run's settings."""
    result = {}
    for row in report.get("benchmarks", []):
        name = row["name"].split("/iterations:")[0]
        result[name] = row
    return result


def counts(report):
    """Of a GoogleTest report."""
    if "tests" not in report:
        return "no report"
    cases = [case for suite in report.get("testsuites", []) for case in suite["testsuite"]]
    skipped = sum(case.get("result") == "SKIPPED" for case in cases)
    return f"{len(cases) - report['failures'] - skipped} passed, {report['failures']} failed, {skipped} skipped"


def compare(ours, peers):
    """The rows whose two figures are there, as bench/README.md describes them."""
    rows = []
    for work, our_name, peer_name, figure, at_least, aim in ROWS:
        unit, factor = UNITS[figure]
        mine, theirs = ours.get(our_name, {}).get(figure), peers.get(peer_name, {}).get(figure)
        row = {"work": work, "peer_name": PEERS.get(peer_name.split("/")[-1], "torch.compile max-autotune"), "unit": unit,
               "at_least": at_least, "aim": aim, "ours": mine and mine * factor, "peer": theirs and theirs * factor}
        if mine and theirs:
            row["ratio"] = mine / theirs if figure == "images_per_second" else theirs / mine
        rows.append(row)
    return rows


def cell(value, pattern):
    return format(value, pattern) if value is not None else "-"


def markdown(rows, machine, tests, own, cudnn):
    lines = ["# plume on a GPU", "", machine, "", tests, "",
             "| bf16, 256x256, batch 16 | peer | plume | peer's | unit | ratio | at least | aim | |",
             "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        ratio = row.get("ratio")
        verdict = "" if ratio is None else "met" if ratio >= row["at_least"] else "MISSED"
        lines.append(f"| {row['work']} | {row['peer_name']} | {cell(row['ours'], '.2f')} | {cell(row['peer'], '.2f')} | "
                     f"{row['unit']} | {cell(ratio, '.2f')} | {row['at_least']:.2f} | {row['aim']:.2f} | {verdict} |")
    lines += ["", "| operation | own kernels | through cuDNN |", "| --- | --- | --- |"]
    for name in {**cudnn, **own}:
        lines.append(f"| {name} | {rate(own.get(name, {}))} | {rate(cudnn.get(name, {}))} |")
    return "\n".join([*lines, ""])


def rate(row):
    if "flops_per_second" in row:
        return f"{row['flops_per_second'] * 1e-12:.1f} TFLOP/s"
    if "bytes_per_second" in row:
        return f"{row['bytes_per_second'] * 1e-9:.0f} GB/s"
    return "-"


def main(folder):
    names = ("tests", "network_tests", "nccl_tests", "steps", "layers_own", "layers_cudnn", "torch_training", "torch_inference")
    raw = {name: load(folder / f"{name}.json") for name in names}
    logs = {path.stem: path.read_text(errors="replace")[-4000:] for path in sorted(folder.glob("*.log"))}
    training, inference = raw["torch_training"], raw["torch_inference"]
    rows = compare(benchmarks(raw["steps"]), {**training.get("results", {}), **inference.get("results", {})})
    context, torch = raw["steps"].get("context", {}), training or inference
    machine = f"{context.get('gpu', 'unknown GPU')}, driver for CUDA {context.get('cuda_driver', '?')}; plume built with "
    machine += f"CUDA {context.get('cuda_compiled', '?')}; "
    machine += f"PyTorch {torch['torch']}, cuDNN {torch['cudnn']}" if "torch" in torch else "no PyTorch"
    commit = folder.parent / "COMMIT"
    machine += f"; plume {commit.read_text().strip()}" if commit.exists() else ""
    tests = f"Kernel tests: {counts(raw['tests'])}; whole steps: {counts(raw['network_tests'])}; "
    tests += f"NCCL: {counts(raw['nccl_tests'])}."
    text = markdown(rows, machine, tests, benchmarks(raw["layers_own"]), benchmarks(raw["layers_cudnn"]))
    (folder / "table.md").write_text(text)
    (folder / "results.json").write_text(json.dumps({"machine": machine, "table": rows, "raw": raw, "logs": logs}, indent=2))
    print(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
