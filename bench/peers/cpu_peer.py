#!/usr/bin/env python3
"""One work done by every library that this Python has: prints {"setting": milliseconds} and the libraries' versions.

    python3 bench/peers/cpu_peer.py train 32 1     # training step of the classic U-Net of base 32, batch 1, 256x256
    python3 bench/peers/cpu_peer.py infer 32 1

cpu.py runs it, once a round. The median of the repeats counts, after as many as compilers and autotuners need.
"""
import argparse
import io
import json
import pathlib
import resource
import statistics
import sys
import time

BANDS, DEPTH, EDGE = 6, 4, 256


def measure(body, repeats):
    for _ in range(3):
        body()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def compiles(torch):
    return hasattr(torch, "compile")


def train(torch, network_of, batch, repeats):
    from torch.nn import functional as F
    for compiled in ([False, True] if compiles(torch) else [False]):
        for name in ("contiguous_format", "channels_last"):
            layout = getattr(torch, name)
            network = network_of().to(memory_format=layout).train()
            optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
            images = torch.randn(batch, BANDS, EDGE, EDGE).contiguous(memory_format=layout)
            labels = (torch.rand(batch, 1, EDGE, EDGE) < 0.5).float()
            forward = torch.compile(network) if compiled else network

            def step():
                loss = F.binary_cross_entropy_with_logits(forward(images), labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                return loss.item()

            yield f"PyTorch {'compiled' if compiled else 'eager'} {name}", measure(step, repeats)


def infer(torch, network_of, batch, repeats, threads):
    network = network_of().eval()
    images = torch.randn(batch, BANDS, EDGE, EDGE)
    with torch.no_grad():
        for name in ("contiguous_format", "channels_last"):
            layout = getattr(torch, name)
            laid = network_of().to(memory_format=layout).eval()
            x = images.contiguous(memory_format=layout)
            yield f"PyTorch eager {name}", measure(lambda: torch.sigmoid(laid(x)), repeats)
            frozen = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(laid, x)))
            yield f"PyTorch frozen {name}", measure(lambda: torch.sigmoid(frozen(x)), repeats)
            if compiles(torch):
                compiled = torch.compile(laid)
                yield f"PyTorch compiled {name}", measure(lambda: torch.sigmoid(compiled(x)), repeats)
    model = onnx_of(torch, network, images)
    if model:
        yield from infer_onnx(model, images.numpy(), repeats, threads)


def onnx_of(torch, network, images):
    """The model's bytes; nothing where PyTorch cannot export it."""
    try:
        file = io.BytesIO()
        legacy = {"dynamo": False} if compiles(torch) else {}
        torch.onnx.export(network, images, file, input_names=["x"], output_names=["y"], **legacy)
        return file.getvalue()
    except (ImportError, ModuleNotFoundError) as error:
        print(f"no ONNX export: {error}", file=sys.stderr)
        return None


def infer_onnx(model, images, repeats, threads):
    try:
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        yield f"ONNX Runtime {onnxruntime.__version__}", measure(lambda: session.run(None, {"x": images}), repeats)
    except ModuleNotFoundError:
        pass
    try:
        import openvino
        core = openvino.Core()
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(core.read_model(io.BytesIO(model)), "CPU", settings)
        yield f"OpenVINO {openvino.__version__.split('-')[0]}", measure(lambda: compiled([images]), repeats)
    except ModuleNotFoundError:
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=("train", "infer"))
    parser.add_argument("base", type=int)
    parser.add_argument("batch", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "parity"))
    import torch
    from torch_unet import ClassicUNet
    torch.set_num_threads(options.threads)

    def network_of():
        return ClassicUNet(BANDS, 1, options.base, DEPTH)

    if options.work == "train":
        results = train(torch, network_of, options.batch, options.repeats)
    else:
        results = infer(torch, network_of, options.batch, options.repeats, options.threads)
    report = {name.replace("PyTorch", f"PyTorch {torch.__version__}"): time for name, time in results}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"milliseconds": report, "peak_mebibytes": peak}))


if __name__ == "__main__":
    main()
