#!/usr/bin/env python3
"""Makes tests/golden/losses.safetensors: what PyTorch, segmentation_models.pytorch and MONAI compute of the same pixels.

    python3 tests/parity/make_losses.py tests/golden/losses.safetensors

Needs torch, and the packages segmentation-models-pytorch (0.6) and monai (1.6), of which only the losses are loaded.
For each case there are CASE.value and CASE.gradient, by the logits; CASE begins with "binary" or "classes". Computed in
double, stored in f32.
"""
import importlib.util
import pathlib
import sys

import numpy as np
import safetensors_numpy as safetensors
import torch
from torch.nn import functional

IMAGES, EDGE, CLASSES, IGNORE = 2, 12, 4, 255
WEIGHTS = {2: [0.5, 3.0], CLASSES: [0.5, 3.0, 1.0, 2.0]}


def losses_of_smp():
    """The package's folder of losses alone: the package itself wants encoders."""
    folder = pathlib.Path(importlib.util.find_spec("segmentation_models_pytorch").submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location("smp_losses", folder / "losses/__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["smp_losses"] = module
    spec.loader.exec_module(module)
    return module


def weighted_mean(each, labels, weights):
    """The mean of a loss per pixel by the weight of the pixel's label."""
    by_pixel = torch.tensor(weights, dtype=each.dtype)[labels]
    return (each * by_pixel).sum() / by_pixel.sum()


def binary_cases(smp, labels):
    counted = labels != IGNORE
    truth = labels[counted]

    # smp's Dice adds its smooth to half of what others have above and below.
    def pixels(z):  # those that count, in a row, for losses that do not know of ignored ones
        return z[:, 0][counted]

    def plain(z, **options):
        return functional.binary_cross_entropy_with_logits(pixels(z), truth.double(), **options)

    return {
        "bce": plain,
        "bce_smoothed": lambda z: smp.SoftBCEWithLogitsLoss(smooth_factor=0.05)(pixels(z), truth.double()),
        "bce_weighted": lambda z: weighted_mean(plain(z, reduction="none"), truth, WEIGHTS[2]),
        "dice": lambda z: smp.DiceLoss("binary", smooth=0.5, ignore_index=IGNORE)(z, labels),
        "focal": lambda z: smp.FocalLoss("binary", gamma=2.0)(pixels(z), truth),
        "focal_1.5": lambda z: smp.FocalLoss("binary", gamma=1.5, ignore_index=IGNORE)(z, labels[:, None]),
        "tversky": lambda z: smp.TverskyLoss("binary", smooth=1.0, alpha=0.3, beta=0.7, ignore_index=IGNORE)(z, labels),
        "tversky_0.75": lambda z: smp.TverskyLoss("binary", smooth=1.0, alpha=0.3, beta=0.7, gamma=0.75,
                                                  ignore_index=IGNORE)(z, labels),
        "lovasz": lambda z: smp.LovaszLoss("binary", ignore_index=IGNORE)(z, labels),
    }


def class_cases(smp, labels):
    from monai.losses import FocalLoss, TverskyLoss

    counted = labels != IGNORE
    truth = labels[counted]

    def pixels(z):
        return z.movedim(1, -1)[counted]

    def one_image(z):  # [1, CLASSES, pixels, 1], as MONAI wants them
        return pixels(z).T[None, :, :, None], truth[None, None, :, None]

    def cross_entropy(z, **options):
        return functional.cross_entropy(z, labels, ignore_index=IGNORE, **options)

    def ordinal(z):
        """-log P(level > border), or <=, by sums of exponentials."""
        flat, every = pixels(z), torch.logsumexp(pixels(z), 1)
        sides = [torch.where(truth > border, torch.logsumexp(flat[:, border + 1:], 1),
                             torch.logsumexp(flat[:, : border + 1], 1)) for border in range(CLASSES - 1)]
        return torch.stack([every - side for side in sides]).mean()

    return {
        "cross_entropy": cross_entropy,
        "cross_entropy_smoothed": lambda z: cross_entropy(z, label_smoothing=0.1),
        "cross_entropy_weighted": lambda z: cross_entropy(z, weight=torch.tensor(WEIGHTS[CLASSES]).double()),
        "dice": lambda z: smp.DiceLoss("multiclass", smooth=0.5, ignore_index=IGNORE)(z, labels),
        "focal": lambda z: FocalLoss(to_onehot_y=True, use_softmax=True, gamma=2.0, reduction="sum")(*one_image(z)),
        "tversky": lambda z: smp.TverskyLoss("multiclass", smooth=1.0, alpha=0.3, beta=0.7,
                                             ignore_index=IGNORE)(z, labels),
        "tversky_of_monai": lambda z: TverskyLoss(to_onehot_y=True, softmax=True, alpha=0.3, beta=0.7, smooth_nr=1.0,
                                                  smooth_dr=1.0, batch=True)(*one_image(z)),
        "lovasz": lambda z: smp.LovaszLoss("multiclass", ignore_index=IGNORE)(z, labels),
        "ordinal": ordinal,
    }


def main(target):
    torch.Tensor.float = torch.Tensor.double  # smp's Lovasz casts to single precision on its way
    random, smp, tensors = np.random.default_rng(3), losses_of_smp(), {}
    for kind, channels, cases in (("binary", 1, binary_cases), ("classes", CLASSES, class_cases)):
        logits = (2 * random.standard_normal((IMAGES, EDGE, EDGE, channels))).astype(np.float32)
        labels = random.integers(0, max(channels, 2), (IMAGES, EDGE, EDGE))
        labels[:, :2, :3] = IGNORE
        tensors |= {f"{kind}.logits": logits, f"{kind}.labels": labels}
        for name, loss in cases(smp, torch.from_numpy(labels)).items():
            z = torch.from_numpy(logits).double().movedim(-1, 1).clone().requires_grad_()
            value = loss(z)
            value.backward()
            tensors[f"{kind}.{name}.value"] = value.detach().numpy().reshape(1)
            tensors[f"{kind}.{name}.gradient"] = z.grad.movedim(1, -1).numpy()
    safetensors.save(target, {name: array.astype(np.float32) for name, array in tensors.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
