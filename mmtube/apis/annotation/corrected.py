"""What people corrected in CVAT, traced back to the file that they were given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mmtube.errors import InputError
from mmtube.ops import paired_box_iou
from mmtube.structures.seal import EDITED, InstanceTable, LabelMap, SEALAnnotations
from mmtube.structures.seal.convert import cvat_label_maps, read_cvat

from .changes import Change
from .tables import BoxColumns, assemble, origins

MATCH_IOU = 0.5
UNMOVED_PX = 0.002  # CVAT files hold thousandths of a pixel
OWN_BONUS = 1e-3  # for the tubelet that a track names: where two boxes coincide, it came from that one


def read_corrected(
    path: str | os.PathLike, exported: SEALAnnotations, label_maps: Mapping[str, LabelMap], stage: int
) -> SEALAnnotations:
    """Read what came back from CVAT.

    Args:
        path (str | os.PathLike): "CVAT for video 1.1" XML, or a folder of them.
        exported (SEALAnnotations): What was given to CVAT.
        label_maps (Mapping[str, LabelMap]): Label maps by task; classes that they lack must be named ``'<task> N'``.
        stage (int): Stage that the tubelets are of now.

    Raises:
        InputError: If a file cannot be used, or a film is not in ``exported``.
    """
    maps = {**cvat_label_maps(path), **label_maps}
    corrected = read_cvat(path, exported.videos, label_maps=maps, stage=stage)
    for vid in corrected.videos:
        if vid not in exported.videos:
            raise InputError(f'{path}: the film {vid!r} is not in {exported.name}')
    return corrected


def import_corrected(
    path: str | os.PathLike, exported: SEALAnnotations, label_maps: Mapping[str, LabelMap]
) -> tuple[SEALAnnotations, list[Change], bool]:
    """Read what came back from CVAT as the next step of the annotation.

    The correction of an algorithm's step 1 or 3 is step 2 or 4, with the films that came back. The correction of step 2
    or 4 takes its place: films that did not come back stay as they are, and tubelets name the origins of the exported
    ones.

    Args:
        path (str | os.PathLike): "CVAT for video 1.1" XML, or a folder of them.
        exported (SEALAnnotations): What was given to CVAT, all of one stage.
        label_maps (Mapping[str, LabelMap]): Label maps by task.

    Returns:
        tuple[SEALAnnotations, list[Change], bool]: The result; what people did; and whether it is of the same stage.

    Raises:
        InputError: If a file cannot be used, a film is not in ``exported``, or that is of several stages.
    """
    stages = {tubelet.stage for tubelet in exported.tubelets.values()} or {1}
    if len(stages) > 1:
        raise InputError(f'{exported.name}: its tubelets are of the stages {sorted(stages)}, they must be of one')
    (stage,) = stages
    same = stage in (2, 4)
    corrected = read_corrected(path, exported, label_maps, stage if same else stage + 1)
    adopted, told = adopt(exported, corrected, through=same)
    return (with_corrected(exported, adopted) if same else adopted), told, same


def adopt(
    exported: SEALAnnotations, corrected: SEALAnnotations, *, through: bool = False
) -> tuple[SEALAnnotations, list[Change]]:
    """Trace corrected films back to what was exported.

    A box that is where it was gets its score, its exact place and its mark of an earlier edit back; one that was moved,
    drawn or filled in gets the mark ``EDITED``. Tubelets get as ``origin`` those on whose boxes theirs lie with an IoU
    of at least 0.5. So it does not matter whether CVAT kept the attributes that name them.

    Args:
        exported (SEALAnnotations): What was given to CVAT.
        corrected (SEALAnnotations): What came back, for some or all of its films.
        through (bool): Whether ``origin`` names the origins of the exported tubelets, because the result takes their
            place, and not the exported tubelets. Defaults to False.

    Returns:
        tuple[SEALAnnotations, list[Change]]: The corrected films; and what people did.
    """
    given, back = BoxColumns.of(exported.only(set(corrected.videos))), BoxColumns.of(corrected)
    given.video = _same_films(given, exported, corrected)
    match = _match(given, back)
    known = match >= 0
    away_px = np.full(len(match), np.inf)
    away_px[known] = np.abs(back.boxes_px[known] - given.boxes_px[match[known]]).max(axis=1)
    same = away_px <= UNMOVED_PX
    back.boxes_px[same], back.scores[same] = given.boxes_px[match[same]], given.scores[match[same]]
    back.flags[same] |= given.flags[match[same]] & EDITED
    back.flags[~same] |= EDITED
    old = np.where(known, given.tubelet[match], -1)
    came_from = origins(back.tubelet, old, len(back.tids))
    records, tracks = {}, {}
    for number, rows in enumerate(back.rows_of(back.tubelet, len(back.tids))):
        tid = back.tids[number]
        sources = [given.tids[source] for source in came_from[number]]
        if through:
            sources = list(dict.fromkeys(far for source in sources for far in exported.tubelets[source].origin))
        records[tid] = replace(corrected.tubelets[tid], origin=tuple(sources))
        tracks[tid] = back.track(rows)
    result = assemble(corrected, records, tracks)
    return result, _told(exported, corrected, given, back, old, same, came_from)


def _same_films(given: BoxColumns, exported: SEALAnnotations, corrected: SEALAnnotations) -> np.ndarray:
    """Return the film of each exported box in the numbering of the corrected films."""
    number = {vid: index for index, vid in enumerate(corrected.videos)}
    films = np.array([number[exported.tubelets[tid].vid] for tid in given.tids], np.int64)
    return films[given.tubelet] if len(films) else np.zeros(0, np.int64)


def _match(given: BoxColumns, back: BoxColumns) -> np.ndarray:
    """Return for each corrected box the exported one of its frame with the largest IoU, -1 where it is below 0.5."""
    order = np.argsort(given.pictures(), kind='stable')
    pictures, mine = given.pictures()[order], back.pictures()
    begin = np.searchsorted(pictures, mine)
    count = np.searchsorted(pictures, mine, side='right') - begin
    index = {tid: number for number, tid in enumerate(given.tids)}
    named = np.array([index.get(tid, -1) for tid in back.tids], np.int64)[back.tubelet] if back.tids else mine
    best, best_iou = np.full(len(mine), -1), np.zeros(len(mine))
    for nth in range(count.max(initial=0)):
        rows = np.flatnonzero(count > nth)
        other = order[begin[rows] + nth]
        iou = paired_box_iou(back.boxes_px[rows], given.boxes_px[other])
        value = np.where(iou >= MATCH_IOU, iou + OWN_BONUS * (given.tubelet[other] == named[rows]), 0)
        better = value > best_iou[rows]
        best[rows[better]], best_iou[rows[better]] = other[better], value[better]
    return best


def _told(
    exported: SEALAnnotations,
    corrected: SEALAnnotations,
    given: BoxColumns,
    back: BoxColumns,
    old: np.ndarray,
    same: np.ndarray,
    came_from: list[list[int]],
) -> list[Change]:
    """Return what people did, in the order of the films."""
    changes: list[Change] = []
    heirs: dict[int, list[int]] = {}
    for number, rows in enumerate(back.rows_of(back.tubelet, len(back.tids))):
        tid, frames = back.tids[number], back.frame_inds[rows]
        record, span = corrected.tubelets[tid], (int(frames[0]), int(frames[-1]))
        for source in came_from[number]:
            heirs.setdefault(source, []).append(number)
        if not came_from[number]:
            changes.append(Change(record.vid, 'draw', tid, '', span, f'{len(rows)} boxes of a new tubelet'))
        elif not same[rows].all():
            moved = frames[~same[rows]]
            span = (int(moved[0]), int(moved[-1]))
            changes.append(Change(record.vid, 'edit', tid, '', span, f'{len(moved)} boxes were moved or drawn'))
        main = came_from[number][0] if len(came_from[number]) == 1 else None
        person = None if main is None else exported.tubelets[given.tids[main]].person_id
        if person is not None and person != record.person_id:
            cause = f'person {person} of {given.tids[main or 0]} is person {record.person_id}'
            changes.append(Change(record.vid, 'rename', tid, '', (int(frames[0]), int(frames[-1])), cause))
    kept = np.bincount(old[old >= 0], minlength=len(given.tids))
    for number, rows in enumerate(given.rows_of(given.tubelet, len(given.tids))):
        tid, frames = given.tids[number], given.frame_inds[rows]
        if not len(rows):
            continue
        film, span = exported.tubelets[tid].vid, (int(frames[0]), int(frames[-1]))
        if number not in heirs:
            changes.append(Change(film, 'delete', tid, '', span, f'{len(rows)} boxes were deleted'))
        elif len(heirs[number]) > 1:
            parts = ', '.join(back.tids[heir] for heir in heirs[number])
            changes.append(Change(film, 'divide', tid, '', span, f'its boxes are in {parts}'))
        elif kept[number] < len(rows):
            lost = len(rows) - int(kept[number])
            cause = f'{lost} of {len(rows)} boxes are gone or were moved away'
            changes.append(Change(film, 'cut', tid, '', span, cause))
    order = {vid: index for index, vid in enumerate(corrected.videos)}
    return sorted(changes, key=lambda change: order[change.film])


def with_corrected(algorithm: SEALAnnotations, corrected: SEALAnnotations) -> SEALAnnotations:
    """Return annotations in which the films that people corrected take the place of an algorithm's.

    Args:
        algorithm (SEALAnnotations): All films.
        corrected (SEALAnnotations): Some of them, traced back by :func:`adopt`.
    """
    records: dict = {}
    tracks: dict[str, tuple] = {}
    renamed: dict[str, str] = {}
    rest = algorithm.only(set(algorithm.videos) - set(corrected.videos))
    for part in (rest, corrected):
        for tid, record in part.tubelets.items():
            name, number = tid, 2
            while name in records:  # a track that was drawn may have the name of a tubelet of another film
                name, number = f'{tid}.{number}', number + 1
            records[name], tracks[name] = record, tuple(part.track(tid))
            if name != tid:
                renamed[tid] = name
    tables = {}
    for name in ('aa', 'ca'):
        parts = [getattr(rest, name), getattr(corrected, name)]
        names = [np.array([renamed.get(tid, tid) for tid in parts[1].tids.tolist()], str)]
        keys = ('labels', 'groups', 'start_s', 'end_s')
        columns = [np.concatenate([getattr(part, key) for part in parts]) for key in keys]
        tables[name] = InstanceTable(np.concatenate([parts[0].tids, *names]), *columns)
    return assemble(algorithm, records, tracks, **tables)
