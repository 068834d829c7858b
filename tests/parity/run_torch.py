#!/usr/bin/env python3
"""Trains a plume checkpoint in PyTorch for a few steps and records what plume must reproduce.

Reads   --model    safetensors; metadata "plume.graph"; tensors by parameter name, PyTorch layouts
        --batches  safetensors; images f32 [B, N, H, W, C], labels u8 [B, N, H, W] (255: ignored); used in turn
Writes  --out      safetensors; of the first step forward/<layer> (NHWC), gradient/<parameter> and, of the same family
                   written by hand, family/logits; loss [steps] f64; after the last step parameter/<name> (running
                   statistics too). Metadata "recipe": the options as JSON
"""
import argparse
import json

import safetensors_numpy as safetensors
import torch
from families import handwritten
from torch.nn import functional as F
from torch_graph import GraphNetwork

IGNORE = 255


def loss_of(logits, labels, kind):
    """Cross-entropy, mean over the labelled pixels; bce_dice adds 1 - soft Dice over the whole batch."""
    if kind == "cross_entropy":
        return F.cross_entropy(logits, labels.long(), ignore_index=IGNORE)
    known = labels != IGNORE
    logits, target = logits[:, 0][known], labels[known].to(logits.dtype)
    loss = F.binary_cross_entropy_with_logits(logits, target)
    if kind == "bce_dice":
        probability = torch.sigmoid(logits)
        loss = loss + 1 - (2 * (probability * target).sum() + 1) / (probability.sum() + target.sum() + 1)
    return loss


def make_optimizer(parameters, options):
    if options.optimizer == "adamw":
        betas = (options.beta1, options.beta2)
        return torch.optim.AdamW(parameters, options.lr, betas, options.epsilon, options.weight_decay)
    return torch.optim.SGD(
        parameters, options.lr, options.momentum, weight_decay=options.weight_decay, nesterov=options.nesterov
    )


def record(model, metadata, batches, options):
    """The recorded tensors, as {name: array}."""
    dtype = getattr(torch, options.dtype)
    graph = json.loads(metadata["plume.graph"])
    network = GraphNetwork(graph)
    weights = {name: torch.from_numpy(array) for name, array in model.items()}
    missing, surplus = network.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or surplus:
        raise SystemExit(f"parameters missing {missing}, surplus {surplus}")
    family = handwritten(graph, weights)
    network.to(dtype).train()
    optimizer = make_optimizer(network.parameters(), options)

    recorded, losses = {}, []
    for step in range(options.steps):
        turn = step % len(batches["images"])
        # Contiguous NCHW: PyTorch's channels-last batch norm sums in plain f32 and is 100 times less exact.
        images = torch.from_numpy(batches["images"][turn]).to(dtype).permute(0, 3, 1, 2).contiguous()
        outputs = network(images)
        loss = loss_of(outputs[network.layers[-1]["name"]], torch.from_numpy(batches["labels"][turn]), options.loss)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            if family is not None:
                recorded["family/logits"] = family.to(dtype)(images).detach().permute(0, 2, 3, 1)
            for layer in network.layers:
                recorded[f"forward/{layer['name']}"] = outputs[layer["name"]].detach().permute(0, 2, 3, 1)
            for name, parameter in network.named_parameters():
                recorded[f"gradient/{name}"] = parameter.grad.clone()
        optimizer.step()
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            recorded[f"parameter/{name}"] = value
    arrays = {name: value.to(getattr(torch, options.store)).numpy() for name, value in recorded.items()}
    arrays["loss"] = torch.tensor(losses, dtype=torch.float64).numpy()
    return arrays


def note(options):
    """What a replay needs to know, as metadata of the record."""
    keys = ("optimizer", "steps", "lr", "momentum", "nesterov", "weight_decay", "beta1", "beta2", "epsilon", "loss")
    return {"torch": torch.__version__, "recipe": json.dumps({key: getattr(options, key) for key in keys})}


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag in ("--model", "--batches", "--out"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--loss", choices=("bce", "bce_dice", "cross_entropy"), default="bce")
    parser.add_argument("--optimizer", choices=("sgd", "adamw"), default="sgd")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--nesterov", action="store_true")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float64", help="computed in")
    parser.add_argument("--store", choices=("float32", "float64"), default="float32", help="tensors recorded as")
    defaults = {"lr": 0.01, "momentum": 0.9, "weight-decay": 0.0, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=float, default=value)
    return parser.parse_args(argv)


def main():
    options = arguments()
    torch.set_num_threads(2)
    model, metadata = safetensors.load(options.model)
    batches, _ = safetensors.load(options.batches)
    safetensors.save(options.out, record(model, metadata, batches, options), note(options))


if __name__ == "__main__":
    main()
