#!/usr/bin/env python3
"""Writes a U-Net in the names of https://github.com/milesial/Pytorch-UNet, as a user's state_dict, and what it gives.

    /usr/bin/python3 tests/parity/milesial.py transposed|bilinear OUT_DIRECTORY

weights.safetensors has random weights and running statistics; case.safetensors "pixels" [N, H, W, C] and "logits"
[N, H, W, classes].
"""
import pathlib
import sys

import safetensors_numpy as safetensors
import torch
from torch import nn

BANDS, CLASSES, BASE, DEPTH = 3, 2, 8, 4


class DoubleConv(nn.Module):
    def __init__(self, inputs, outputs, between=None):
        super().__init__()
        between = between or outputs
        self.double_conv = nn.Sequential(
            nn.Conv2d(inputs, between, 3, padding=1, bias=False), nn.BatchNorm2d(between), nn.ReLU(),
            nn.Conv2d(between, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(inputs, outputs))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, inputs, outputs, bilinear):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(inputs, outputs, inputs // 2)
        else:
            self.up = nn.ConvTranspose2d(inputs, inputs // 2, 2, stride=2)
            self.conv = DoubleConv(inputs, outputs)

    def forward(self, x, skip):
        return self.conv(torch.cat([skip, self.up(x)], 1))


class OutConv(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, bilinear):
        super().__init__()
        half = 2 if bilinear else 1
        widths = [BASE << level for level in range(DEPTH + 1)]
        self.inc = DoubleConv(BANDS, BASE)
        for i in range(1, DEPTH + 1):
            setattr(self, f"down{i}", Down(widths[i - 1], widths[i] // (half if i == DEPTH else 1)))
        for i in range(1, DEPTH + 1):
            level = DEPTH - i
            setattr(self, f"up{i}", Up(widths[level + 1], widths[level] // (half if level > 0 else 1), bilinear))
        self.outc = OutConv(BASE, CLASSES)

    def forward(self, x):
        skips = [self.inc(x)]
        for i in range(1, DEPTH + 1):
            skips.append(getattr(self, f"down{i}")(skips[-1]))
        x = skips.pop()
        for i in range(1, DEPTH + 1):
            x = getattr(self, f"up{i}")(x, skips.pop())
        return self.outc(x)


def main():
    kind, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    torch.manual_seed(3)
    torch.set_num_threads(1)
    model = UNet(bilinear=kind == "bilinear")
    with torch.no_grad():
        for module in model.modules():  # a network that has seen something
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.5, 0.5)
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 1.5)
        pixels = torch.randn(2, BANDS, 48, 32)
        logits = model.eval()(pixels)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    safetensors.save(directory / "weights.safetensors", state)
    case = {"pixels": pixels, "logits": logits}
    safetensors.save(
        directory / "case.safetensors", {name: value.permute(0, 2, 3, 1).numpy() for name, value in case.items()}
    )


if __name__ == "__main__":
    main()
