#!/usr/bin/env python3
"""Shows in the compiler's output that kernels use the instructions that they are written for: instructions_test.py PTX...

Pointwise kernels move 16 bytes at a time, convolutions multiply on the tensor cores and fill shared memory in the
background. ptxas translates these one to one: ld.global.v4 to LDG.E.128, mma.sync to HMMA, cp.async to LDGSTS. No files:
built without CUDA, and skipped.
"""
import re
import subprocess
import sys

SKIPPED = 77

LOAD, STORE, ASYNC_COPY, BF16_PRODUCT, TF32_PRODUCT = INSTRUCTIONS = {
    "16-byte load": r"ld\.global\.(?:nc\.)?v4\.[fub]32",
    "16-byte store": r"st\.global\.v4\.[fub]32",
    "cp.async": r"cp\.async\.cg\.shared\.global \[[^]]*\], \[[^]]*\], 16",
    "mma.sync bf16": r"mma\.sync\.aligned\.m16n8k16\.row\.col\.f32\.bf16\.bf16\.f32",
    "mma.sync tf32": r"mma\.sync\.aligned\.m16n8k8\.row\.col\.f32\.tf32\.tf32\.f32",
}

# Kernels, by their demangled names, and what each must have; every pattern must find a kernel. Packs are of 4 floats or
# 8 bf16, and the forms for single elements have no wide access to show.
REQUIRED = [
    (r"\bmap_kernel<4, float, ", [LOAD, STORE]),
    (r"\bmap_kernel<8, plume::bf16, ", [LOAD, STORE]),
    (r"\bnormalize_kernel<(?:4, float|8, plume::bf16)>", [LOAD, STORE]),
    (r"\bnormalize_pool_kernel<(?:4, float|8, plume::bf16)>", [LOAD, STORE]),
    (r"\bupdate_kernel<4, ", [LOAD, STORE]),
    (r"\bbinary_pass<(?:float|plume::bf16), plume::kernels::BceBody<float>, true>", [LOAD, STORE]),
    (r"\bgather_kernel<\S*Bf16Products, ", [ASYNC_COPY, BF16_PRODUCT, STORE]),
    (r"\bcorrelate_kernel<\S*Bf16Products, ", [ASYNC_COPY, BF16_PRODUCT]),
    (r"\bgather_kernel<\S*Tf32Products, ", [ASYNC_COPY, TF32_PRODUCT, STORE]),
]


def kernels(path):
    """{demangled name: PTX} of the entries of a file."""
    with open(path, encoding="ascii") as file:
        parts = re.split(r"^(?:\.visible |\.weak )?\.entry (\w+)\(", file.read(), flags=re.MULTILINE)
    names = subprocess.run(["c++filt"], input="\n".join(parts[1::2]), capture_output=True, text=True, check=True)
    return {name.replace("(anonymous namespace)::", ""): body
            for name, body in zip(names.stdout.splitlines(), parts[2::2])}


def main(paths):
    if not paths:
        print("instructions_test: Skipped\nbuilt without CUDA\n")
        return SKIPPED
    everything = {}
    for path in paths:
        everything |= kernels(path)
    failed = False
    for pattern, needed in REQUIRED:
        found = {name: body for name, body in everything.items() if re.search(pattern, name)}
        if not found:
            print(f"FAILED: no kernel {pattern}")
            failed = True
        for name, body in found.items():
            counts = [len(re.findall(INSTRUCTIONS[instruction], body)) for instruction in needed]
            failed |= 0 in counts
            short = re.sub(r"plume::(?:kernels::)?(?:cuda::)?|^void ", "", name).partition("(")[0]
            shown = ", ".join(f"{count} x {instruction}" for count, instruction in zip(counts, needed))
            print(f"{'FAILED' if 0 in counts else 'ok'}: {short}: {shown}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
