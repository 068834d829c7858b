#!/usr/bin/env python3
"""Training steps on noise by PyTorch's DistributedDataParallel with gloo, as one of the ranks that mpiexec started,
or alone.

    mpiexec -n 2 -bind-to core python3 ranks_peer.py --base 32 --size 256 --batch 4 --steps 20 --port 29600

The first rank prints JSON: `step_s`, the median of the steps after a warm-up, by setting, and whether losses fell and
all ranks' weights are the same in the end. Nothing but the loss leaves a step, as in `plume bench train`.
"""
import argparse
import hashlib
import json
import os
import pathlib
import statistics
import sys
import time

import torch
from torch import distributed
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "parity"))
from torch_unet import ClassicUNet  # noqa: E402

WARM_UP = 3
BANDS = 6


def join(options):
    """(rank, ranks), by the variables of mpiexec."""
    rank, ranks = int(os.environ.get("PMI_RANK", 0)), int(os.environ.get("PMI_SIZE", 1))
    if ranks > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(options.port)}
        distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    return rank, ranks


def make_step(options, rank, ranks, compiled):
    torch.manual_seed(0)
    network = ClassicUNet(BANDS, base=options.base).to(memory_format=torch.channels_last).train()
    torch.manual_seed(1 + rank)
    images = torch.randn(options.batch, BANDS, options.size, options.size).to(memory_format=torch.channels_last)
    labels = (torch.rand(options.batch, 1, options.size, options.size) < 0.5).float()
    forward = DistributedDataParallel(network) if ranks > 1 else network
    forward = torch.compile(forward) if compiled else forward
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step():
        loss = F.binary_cross_entropy_with_logits(forward(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        value = loss.detach()
        if ranks > 1:
            distributed.all_reduce(value)  # the mean, as plume has it in every step
        return value.item() / ranks

    return network, step


def same_everywhere(network, ranks):
    if ranks == 1:
        return True
    values = b"".join(parameter.detach().numpy().tobytes() for parameter in network.parameters())
    hashes = [None] * ranks
    distributed.all_gather_object(hashes, hashlib.sha256(values).hexdigest())
    return len(set(hashes)) == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True, help="of each rank")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1, help="of each rank")
    parser.add_argument("--port", type=int, default=29600)
    parser.add_argument("--compiled", action="store_true", help="by torch.compile")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rank, ranks = join(options)
    network, step = make_step(options, rank, ranks, options.compiled)
    losses, seconds = [], []
    for _ in range(WARM_UP + options.steps):
        start = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
    verified = losses[-1] < losses[0] and same_everywhere(network, ranks)
    if rank == 0:
        print(json.dumps({"ranks": ranks, "step_s": statistics.median(seconds[WARM_UP:]), "loss_first": losses[0],
                          "loss_last": losses[-1], "verified": "PASS" if verified else "FAIL",
                          "library": f"PyTorch {torch.__version__}"}))
    if ranks > 1:
        distributed.barrier()
        sys.stdout.flush()
        os._exit(0)  # gloo's threads may keep an interpreter that ends from ending (seen with PyTorch 1.13)


if __name__ == "__main__":
    main()
