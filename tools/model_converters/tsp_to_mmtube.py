"""Convert released TSP weights (R(2+1)D-34) to the backbone ``R2Plus1D34TSP``.

    python tools/model_converters/tsp_to_mmtube.py r2plus1d_34-tsp_on_activitynet-....pth tsp.pth

The names of the file are torchvision's (``stem.0``, ``layer1.0.conv1.0.0``), with or without ``features.`` before them.
The heads (``fc``) are left out. Weights of IG-65M in the same shape are converted too.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from torch import Tensor

from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path
from mmtube.models.checkpoint import read_checkpoint
from mmtube.registry import MODELS

# Applied in this order to every name.
RENAMES = (
    (r'^features\.', ''),
    (r'^stem\.0\.', 'conv1.0.conv.'),
    (r'^stem\.1\.', 'conv1.0.bn.'),
    (r'^stem\.3\.', 'conv1.1.conv.'),
    (r'^stem\.4\.', 'conv1.1.bn.'),
    (r'\.(conv[12])\.0\.0\.', r'.\1.conv.conv_s.'),
    (r'\.(conv[12])\.0\.1\.', r'.\1.conv.bn_s.'),
    (r'\.(conv[12])\.0\.3\.', r'.\1.conv.conv_t.'),
    (r'\.(conv[12])\.1\.', r'.\1.bn.'),
    (r'\.downsample\.0\.', '.downsample.conv.'),
    (r'\.downsample\.1\.', '.downsample.bn.'),
)


def tensors(path: str) -> dict[str, Tensor]:
    """Return the tensors of a file; TSP's own files have them below ``model``.

    Raises:
        InputError: If the file cannot be read, or its pickle asks for more than plain data.
    """
    try:
        return read_checkpoint(path)['state_dict']
    except InputError as error:
        if 'holds no tensors' not in str(error):
            raise
    content = torch.load(path, map_location='cpu', weights_only=True)
    state = content.get('model')
    if not isinstance(state, dict):
        raise InputError(f'{path}: holds neither tensors nor a model')
    return {str(name).removeprefix('module.'): tensor for name, tensor in state.items() if isinstance(tensor, Tensor)}


def convert(state: dict[str, Tensor], path: str) -> dict[str, Tensor]:
    """Return the tensors of the backbone under its names, sorted.

    Args:
        state (dict[str, Tensor]): Tensors by torchvision's names.
        path (str): Where they come from, for messages.

    Raises:
        InputError: If a tensor is missing, of another shape, or not known.
    """
    renamed = {}
    for name, tensor in state.items():
        new = name
        for pattern, replacement in RENAMES:
            new = re.sub(pattern, replacement, new)
        if not new.startswith('fc'):
            renamed[new] = tensor
    own = MODELS.build(dict(type='R2Plus1D34TSP')).state_dict()
    needed = {name for name in own if not name.endswith('num_batches_tracked')}
    missing, unknown = sorted(needed - set(renamed)), sorted(set(renamed) - set(own))
    if missing or unknown:
        told = f'{missing[0]} is missing' if missing else f'{unknown[0]} is not known'
        raise InputError(f'{path}: is no R(2+1)D-34 ({len(missing)} tensors missing, {len(unknown)} unknown: {told})')
    differing = [name for name in renamed if renamed[name].shape != own[name].shape]
    if differing:
        name = differing[0]
        told = f'{name} is {tuple(renamed[name].shape)}, not {tuple(own[name].shape)}'
        raise InputError(f'{path}: is no R(2+1)D-34 ({len(differing)} tensors of another shape: {told})')
    return dict(sorted(renamed.items()))


def main(arguments: list[str] | None = None) -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='released checkpoint')
    parser.add_argument('out', type=Path, help='checkpoint to write')
    args = parser.parse_args(arguments)
    state = convert(tensors(args.source), args.source)
    named = {f'backbone.{name}': tensor for name, tensor in state.items()}
    with atomic_path(args.out) as temporary:
        torch.save(dict(meta=dict(source=Path(args.source).name), state_dict=named), temporary)
    print(f'{args.out}: {len(named)} tensors')


if __name__ == '__main__':
    exit_on_input_error(main)
