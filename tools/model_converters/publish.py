"""Make of a training checkpoint a small file to give away: weights alone, float16, with config and licence.

    tools/model_converters/publish.py seal_mini/reid work_dirs/reid/epoch_10.pth out.pth --drop loss_center.

The optimiser, the logs and the names of the machine stay behind. The file says which config it belongs to, and
``mmtube.models.checkpoint`` reads float16 as float32.
"""

from __future__ import annotations

import argparse
import hashlib
import io
from pathlib import Path

import torch

from mmtube.config import load_config
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path
from mmtube.models.checkpoint import read_checkpoint


def publish(config: str, checkpoint: str, drop: tuple[str, ...], note: str, licence: str) -> tuple[bytes, int]:
    """Return the file and its number of tensors; the same bytes for the same arguments and release of PyTorch.

    Args:
        config (str): Name of the config; as it stands goes into the file.
        checkpoint (str): Weights, as in :func:`mmtube.models.checkpoint.read_checkpoint`.
        drop (tuple[str, ...]): Beginnings of the names of tensors that are left out.
        note (str): Where the weights come from.
        licence (str): Their licence.

    Raises:
        InputError: If a file cannot be read, or a value does not fit into a float16.
    """
    state = {}
    for name, tensor in sorted(read_checkpoint(checkpoint)['state_dict'].items()):
        if name.startswith(drop):
            continue
        state[name] = tensor.half().contiguous() if tensor.is_floating_point() else tensor
        if not torch.isfinite(state[name]).all():
            raise InputError(f'{checkpoint}: {name} has a value that is not finite as a float16')
    meta = dict(config=config, cfg=load_config(config).pretty_text, source=note, licence=licence)
    buffer = io.BytesIO()  # written to a file, the archive would carry the file's name
    torch.save(dict(meta=meta, state_dict=state), buffer)
    return buffer.getvalue(), len(state)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='name of the config below configs/')
    parser.add_argument('checkpoint', help='of a training')
    parser.add_argument('out', type=Path, help='checkpoint to write')
    parser.add_argument('--drop', nargs='+', default=[], metavar='PREFIX', help='tensors to leave out')
    parser.add_argument('--note', default='', help='where the weights come from')
    parser.add_argument('--licence', default='Apache-2.0', help='default: Apache-2.0')
    args = parser.parse_args()
    content, tensors = publish(args.config, args.checkpoint, tuple(args.drop), args.note, args.licence)
    with atomic_path(args.out) as temporary:
        temporary.write_bytes(content)
    print(f'{args.out}: {tensors} tensors, {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}')


if __name__ == '__main__':
    exit_on_input_error(main)
