"""The tables of cpu.py's results, for people."""
import statistics

HEADS = {
    "training": ("Training steps on the CPU, plume and its best peer",
                 "A training step is forward, loss, backward and AdamW."),
    "inference": ("Inference on the CPU, plume and its best peer", "From normalised pixels to probabilities."),
    "memory": ("Memory of training on the CPU, plume and PyTorch",
               "The most that a process held (ru_maxrss) after some training steps, a process for each setting; in\n"
               "brackets what PyTorch held beyond its imported library, listed only."),
    "start": ("From process start to the first mask on the CPU",
              "Wall time of a whole process that reads one tile (.npy) and writes what it found (.npy): `plume predict`\n"
              "and bench/peers/first_mask.py. Asked against PyTorch; other engines stand in brackets. Less one\n"
              "inference: the same less the median of `plume bench infer`, against a limit."),
    "int8": ("Inference in 8 bits and in f32 on the CPU",
             "plume against itself: `plume bench infer --precision int8` and f32, pixels to probabilities."),
    "threads": ("Two threads against one", "Each pinned to as many cores."),
}


def spread(values):
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def markdown(group, rows, options):
    title, what = HEADS[group]
    first = rows[0]
    unit = {"ms": "Milliseconds", "MiB": "MiB"}[first["unit"]]
    lines = [f"# {title}", "", f"{first['machine']}; plume {first['commit']}; `{first['command']}`", ""]
    lines += [what, f"{unit}, less is better: median (lowest to highest) of up to {options.rounds} rounds."]
    lines += ["Programs in turn, 256x256, 6 bands; f32 where nothing else is said; classic U-Nets have depth 4."]
    if group in ("training", "inference", "memory"):
        lines += ["All have the same weights; their probabilities agreed to 1e-3. The peer is the setting with the best"]
        lines += ["median."]
    lines += [""]
    lines += ["| work | plume | best peer | its setting | ratio | asked |", "| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        ours = next(iter(row["rounds"].values()))
        peer = spread(row["rounds"][row["best_peer"]])
        lines.append(f"| {row['work']} | {spread(ours)} | {peer} | {row['best_peer']} | {row['ratio']:.2f} | "
                     f"{row['at_least']:.2f} |")
    lines += ["", "## All settings", "", "Not near the best in the first two rounds: not measured again.", ""]
    for row in rows:
        lines += [row["work"], "", f"| setting | {row['unit']} |", "| --- | --- |"]
        ordered = sorted(row["rounds"].items(), key=lambda item: statistics.median(item[1]))
        lines += [f"| {setting} | {spread(values)} |" for setting, values in ordered] + [""]
    return "\n".join(lines)
