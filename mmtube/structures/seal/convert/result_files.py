"""Folders of results of the pipeline, one file for each film, as annotations: what a model found, to be corrected."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mmtube.errors import InputError

from ...io.result_json import read_result_json, write_result_json
from ..annotations import SEALAnnotations
from ..box_table import EDITED, HEAD_VISIBLE
from ..label_map import LabelMap
from ._common import Losses, counted, film_file, own_boxes
from .results import from_results, to_results


def result_label_maps(path: str | os.PathLike) -> dict[str, LabelMap]:
    """Return the class names of atomic actions and complex activities that the results of a folder share.

    Raises:
        InputError: If there is no result, one cannot be read, or two have other names for one task.
    """
    maps: dict[str, LabelMap] = {}
    for file in _files(path):
        for task, names in read_result_json(file).label_maps.items():
            if task != 'clip' and names and maps.setdefault(task, LabelMap(task, tuple(names))).names != tuple(names):
                raise InputError(f'{file}: its {task} classes are not those of the results before it')
    return maps


def read_results(
    path: str | os.PathLike, *, split: str = 'train', label_map: LabelMap | None = None
) -> SEALAnnotations:
    """Read results; a film is named by its file without the suffix, tubelets are of the first stage.

    Args:
        path (str | os.PathLike): A result, or a folder of them; other JSON in it is refused.
        split (str): Split of the films. Defaults to 'train'.
        label_map (LabelMap | None): Atomic actions, for their groups. Defaults to None, groups stay empty.

    Raises:
        InputError: If there is no result, one cannot be read, or two films have one name.
    """
    annotations = from_results((read_result_json(file) for file in _files(path)), split=split, label_map=label_map)
    annotations.name = str(path)
    return annotations


def write_results(
    annotations: SEALAnnotations, folder: str | os.PathLike, *, label_maps: Mapping[str, LabelMap] | None = None
) -> Losses:
    """Write ``<vid>.json`` for each film; a person's tubelets are one tube.

    Args:
        annotations (SEALAnnotations): Valid annotations.
        folder (str | os.PathLike): Folder to write.
        label_maps (Mapping[str, LabelMap] | None): Label maps by task. Defaults to None.

    Returns:
        Losses: What the files do not hold, counted.

    Raises:
        InputError: If a person has two boxes in a frame, or a file cannot be written.
    """
    results = to_results(annotations, label_maps)
    for vid, result in zip(annotations.tids_by_video(), results, strict=True):
        write_result_json(result, film_file(folder, vid, '.json'))
    origins = sum(bool(tubelet.origin) for tubelet in annotations.tubelets.values())
    tubes = sum(len(result.tubes) for result in results)
    marked = (annotations.boxes.flags & (EDITED | HEAD_VISIBLE)) != 0
    return counted(
        {
            'tubelets joined to people': len(annotations.tubelets) - tubes,
            'origins of tubelets': origins,
            'marks of edited boxes and visible heads': (marked & own_boxes(annotations)).sum(),
        }
    )


def _files(path: str | os.PathLike) -> list[Path]:
    files = sorted(Path(path).rglob('*.json')) if Path(path).is_dir() else [Path(path)]
    if not files:
        raise InputError(f'{path}: has no result (.json)')
    return files
