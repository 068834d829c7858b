#!/usr/bin/env python3
"""plume-infer serve's peer: the same model behind Triton Inference Server, by NVIDIA's PyTriton; serve.py runs it.

    triton_peer.py model.onnx --port 8082 --threads 2    # with nvidia-pytriton and onnxruntime

Requests that wait are batched by Triton, and ONNX Runtime computes.
"""

import argparse

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])

    @batch
    def infer(x):
        images = np.ascontiguousarray(x.transpose(0, 3, 1, 2))  # the model is of one image
        outputs = [session.run(None, {"x": images[i : i + 1]})[0] for i in range(len(images))]
        return [np.ascontiguousarray(np.concatenate(outputs).transpose(0, 2, 3, 1))]

    config = TritonConfig(http_address="127.0.0.1", http_port=options.port, allow_grpc=False, allow_metrics=False)
    with Triton(config=config) as server:
        server.bind(
            "smoke",
            infer,
            inputs=[Tensor(name="x", dtype=np.float32, shape=(-1, -1, -1))],
            outputs=[Tensor(name="y", dtype=np.float32, shape=(-1, -1, -1))],
            config=ModelConfig(max_batch_size=8),
        )
        server.serve()


if __name__ == "__main__":
    main()
