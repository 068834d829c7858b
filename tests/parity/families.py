"""Finds the hand-written module that a graph should equal, from the graph's sizes alone, and loads its weights."""
from torch_unet import ClassicUNet, PixelDetector


def handwritten(graph, weights):
    """The module with the checkpoint's weights ({name: tensor}), or None where the graph is of neither family."""
    layers = graph["layers"]
    bands, classes = graph["input"]["bands"], graph["classes"]
    convolutions = [layer for layer in layers if layer["kind"] == "conv2d"]
    depth = sum(layer["kind"] == "max_pool" for layer in layers)
    if layers[0]["name"] == "enc0.conv1":
        transposed = any(layer["kind"] == "conv_transpose2d" for layer in layers)
        up = "transposed" if transposed else "bilinear"
        module = ClassicUNet(bands, classes, convolutions[0]["channels"], depth, up)
        names = {name: name for name in module.state_dict()}
    elif layers[0]["name"] in ("stem", "conv2d"):  # ours, or as Keras calls the first layer of its pixel-detector
        widths = [layer["channels"] for layer in convolutions]
        module = PixelDetector(bands, classes, widths[0], depth, wide=widths[-3])
        # Its names are its own: the order of layers is the same.
        names = dict(zip(module.state_dict(), in_layer_order(layers)))
    else:
        return None
    state = module.state_dict()
    module.load_state_dict({ours: weights.get(theirs, state[ours]) for ours, theirs in names.items()})
    return module


def in_layer_order(layers):
    """Parameter names as a PyTorch state_dict would order them."""
    for layer in layers:
        if layer["kind"] == "batch_norm":
            parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        elif layer["kind"] in ("conv2d", "conv_transpose2d"):
            parts = ("weight", "bias") if layer["bias"] else ("weight",)
        else:
            parts = ()
        yield from (f"{layer['name']}.{part}" for part in parts)
