#!/usr/bin/env python3
"""The peer of bench/gpu: the same networks and batches in PyTorch on the GPU, set up as well as PyTorch can be.

    gpu_torch.py --out torch.json [--work training inference] [--seconds 140]

Training: channels_last, autocast to bf16, fused AdamW; eager, and compiled with the whole step in one CUDA graph.
Inference and latency: bf16 weights, torch.compile(mode="max-autotune"). Batches are on the GPU already. Every figure is
written as soon as it is there, and no new one is begun after so many seconds: compilation takes long.
"""
import argparse
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests" / "parity")]
import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch_unet import ClassicUNet  # noqa: E402

BANDS, EDGE, BATCH = 6, 256, 16
IN_A_ROW, ROUNDS = 10, 10


def make_network(base, **options):
    return ClassicUNet(BANDS, 1, base, 4).to("cuda", memory_format=torch.channels_last, **options)


def make_images(batch, **options):
    return torch.randn(batch, BANDS, EDGE, EDGE, device="cuda", **options).contiguous(memory_format=torch.channels_last)


def median_seconds(body, in_a_row):
    """Of one `body`; the host waits once for `in_a_row` of them."""
    for _ in range(3):
        body()
    times = []
    for _ in range(ROUNDS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(in_a_row):
            body()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) / in_a_row)
    return statistics.median(times)


class Training:
    def __init__(self, base, compiled):
        self.network = make_network(base).train()
        self.optimizer = torch.optim.AdamW(self.network.parameters(), fused=True, capturable=compiled)
        self.forward = torch.compile(self.network) if compiled else self.network
        self.images = make_images(BATCH)
        self.labels = (torch.rand(BATCH, 1, EDGE, EDGE, device="cuda") < 0.5).float()

    def __call__(self):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16):
            logits = self.forward(self.images)
        F.binary_cross_entropy_with_logits(logits.float(), self.labels).backward()
        self.optimizer.step()

    def recorded(self):
        """The whole step as one CUDA graph's replay."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self()
        return graph.replay


def device_bytes(before):
    """What the device has given since: as plume's benchmark counts its own."""
    torch.cuda.synchronize()
    return (before - torch.cuda.mem_get_info()[0]) / BATCH


def train_eager(base):
    before = torch.cuda.mem_get_info()[0]
    torch.cuda.reset_peak_memory_stats()
    seconds = median_seconds(Training(base, compiled=False), IN_A_ROW)
    return {"images_per_second": BATCH / seconds, "bytes_per_image": device_bytes(before),
            "allocated_bytes_per_image": torch.cuda.max_memory_allocated() / BATCH}


def train_compiled(base):
    return {"images_per_second": BATCH / median_seconds(Training(base, compiled=True).recorded(), IN_A_ROW)}


def inference(base, batch, in_a_row):
    network = torch.compile(make_network(base, dtype=torch.bfloat16).eval(), mode="max-autotune")
    images = make_images(batch, dtype=torch.bfloat16)

    @torch.no_grad()
    def body():
        torch.sigmoid(network(images))

    return median_seconds(body, in_a_row)


def infer(base):
    return {"images_per_second": BATCH / inference(base, BATCH, IN_A_ROW)}


def latency(base):
    return {"milliseconds": 1e3 * inference(base, 1, 1)}


# What the table needs most comes first.
CASES = {"training": [*((f"train/base:{base}/eager", train_eager, base) for base in (64, 32, 16)),
                      *((f"train/base:{base}/compiled", train_compiled, base) for base in (64, 32, 16))],
         "inference": [("infer/base:64", infer, 64), ("latency/base:64", latency, 64),
                       ("infer/base:32", infer, 32), ("latency/base:32", latency, 32)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--work", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seconds", type=float, default=140)
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    report = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
              "gpu": torch.cuda.get_device_name(), "results": {}}
    start = time.perf_counter()
    for name, measure, base in (case for work in options.work for case in CASES[work]):
        if time.perf_counter() - start > options.seconds:
            print(f"{name}: no time left")
            continue
        try:
            torch.compiler.reset()
            torch.cuda.empty_cache()
            report["results"][name] = measure(base)
        except Exception as error:  # a peer that fails must not hide the others
            report["results"][name] = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(name, report["results"][name], flush=True)
        options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
