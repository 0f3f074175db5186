"""What a container says of its film, as the record of a data set."""

from __future__ import annotations

import os
from pathlib import Path

from mmtube.structures.seal import VideoRecord

from .film_container import Orientation, average_fps, declared_s, open_film


def film_record(path: str | os.PathLike, split: str = 'train', source: str = 'web') -> VideoRecord:
    """Return size, rate and length of a film from its container; one frame is decoded, for its orientation.

    Args:
        path (str | os.PathLike): The film.
        split (str): Split it belongs to. Defaults to 'train'.
        source (str): Collection it comes from. Defaults to 'web'.

    Raises:
        InputError: If it is missing or cannot be read.
    """
    with open_film(Path(path), threads=1) as (container, stream):
        width, height = stream.width, stream.height
        first = next(container.decode(stream), None)
        if first is not None:
            width, height = Orientation(first).size(width, height)
        fps, duration_s = float(average_fps(stream)), declared_s(container, stream)
        num_frames = stream.frames or round(duration_s * fps)
        return VideoRecord(source, width, height, fps, num_frames, duration_s or num_frames / fps, split)
