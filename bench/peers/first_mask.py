"""From process start to the first mask, as little as each library needs: first_mask.py LIBRARY FOLDER THREADS OUT.npy

FOLDER is subject.py's, with model.onnx beside the model for ONNX Runtime and OpenVINO; the tile is its first.
"""
import sys

import numpy as np


def pytorch(folder, threads):
    import subject
    import torch

    torch.set_num_threads(threads)
    network, tile = subject.load_module(folder), torch.from_numpy(subject.load_tiles(folder, 1))
    with torch.no_grad():
        return torch.sigmoid(network(tile)).numpy()


def onnx_runtime(folder, threads):
    import onnxruntime
    import subject

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", settings, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": subject.load_tiles(folder, 1)})[0]


def openvino(folder, threads):
    import openvino
    import subject

    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(f"{folder}/model.onnx", "CPU", settings)
    return compiled([subject.load_tiles(folder, 1)])[0]


LIBRARIES = {"PyTorch": pytorch, "ONNX Runtime": onnx_runtime, "OpenVINO": openvino}

if __name__ == "__main__":
    library, model_folder, count, out = sys.argv[1:]
    np.save(out, LIBRARIES[library](model_folder, int(count)) > 0.5)
