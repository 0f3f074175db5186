"""Weights that others publish, fetched once.

Importing this does not import PyTorch, so that a missing checkpoint is known at once.
"""

from __future__ import annotations

import hashlib
import re
import urllib.request
from pathlib import Path

from mmtube.errors import MissingCheckpointError
from mmtube.fileio import atomic_path


def fetch_published(address: str, whose: str, hint: str, timeout_s: float = 10.0) -> Path:
    """Find published weights on this machine, or fetch them, whole or not at all.

    Args:
        address (str): ``http://`` or ``https://``.
        whose (str): What they are of, for the message.
        hint (str): How else to give them, for the message.
        timeout_s (float): How long the net may be silent. Defaults to 10.

    Returns:
        Path: The file, in the cache of ``torch.hub``, where MMEngine keeps it too.

    Raises:
        MissingCheckpointError: If it is not here and cannot be fetched; one line that says how to give it.
    """
    import torch

    file = Path(torch.hub.get_dir(), 'checkpoints', address.rpartition('/')[2])
    if file.is_file():
        return file
    try:
        with urllib.request.urlopen(address, timeout=timeout_s) as reply, atomic_path(file) as temporary:
            _save(reply, temporary, file)
    except (OSError, ValueError) as error:  # InputError is a ValueError: the folder cannot be written
        cause = getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error
        raise MissingCheckpointError(
            f'the checkpoint of {whose} is not on this machine and cannot be fetched ({cause}): '
            f'put {address} into {file.parent}, or {hint}'
        ) from error
    return file


def _save(reply: object, temporary: Path, file: Path) -> None:
    digest = hashlib.sha256()
    with temporary.open('wb') as out:
        while block := reply.read(1 << 20):  # type: ignore[attr-defined]
            digest.update(block)
            out.write(block)
    # OpenMMLab ends a file name with the first digits of its SHA-256.
    expected = re.search(r'-([0-9a-f]{8,})\.\w+$', file.name)
    if expected and not digest.hexdigest().startswith(expected[1]):
        raise ValueError('the file arrived damaged')
