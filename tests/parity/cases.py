"""Random but well-conditioned cases for parity: initial weights, images and labels, all functions of a seed.

In single precision two right implementations may differ by 1e-2 in a gradient: where an activation lies within rounding
of a ReLU's kink, one lets the gradient through and the other does not. Hence weights scaled by fan-in, smooth images,
mostly positive offsets before each ReLU, and those offsets nudged until the first batch has no activation near zero.
"""
import numpy as np
import torch
from torch_graph import GraphNetwork

IGNORE = 255


def smooth_images(random, count, edge, bands):
    """Noise on grids of 4, edge / 4 and edge points, summed: structure at every scale a U-Net has."""
    images = np.zeros((count, edge, edge, bands))
    for points, weight in ((4, 1.0), (edge // 4, 0.5), (edge, 0.25)):
        noise = weight * random.standard_normal((count, points, points, bands))
        places = np.clip((np.arange(edge) + 0.5) * points / edge - 0.5, 0, points - 1)
        below = np.minimum(places.astype(int), points - 2)
        part = (places - below)[:, None, None]
        noise = noise[:, below] * (1 - part) + noise[:, below + 1] * part
        part = part.transpose(1, 0, 2)[0][:, None]
        images += noise[:, :, below] * (1 - part) + noise[:, :, below + 1] * part
    return images.astype(np.float32)


def make_batches(random, batches, count, edge, bands):
    """Labels follow two bands, so that the loss can fall; a corner of each image is ignored."""
    images = np.stack([smooth_images(random, count, edge, bands) for _ in range(batches)])
    labels = (images[..., 0] > images[..., 1] + 0.3).astype(np.uint8)
    labels[:, :, : edge // 8, : edge // 6] = IGNORE
    return {"images": images, "labels": labels}


def make_model(graph, random, images):
    """Initial weights by parameter name; images [N, H, W, C] are those of the first step."""
    model = {name: value.numpy().copy() for name, value in GraphNetwork(graph).state_dict().items()}
    model = {name: value for name, value in model.items() if value.dtype == np.float32}
    kinds = {layer["name"]: layer["kind"] for layer in graph["layers"]}
    before_relu = {layer["inputs"][0] for layer in graph["layers"] if layer["kind"] == "relu"}
    for name, value in model.items():
        layer, _, part = name.rpartition(".")
        if value.ndim == 4:
            # Of a transposed 2x2 or 3x3 convolution with stride 2, an output sees about one or two taps per input.
            fan_in = value.shape[0] if kinds[layer] == "conv_transpose2d" else np.prod(value.shape[1:])
            value[:] = random.standard_normal(value.shape) / np.sqrt(fan_in)
        elif part == "bias":
            value[:] = random.uniform(*((0.5, 1.5) if layer in before_relu else (-0.2, 0.2)), value.shape)
        elif part == "weight":
            value[:] = random.uniform(0.8, 1.2, value.shape)
    move_off_kinks(graph, model, images)
    return model


def move_off_kinks(graph, model, images):
    """Shifts each bias before a ReLU by a few hundredths, so that zero lies in the widest gap between activations."""
    network = GraphNetwork(graph)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in model.items()}, strict=False)
    network.double().train()
    outputs = {"input": torch.from_numpy(images).double().permute(0, 3, 1, 2).contiguous()}
    with torch.no_grad():
        for layer in graph["layers"]:
            if layer["kind"] == "relu":
                source = layer["inputs"][0]
                shifts = [-widest_gap(channel.numpy().ravel()) for channel in outputs[source].unbind(1)]
                model[f"{source}.bias"] += np.float32(shifts)
                outputs[source] += torch.tensor(shifts)[:, None, None]
            inputs = (outputs[name] for name in layer["inputs"])
            outputs[layer["name"]] = network.operators[layer["name"]](*inputs)


def widest_gap(values):
    """The middle of the widest interval near zero that holds none of the values."""
    reach = 0.05 * values.std()
    near = np.sort(values[np.abs(values) < reach])
    edges = np.concatenate([[-reach], near, [reach]])
    widest = np.argmax(np.diff(edges))
    return edges[widest : widest + 2].mean()
