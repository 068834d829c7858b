#!/usr/bin/env python3
"""One work done by the libraries that this Python has, each in every setting worth trying; cpu.py runs it.

    cpu_peer.py train FOLDER --batch 4            # steps of forward, loss, backward, AdamW
    cpu_peer.py infer FOLDER --batch 1            # pixels to probabilities
    cpu_peer.py infer FOLDER --list               # names of the settings
    cpu_peer.py infer FOLDER --onnx FILE          # writes the model for other libraries

FOLDER is subject.py's. Before anything is timed, the setting's probabilities must be plume's. Prints JSON: the median
of the repeats by setting, after two runs for compilers and caches, and the process's peak memory, as soon as PyTorch is
imported and in all.
"""
import argparse
import importlib.util
import io
import json
import resource
import statistics
import time

import subject

TOLERANCE = 1e-3  # of a probability


def peak_mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(body, repeats):
    for _ in range(2):
        body()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def agree(name, probabilities, expected):
    difference = float(abs(probabilities - expected).max())
    if not difference <= TOLERANCE:
        raise SystemExit(f"{name}: probabilities part from plume's by {difference}, more than {TOLERANCE}")


def layouts(torch):
    return {name: getattr(torch, name) for name in ("contiguous_format", "channels_last")}


def compiles(torch):
    return hasattr(torch, "compile")


def training_settings(torch, options):
    """{name: a function that prepares the setting and returns what is timed}"""
    from torch.nn import functional as F

    def prepare(name, layout, compiled):
        network = subject.load_module(options.folder).to(memory_format=layout)
        images = torch.from_numpy(subject.load_tiles(options.folder, options.batch)).contiguous(memory_format=layout)
        with torch.no_grad():
            agree(name, torch.sigmoid(network(images)).numpy(), subject.load_expected(options.folder, options.batch))
        labels = (torch.rand(options.batch, 1, *images.shape[2:]) < 0.5).float()
        optimizer = torch.optim.AdamW(network.train().parameters(), lr=1e-4)
        forward = torch.compile(network) if compiled else network

        def step():
            loss = F.binary_cross_entropy_with_logits(forward(images), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    modes = {"eager": False, "compiled": True} if compiles(torch) else {"eager": False}
    return {f"PyTorch {torch.__version__} {mode} {name}":
            lambda key, layout=layout, compiled=compiled: prepare(key, layout, compiled)
            for mode, compiled in modes.items() for name, layout in layouts(torch).items()}


def with_sigmoid(torch, network):
    return torch.nn.Sequential(network, torch.nn.Sigmoid()).eval()


def onnx_of(torch, options):
    network = with_sigmoid(torch, subject.load_module(options.folder))
    images = torch.from_numpy(subject.load_tiles(options.folder, options.batch))
    file = io.BytesIO()
    legacy = {"dynamo": False} if compiles(torch) else {}
    torch.onnx.export(network, images, file, input_names=["x"], output_names=["y"], **legacy)
    return file.getvalue()


def onnx_runtime(model, images, threads):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": images})[0]


def openvino(model, images, threads):
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(io.BytesIO(model)), "CPU", settings)
    return lambda: compiled([images])[0]


def has(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def version_of(module):
    from importlib.metadata import version

    return version(module).partition("-")[0]


def inference_settings(torch, options):
    images = subject.load_tiles(options.folder, options.batch)

    def in_torch(name, layout, transform):
        network = with_sigmoid(torch, subject.load_module(options.folder)).to(memory_format=layout)
        x = torch.from_numpy(images).contiguous(memory_format=layout)
        run = transform(network, x)
        return checked(name, lambda: run(x).numpy())

    def checked(name, run):
        agree(name, run(), subject.load_expected(options.folder, options.batch))
        return run

    def frozen(network, x):
        return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, x)))

    modes = {"eager": lambda network, _: network, "frozen": frozen}
    if compiles(torch):
        modes["compiled"] = lambda network, _: torch.compile(network)
    settings = {f"PyTorch {torch.__version__} {mode} {name}":
                lambda key, layout=layout, transform=transform: in_torch(key, layout, transform)
                for mode, transform in modes.items() for name, layout in layouts(torch).items()}
    for title, module, load in (("ONNX Runtime", "onnxruntime", onnx_runtime), ("OpenVINO", "openvino", openvino)):
        if has("onnx", module):
            settings[f"{title} {version_of(module)}"] = lambda key, load=load: checked(
                key, load(onnx_of(torch, options), images, options.threads))
    return settings


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=("train", "infer"))
    parser.add_argument("folder")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--settings", nargs="+", help="of those that --list names; default: all")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--onnx", metavar="FILE")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(options.work == "train")
    imported = peak_mebibytes()
    settings = (training_settings if options.work == "train" else inference_settings)(torch, options)
    if options.list:
        print(json.dumps(list(settings)))
        return
    if options.onnx:
        with open(options.onnx, "wb") as file:
            file.write(onnx_of(torch, options))
        return
    figures = {}
    for name in options.settings or settings:
        figures[name] = measure(settings[name](name), options.repeats)
    print(json.dumps({"milliseconds": figures, "imported_mebibytes": imported, "peak_mebibytes": peak_mebibytes()}))


if __name__ == "__main__":
    main()
