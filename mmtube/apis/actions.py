"""Actions of tubes that are on disk with their features, film by film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.models.interfaces import BaseTubeletDetector
from mmtube.models.tubelet_features.streams import side_by_side
from mmtube.structures import Tube, TubeletRows, VideoResult
from mmtube.structures.io.features_npz import FeatureFile, read_features_npz


def read_rows(tubes: Sequence[Tube], vid: str, folders: Sequence[Path]) -> list[TubeletRows]:
    """Read the features of the tubes of a film, several streams side by side.

    Args:
        tubes (Sequence[Tube]): The tubes; their tubelets are called ``<vid>.<track_id>`` in the files.
        vid (str): The film.
        folders (Sequence[Path]): Of each stream, with a ``<vid>.npz`` for each film.

    Returns:
        list[TubeletRows]: In the order of the tubes.

    Raises:
        InputError: If a file cannot be used or lacks a tube, or streams do not stand at the same times.
    """
    files = [read_features_npz(folder / f'{vid}.npz') for folder in folders]
    return [_side_by_side([_rows(file, tube.track_id, f'{vid}.{tube.track_id}') for file in files]) for tube in tubes]


def _rows(file: FeatureFile, track_id: int, tid: str) -> TubeletRows:
    found = file[tid]
    times_s = found.offset_s + np.arange(len(found.features)) / file.meta.grid.rate
    return TubeletRows(track_id, times_s, found.features, asdict(file.meta), found.valid)


def _side_by_side(streams: list[TubeletRows]) -> TubeletRows:
    return streams[0] if len(streams) == 1 else side_by_side(streams)


def detect_actions(
    result: VideoResult, vid: str, folders: Sequence[Path], detector: BaseTubeletDetector
) -> VideoResult:
    """Return the result with the segments that a detector finds on its tubes.

    Args:
        result (VideoResult): Tubes of a film.
        vid (str): The film's name in the files of features.
        folders (Sequence[Path]): See :func:`read_rows`.
        detector (BaseTubeletDetector): The stage ``tubelet_detector``.

    Raises:
        InputError: If the features cannot be used.
    """
    try:
        tubes = detector.detect(result.tubes, read_rows(result.tubes, vid, folders))
    except InputError as error:
        told = str(error)
        raise InputError(told if vid in told else f'{vid}: {told}') from None
    return replace(result, tubes=tubes, label_maps={**result.label_maps, **detector.label_maps})
