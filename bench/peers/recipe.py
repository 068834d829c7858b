#!/usr/bin/env python3
"""What each part of a training recipe is worth: it, the first recipe, and it with one thing changed, over seeds.

    build/bin/plume data pack --tiles DIR/tiles --masks DIR/masks --split DIR/split.csv -o tiles.h5
    python3 bench/peers/recipe.py --shard tiles.h5 --runs runs/recipe --out bench/results/smoke-recipe

Beside it, with --smp PYTHON, train_smp.py: the same by segmentation_models.pytorch. Runs are kept in --runs, and what
is there is not done again, so that a machine lent by the minute gets there in several goes; --rows and --seeds
choose. The test split is read with --test alone, of the recipe and the first recipe: once, at the end.
"""

import argparse
import ast
import json
import math
import pathlib
import statistics
import subprocess
import time

from circumstances import ROOT, circumstances

RECIPE, FIRST, SHORTENED = "the recipe", "the first recipe", "the recipe, shortened"
CONFIGS = {RECIPE: ROOT / "configs" / "smoke-goes16-best.toml", FIRST: ROOT / "configs" / "smoke-goes16.toml"}
AVERAGED = "the recipe, eight turns averaged in prediction"
SMP = "segmentation_models.pytorch"
CHANGES = {
    "no average of weights": {"train.ema": 0},
    "neither mirrored nor turned": {"train.flip": "false", "train.rotate": "false"},
    "constant rate": {"schedule.name": "constant"},
    "cross-entropy alone": {"loss.dice": 0},
    "Lovász in place of Dice": {"loss.dice": 0, "loss.lovasz": 1},
    "crops of 64 pixels": {"train.crop": 64},
    "a quarter of a batch with smoke": {"train.class_share": 0.25},
    "the first recipe's rate, 5e-3": {"optimizer.lr": 5e-3},
    "scale, contrast and brightness varied": {
        "augment.scale": 0.25,
        "augment.contrast": 0.1,
        "augment.brightness": 0.1,
    },
    "NASA's family, two poolings": {"model.family": "pixel_detector", "model.depth": 2},
}
ROWS = [FIRST, RECIPE, AVERAGED, SHORTENED, *CHANGES, SMP]
WHOLE = (FIRST, RECIPE, AVERAGED)  # of their configuration's own length, whatever --steps says


def plume(options, *words):
    command = [options.plume, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def device(options):
    return ["--device", options.device, "--precision", options.precision]


def measured(options, folder, split, *words):
    """IoU on a split of the model that a training kept; asked once and then kept beside it."""
    kept = folder / f"{split}{'-'.join(words)}.json"
    if not kept.exists():
        model = folder / "best.safetensors"
        text = plume(
            options,
            "eval",
            "--model",
            model,
            "--data",
            options.shard,
            "--split",
            split,
            "--json",
            *words,
            *device(options),
        )
        kept.write_text(json.dumps({"iou": json.loads(text)["iou"]}))
    return json.loads(kept.read_text())["iou"]


def train(options, row, seed):
    """The folder of a training of a row, which is run where it is not there yet, and its seconds."""
    steps = options.steps if row not in WHOLE else None
    folder = options.runs / f"{row.replace(' ', '-').replace(',', '')}{f'-{steps}' if steps else ''}-{seed}"
    took = folder / "seconds.json"
    if not took.exists():
        config = CONFIGS.get(row, CONFIGS[RECIPE])
        settings = {"data.shard": options.shard, "train.seed": seed, **CHANGES.get(row, {})}
        if steps:
            settings["train.steps"] = steps
        sets = [f"--set={key}={value}" for key, value in settings.items()]
        at_once = not folder.exists()  # else the rest of a run that was cut off
        start = time.perf_counter()
        plume(options, "train", config, *sets, *device(options), "--out", folder, "--resume", "auto")
        took.write_text(json.dumps(time.perf_counter() - start if at_once else None))
    return folder, json.loads(took.read_text())


def commits(options):
    """Of the programs that trained."""
    starts = [line for kept in options.runs.glob("*/starts.jsonl") for line in kept.read_text().splitlines()]
    return sorted({json.loads(start)["commit"][:7] for start in starts})


def train_smp(options, seed):
    kept = options.runs / f"smp{f'-{options.steps}' if options.steps else ''}-{seed}.json"
    if not kept.exists():
        script = ROOT / "bench" / "peers" / "train_smp.py"
        command = [options.smp, script, CONFIGS[RECIPE], "--shard", options.shard, "--seed", seed]
        if options.steps:
            command += ["--steps", options.steps]
        done = subprocess.run(
            [*map(str, command), "--device", options.device], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(done.stderr[-2000:])
        kept.write_text(done.stdout)
    return json.loads(kept.read_text())


def measure(options, row, seed):
    if row == SMP:
        report = train_smp(options, seed)
        return {"val": report["val_iou"], **{key: report[key] for key in ("seconds", "program", "parameters")}}
    folder, seconds = train(options, RECIPE if row == AVERAGED else row, seed)
    averaged = ["--tta", "turns"] if row == AVERAGED else []
    report = {"val": measured(options, folder, "val", *averaged), "seconds": seconds}
    if options.test and row in (FIRST, RECIPE, AVERAGED):
        report["test"] = measured(options, folder, "test", *averaged)
    return report


def spread(values):
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values) if len(values) > 1 else 0:.3f}"


def lines_written(path):
    """Of a configuration or a script, without empty lines, comments and what Python keeps as documentation."""
    text = path.read_text()
    if path.suffix == ".py":
        text = ast.unparse(without_docstrings(ast.parse(text)))  # a statement on one line, however long it is
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body = node.body[1:]
    return tree


def table(figures, start):
    """Rows beside the one that they are changes of."""
    lines = ["", "| training | seeds | validation IoU | difference | seconds |", "| --- | --- | --- | --- | --- |"]
    start = [one["val"] for one in figures.get(start, [])]
    for row, each in figures.items():
        values = [one["val"] for one in each]
        difference = f"{statistics.mean(values) - statistics.mean(start):+.3f}" if start else ""
        # Others may have used the machine during some.
        seconds = min((one["seconds"] for one in each if one["seconds"]), default=math.nan)
        name = each[0].get("program", row)
        seeds = ", ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {name} | {seeds} | {spread(values)} | {difference} | {seconds:.0f} |")
    return lines


def markdown(options, figures, about):
    lines = ["# A recipe for smoke on GOES-16 tiles, and what its parts are worth", "",
             f"{options.where or about['machine']}; plume {about['commit']}; `{about['command']}`", "",
             "IoU of smoke on the validation split at threshold 0.5, over all of its pixels, with the weights of the",
             "best validation: the mean and deviation over seeds. **The labels are a teacher model's, not a human's**,",
             "and few: one tile holds most of what the validation split has."]  # fmt: skip
    lines += table({row: each for row, each in figures.items() if row in WHOLE}, RECIPE)
    start = SHORTENED if options.steps else RECIPE
    length = f" with {options.steps} steps" if options.steps else ""
    compared = {row: figures[row] for row in (start, *CHANGES) if row in figures}
    if len(compared) > 1:
        lines += ["", f"The recipe{length}, and the same with one thing changed:"]
        lines += table(compared, start)
    tested = {row: [one["test"] for one in each] for row, each in figures.items() if all("test" in one for one in each)}
    if tested:
        lines += ["", "The test split, on which nothing above was chosen:", "",
                  "| training | seeds | test IoU |", "| --- | --- | --- |"]  # fmt: skip
        for row, values in tested.items():
            lines.append(f"| {row} | {', '.join(f'{value:.3f}' for value in values)} | {spread(values)} |")
    if SMP in figures:
        script = ROOT / "bench" / "peers" / "train_smp.py"
        lines += ["", f"The recipe{length}, and the same by segmentation_models.pytorch; seconds of training:"]
        lines += table({row: figures[row] for row in (start, SMP) if row in figures}, start)
        lines += ["", f"A user of plume writes {lines_written(CONFIGS[RECIPE])} lines of configuration for this, one",
                  f"of segmentation_models.pytorch {lines_written(script)} statements of Python ({script.name}). Its",
                  "Unet has no encoder without a classifier: the script puts plain convolutions under its decoder, of",
                  f"which up-sampling takes the nearest pixel; {figures[SMP][0]['parameters']:,} parameters. All else is",
                  "the recipe's. plume's seconds include its start and its report."]  # fmt: skip
    return "\n".join([*lines, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plume", default=str(ROOT / "build" / "bin" / "plume"))
    parser.add_argument("--shard", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, metavar="ROW", help="; ".join(ROWS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, help="of what is compared with one change; by default the recipe's")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="f32")
    parser.add_argument(
        "--smp", help="the Python that has segmentation_models.pytorch; without it that row is left out"
    )
    parser.add_argument("--test", action="store_true", help="read the test split too")
    parser.add_argument("--where", help="the machine, where /proc/cpuinfo does not say what matters")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    figures = {}
    for row in options.rows:
        if (row == SMP and not options.smp) or (row == SHORTENED and not options.steps):
            continue
        for seed in options.seeds:
            figures.setdefault(row, []).append(measure(options, row, seed))
            print(row, seed, figures[row][-1], flush=True)
    about = circumstances()
    about["commit"] = ", ".join(commits(options)) or about["commit"]
    text = markdown(options, figures, about)
    print(text)
    if options.out:
        options.out.with_suffix(".md").write_text(text)
        rows = []
        first = figures.get(FIRST)
        for row, each in figures.items():
            for key in ("val", "test"):
                if not all(key in one for one in each):
                    continue
                ours = statistics.mean(one[key] for one in each)
                peer = (
                    statistics.mean(one[key] for one in first) if first and all(key in one for one in first) else None
                )
                rows.append({"work": f"{row}: {key} IoU, teacher labels", "ours": ours, "peer": peer}
                            | {"ratio": ours / peer if peer else None, "at_least": None, "unit": "IoU"}
                            | {"seeds": each} | about)  # fmt: skip
        options.out.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
