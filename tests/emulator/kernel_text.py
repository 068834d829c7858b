"""What the text of the kernels' sources says that tests must reach: files, and in them barriers, waits, masks."""

import os
import re

SITE = re.compile(r"\b(?:__syncthreads(?:_or|_and|_count)?|__syncwarp|named_barrier_(?:sync|arrive)|cp_async_wait<[^>]*>|"
                  r"__shfl(?:_up|_down|_xor)?_sync|__(?:ballot|any|all)_sync|in_bounds)\(")


def kernel_files(folder):
    """{path: text} of the .cu and .cuh files in the folder, but for those that speak nvcc's own language."""
    found = {}
    for where, _, names in os.walk(folder):
        if os.path.basename(where) == "nvcc":
            continue
        for name in names:
            if name.endswith((".cu", ".cuh")):
                path = os.path.join(where, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, folder)] = file.read()
    return found


def sites_in(path, text):
    """{"path:line:column"} of the sites in a file, with the column of the call's parenthesis, as the emulator has it."""
    return {f"{path}:{number}:{site.end()}"
            for number, line in enumerate(text.split("\n"), 1) for site in SITE.finditer(line.split("//")[0])}


def within(folder, places):
    """The places "file:line[:column]" that lie in the folder, with paths relative to it: {relative: as given}."""
    found = {}
    for place in places:
        file, rest = place.split(":", 1)
        path = os.path.relpath(os.path.realpath(file), os.path.realpath(folder))  # headers are reached through links
        if not path.startswith(".."):
            found[f"{path}:{rest}"] = place
    return found
