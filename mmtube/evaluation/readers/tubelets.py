"""What the evaluation of given tubelets reads: SEAL annotations, frozen class ranks, predictions by tubelet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.tables import SegmentTable
from mmtube.structures.seal import (
    ClassRank,
    Finding,
    SEALAnnotations,
    label_maps_beside,
    read_class_rank,
    read_label_map,
    read_seal_json,
    refuse,
)

TABLES = {'atomic': 'aa', 'complex': 'ca'}


def read_tubelets(path: str | os.PathLike) -> SEALAnnotations:
    """Read SEAL annotations; instances without length may be in them, evaluation removes and counts them.

    Raises:
        InputError: If the file cannot be used.
    """
    findings: list[Finding] = []
    annotations = read_seal_json(path, findings=findings)
    refuse([finding for finding in findings if finding.rule != 'empty-segment'])
    return annotations


def tubelet_table(annotations: SEALAnnotations, task: str) -> SegmentTable:
    """Return the instances of a task as ground truth in which each tubelet is a video; not checked."""
    table, rows = annotations.instances(task), TABLES[task]
    number = {tid: place for place, tid in enumerate(annotations.tubelets)}
    return SegmentTable(
        list(number),
        np.array([number[tid] for tid in table.tids.tolist()], np.int64),
        table.labels,
        segments_s=np.stack([table.start_s, table.end_s], axis=1),
        name=annotations.name,
        place=lambda row: f'{rows}[{row}] (tubelet {table.tids[row]})',
    )


def class_names(path: str | os.PathLike, task: str, label_map: str | None, labels: np.ndarray) -> list[str]:
    """Return the class names of a task: from a label map, the one beside the annotations, else ``'<task> N'``.

    Args:
        path (str | os.PathLike): The annotations.
        task (str): ``'atomic'`` or ``'complex'``.
        label_map (str | None): Label map that was asked for.
        labels (np.ndarray): (N,) int64 classes that occur.

    Raises:
        InputError: If the label map cannot be used.
    """
    if label_map is not None:
        return list(read_label_map(label_map, task).names)
    beside = label_maps_beside(path)
    if task in beside:
        return list(beside[task].names)
    return [f'{task} {label}' for label in range(int(labels.max(initial=-1)) + 1)]


def read_rank(path: str | os.PathLike, task: str, rank: str | None) -> ClassRank | None:
    """Read the frozen class rank that was asked for, else the one beside the annotations.

    Beside ``val.json`` that is ``val_class_rank_atomic.json``, else ``class_rank_atomic.json``, and so for complex.

    Raises:
        InputError: If the file cannot be used or ranks the classes of the other task.
    """
    names = (f'{Path(path).stem}_class_rank_{task}.json', f'class_rank_{task}.json')
    beside = [str(Path(path).with_name(name)) for name in names if Path(path).with_name(name).is_file()]
    if rank is None and not beside:
        return None
    file = rank if rank is not None else beside[0]
    found = read_class_rank(file)
    if found.task != task:
        raise InputError(f'{file}: ranks {found.task} classes, not {task} ones')
    return found


def by_tubelet(found: SegmentTable, annotations: SEALAnnotations) -> tuple[SegmentTable, list[str]]:
    """Let predictions name tubelets ``<vid>#<person>``, as the pipeline does, where none names a tubelet by its ID.

    Returns:
        tuple: The predictions, and a note if names were changed.
    """
    if set(found.videos) & set(annotations.tubelets):
        return found, []
    tids = {f'{tubelet.vid}#{tubelet.person_id}': tid for tid, tubelet in annotations.tubelets.items()}
    if len(tids) < len(annotations.tubelets) or not set(found.videos) & set(tids):
        return found, []
    videos = [tids.get(name, name) for name in found.videos]
    return replace(found, videos=videos), ['predictions name tubelets as <video>#<person>']


def locate_in(annotations: SEALAnnotations, tid: str, time_s: float) -> Sequence[str | float | None]:
    """Return the film of a tubelet and its box, xyxy in pixels, in the frame nearest to a time."""
    tubelet = annotations.tubelets.get(tid)
    if tubelet is None:
        return (tid,)
    track = annotations.track(tid)
    if not len(track.frame_inds):
        return (tubelet.vid,)
    frame = time_s * annotations.videos[tubelet.vid].fps
    nearest = int(np.abs(np.asarray(track.frame_inds, np.float64) - frame).argmin())
    return (tubelet.vid, *map(float, track.boxes_px[nearest]))
