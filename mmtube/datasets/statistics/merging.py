"""Several annotation files as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmtube.errors import InputError
from mmtube.structures.seal import BoxTable, InstanceTable, SEALAnnotations


def merge_annotations(files: Sequence[SEALAnnotations]) -> SEALAnnotations:
    """Join the annotations of several files, such as the splits of a data set.

    Tubelets and box keys of file ``i`` get the prefix ``<i>:``, because files may use the same names; their boxes are
    copied into one table. One file is returned as it is.

    Args:
        files (Sequence[SEALAnnotations]): At least one.

    Returns:
        SEALAnnotations: Named by all files.

    Raises:
        InputError: If two files have one film.
    """
    if len(files) == 1:
        return files[0]
    videos: dict = {}
    tubelets: dict = {}
    for number, file in enumerate(files):
        for vid, video in file.videos.items():
            if vid in videos:
                raise InputError(f'{file.name}: videos["{vid}"]: is in another of the files too')
            videos[vid] = video
        for tid, tubelet in file.tubelets.items():
            tubelets[f'{number}:{tid}'] = replace(tubelet, box_key=f'{number}:{tubelet.box_key}')
    aa, ca = (
        InstanceTable(
            _renamed([table.tids for table in tables]),
            *(
                np.concatenate([getattr(table, name) for table in tables])
                for name in ('labels', 'groups', 'start_s', 'end_s')
            ),
        )
        for tables in ([file.aa for file in files], [file.ca for file in files])
    )
    parts = [file.boxes for file in files]
    lengths = [np.diff(part.offsets) for part in parts]
    boxes = BoxTable(
        _renamed([part.keys for part in parts]),
        np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ('frame_inds', 'boxes_px', 'scores', 'flags')
        ),
    )
    return SEALAnnotations(videos, tubelets, aa, ca, boxes, ', '.join(file.name for file in files))


def _renamed(names: list[np.ndarray]) -> np.ndarray:
    """Put the number of the file in front of names."""
    parts = [np.char.add(f'{number}:', part) if len(part) else part for number, part in enumerate(names)]
    return np.concatenate([np.zeros(0, 'U1'), *parts])
