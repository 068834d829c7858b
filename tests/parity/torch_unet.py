"""Both U-Net families written by hand in PyTorch's own words: the independent witness of what plume builds.

Parameter names are plume's, so that a state_dict and a plume checkpoint exchange weights by name.
Forward takes NCHW images and returns logits.
"""
import torch
from torch import nn
from torch.nn import functional as F


class DoubleConv(nn.Module):
    """Twice conv 3x3, batch norm, ReLU. No bias before batch norm: the norm would take it away again."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()

    def forward(self, x):
        x = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(x)))


class ClassicUNet(nn.Module):
    """Ronneberger et al. 2015 with padding and batch norm: widths base, 2 base, ..., depth poolings."""

    def __init__(self, bands, classes=1, base=64, depth=4, up="transposed"):
        super().__init__()
        self.depth, self.up = depth, up
        widths = [base << level for level in range(depth + 1)]
        for level, width in enumerate(widths):
            self.add_module(f"enc{level}", DoubleConv(bands if level == 0 else widths[level - 1], width))
        for level in reversed(range(depth)):
            below = widths[level + 1]
            if up == "transposed":
                self.add_module(f"up{level}", nn.ConvTranspose2d(below, widths[level], 2, stride=2))
                below = widths[level]
            self.add_module(f"dec{level}", DoubleConv(widths[level] + below, widths[level]))
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        skips = []
        for level in range(self.depth + 1):
            if level > 0:
                x = F.max_pool2d(x, 2)
            x = getattr(self, f"enc{level}")(x)
            skips.append(x)
        for level in reversed(range(self.depth)):
            if self.up == "transposed":
                x = getattr(self, f"up{level}")(x)
            else:
                x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = getattr(self, f"dec{level}")(torch.cat([skips[level], x], 1))
        return self.head(x)


class NormConv(nn.Module):
    """Batch norm, conv 3x3, ReLU; with up=True the convolution is transposed, 3x3 stride 2, TensorFlow's 'same'."""

    def __init__(self, inputs, outputs, up=False):
        super().__init__()
        self.up = up
        # Keras's momentum 0.01 (running = 0.01 old + 0.99 batch) is PyTorch's 0.99.
        self.norm = nn.BatchNorm2d(inputs, eps=1e-3, momentum=0.99)
        self.conv = nn.ConvTranspose2d(inputs, outputs, 3, stride=2) if up else nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x):
        y = self.conv(self.norm(x))
        # 'same' keeps 2H of the 2H + 1 rows, and so for columns: nothing cropped at top and left.
        return F.relu(y[:, :, :-1, :-1] if self.up else y)


class PixelDetector(nn.Module):
    """NASA-IMPACT pixel-detector's U-Net of constant width (the shipped models: width 24, 2 or 4 poolings)."""

    def __init__(self, bands, classes=1, width=24, depth=4, wide=32):
        super().__init__()
        self.stem = nn.Conv2d(bands, width, 3, padding=1)
        # The stem is level 0's first unit; a level's skip is the output of its second.
        self.down = nn.ModuleList(
            nn.ModuleList(NormConv(width, width) for _ in range(2 if level == 0 else 3)) for level in range(depth)
        )
        self.bottom = nn.Sequential(NormConv(width, width), NormConv(width, width))
        self.up = nn.ModuleList(
            nn.ModuleList([NormConv(width, width, up=True), NormConv(2 * width, wide), NormConv(wide, width)])
            for _ in range(depth)
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        x = F.relu(self.stem(x))
        skips = []
        for units in self.down:
            *before, last = units
            for unit in before:
                x = unit(x)
            skips.append(x)
            x = F.max_pool2d(last(x), 2)
        x = self.bottom(x)
        for (up, widen, narrow), skip in zip(self.up, reversed(skips)):
            x = narrow(widen(torch.cat([up(x), skip], 1)))
        return self.head(x)
