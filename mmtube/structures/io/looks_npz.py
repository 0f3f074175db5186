"""Looks of the tubelets of a film, kept so that it need not be decoded and described again."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import atomic_path

from ..tubelet_look import TubeletLook

COLUMNS = ('ids', 'offsets', 'frame_inds', 'rows', 'good', 'key')


def write_looks_npz(looks: Mapping[int, TubeletLook], path: str | os.PathLike, key: str) -> None:
    """Write looks.

    Args:
        looks (Mapping[int, TubeletLook]): By tubelet ID.
        path (str | os.PathLike): File to write.
        key (str): What they were made of; :func:`read_looks_npz` asks for the same.

    Raises:
        InputError: If the file cannot be written.
    """
    parts = list(looks.values())
    with atomic_path(path) as temporary:
        np.savez(
            temporary,
            ids=np.array(list(looks), np.int64),
            offsets=np.cumsum([0, *map(len, parts)]),
            frame_inds=np.concatenate([np.zeros(0, np.int64), *(look.frame_inds for look in parts)]),
            rows=np.concatenate([look.rows for look in parts]) if parts else np.zeros((0, 0), np.float32),
            good=np.concatenate([np.zeros(0, bool), *(look.good for look in parts)]),
            key=np.array(key),
        )


def read_looks_npz(path: str | os.PathLike, key: str) -> dict[int, TubeletLook] | None:
    """Read what :func:`write_looks_npz` wrote.

    Args:
        path (str | os.PathLike): The file.
        key (str): What the looks must be made of.

    Returns:
        dict[int, TubeletLook] | None: By tubelet ID; None if there is no file or it was made of something else.

    Raises:
        InputError: If the file is there and is no such file, or is cut off.
    """
    if not os.path.exists(path):
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in COLUMNS}
        if str(columns['key']) != key:
            return None
        looks = {}
        for number, track_id in enumerate(columns['ids'].tolist()):
            span = slice(*columns['offsets'][number : number + 2].tolist())
            looks[track_id] = TubeletLook(*(columns[name][span] for name in ('frame_inds', 'rows', 'good')))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, TypeError) as error:
        raise InputError(f'{path}: holds no looks, or is cut off ({" ".join(str(error).split())})') from None
    return looks
