"""Runs any plume graph (the JSON text in a checkpoint's metadata) with PyTorch's own layers.

Parameter names are the checkpoint's: "<layer>.weight", "<layer>.bias", "<layer>.running_mean", "<layer>.running_var".
"""
import torch
from torch import nn
from torch.nn import functional as F


class PaddedConv(nn.Conv2d):
    """A convolution whose {top, left, bottom, right} zeros need not be equal."""

    def __init__(self, inputs, layer):
        super().__init__(inputs, layer["channels"], layer["kernel"], layer["stride"], bias=layer["bias"])
        top, left, bottom, right = layer["pad"]
        self.edges = (left, right, top, bottom)

    def forward(self, x):
        return super().forward(F.pad(x, self.edges))


class CroppedConvTranspose(nn.ConvTranspose2d):
    """A transposed convolution whose full output is cropped by {top, left, bottom, right}."""

    def __init__(self, inputs, layer):
        super().__init__(inputs, layer["channels"], layer["kernel"], layer["stride"], bias=layer["bias"])
        self.crop = layer["pad"]

    def forward(self, x):
        y = super().forward(x)
        top, left, bottom, right = self.crop
        return y[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that can feed running_var the biased batch variance."""

    def __init__(self, inputs, layer):
        super().__init__(inputs, layer["epsilon"], layer["momentum"])
        self.unbiased = layer["unbiased_variance"]

    def forward(self, x):
        kept = (1 - self.momentum) * self.running_var
        y = super().forward(x)
        if self.training and not self.unbiased:
            count = x.numel() / x.shape[1]
            self.running_var.copy_(kept + (self.running_var - kept) * (count - 1) / count)
        return y


WITH_PARAMETERS = {"conv2d": PaddedConv, "conv_transpose2d": CroppedConvTranspose, "batch_norm": BatchNorm}
WITHOUT_PARAMETERS = {
    "relu": F.relu,
    "max_pool": lambda x: F.max_pool2d(x, 2),
    "upsample_nearest": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
    "upsample_bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
    "upsample_aligned": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "concat": lambda *x: torch.cat(x, 1),
    "add": lambda a, b: a + b,
}
DEFAULTS = {"kernel": 1, "stride": 1, "pad": (0, 0, 0, 0), "bias": False}
DEFAULTS |= {"epsilon": 1e-5, "momentum": 0.1, "unbiased_variance": True}


class GraphNetwork(nn.Module):
    """forward(NCHW images) returns {layer name: output}; the last layer's are the logits."""

    def __init__(self, graph):
        super().__init__()
        self.layers, self.operators = graph["layers"], {}
        channels = {"input": graph["input"]["bands"]}
        for layer in self.layers:
            inputs = [channels[name] for name in layer["inputs"]]
            if layer["kind"] in WITH_PARAMETERS:
                operator = WITH_PARAMETERS[layer["kind"]](inputs[0], DEFAULTS | layer)
                self.register(layer["name"], operator)
            else:
                operator = WITHOUT_PARAMETERS[layer["kind"]]
            self.operators[layer["name"]] = operator
            channels[layer["name"]] = layer.get("channels") or (sum(inputs) if layer["kind"] == "concat" else inputs[0])

    def register(self, name, operator):
        """Nests the module so that state_dict spells the layer's dotted name."""
        *parents, leaf = name.split(".")
        owner = self
        for parent in parents:
            if parent not in owner._modules:
                owner.add_module(parent, nn.Module())
            owner = owner._modules[parent]
        owner.add_module(leaf, operator)

    def forward(self, x):
        outputs = {"input": x}
        for layer in self.layers:
            outputs[layer["name"]] = self.operators[layer["name"]](*(outputs[name] for name in layer["inputs"]))
        return outputs
