"""A minimal reader and writer of safetensors files, so that the parity checks need numpy alone.

Format: 8-byte little-endian header size, JSON header, raw little-endian data
(https://github.com/huggingface/safetensors).
"""
import json
import pathlib
import struct

import numpy as np

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1", "BOOL": "|b1"}
_NAMES = {np.dtype(value): name for name, value in _DTYPES.items()}


def load(path):
    """Returns ({name: array}, {metadata key: text})."""
    content = pathlib.Path(path).read_bytes()
    (header_size,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + header_size])
    metadata = header.pop("__metadata__", {})
    data = memoryview(content)[8 + header_size :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[begin:end], _DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    return tensors, metadata


def save(path, tensors, metadata=None):
    """Writes {name: array}; the header is padded with blanks so that the data section starts 8-byte aligned."""
    header, offset, arrays = {}, 0, []
    if metadata:
        header["__metadata__"] = {key: str(value) for key, value in metadata.items()}
    for name, array in tensors.items():
        array = np.asarray(array)
        # ascontiguousarray turns a scalar into shape (1,), hence the reshape.
        array = np.ascontiguousarray(array).reshape(array.shape)
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
        arrays.append(array)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for array in arrays:
            file.write(array.tobytes())
