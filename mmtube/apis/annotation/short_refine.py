"""Step 2, short refine: ID switches are put right and obviously false tubelets go (SEAL, Sec. 3.2)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from mmtube.errors import InputError
from mmtube.models.trackers import IDChange, IDSwitchCorrector
from mmtube.ops import paired_box_iou
from mmtube.structures import Tube
from mmtube.structures.seal import INTERPOLATED, LabelMap, SEALAnnotations

from .changes import ACCEPTED, PROPOSED, Change, ChangeList, decide
from .corrected import adopt, read_corrected, with_corrected
from .tables import BoxColumns, assemble, origins, shots_of_boxes

STEP = 'short-refine'
SAME_PERSON_IOU = 0.9  # from here on two boxes are of one person, as in the check of annotations


def short_refine(
    coarse: SEALAnnotations,
    corrector: IDSwitchCorrector | None,
    verdict: Callable[..., str] | None,
    *,
    decided: ChangeList | None = None,
    apply: bool = True,
) -> tuple[SEALAnnotations, ChangeList]:
    """Refine coarse tubelets.

    Args:
        coarse (SEALAnnotations): Tubelets of stage 1.
        corrector (IDSwitchCorrector | None): Finds ID switches; None finds none.
        verdict (Callable[..., str] | None): Says of a tube why it is no person, ``''`` if it is one; see
            ``TubeFilter``. None deletes none.
        decided (ChangeList | None): Decisions of a reviewer: only what is accepted is done. Defaults to None.
        apply (bool): Without decisions: whether all that is found is done, or only proposed. Defaults to True.

    Returns:
        tuple[SEALAnnotations, ChangeList]: Tubelets of stage 2 with the tubelets of stage 1 that they came from; and
        what was done or proposed.

    Raises:
        InputError: If two decisions contradict each other.
    """
    columns = BoxColumns.of(coarse)
    corrected, switches = columns.tubelet, []
    if corrector is not None and len(columns.tubelet):
        shots = shots_of_boxes(coarse, columns)
        corrected, switches = corrector.correct(columns.frame_inds, shots, columns.tubelet, columns.boxes_px)
    names = _names(coarse, columns, switches)
    changes = [_told(coarse, columns, names, switch) for switch in switches]
    # A split or a deletion is of what its tubelet has after the relabelling that was accepted.
    moves = [(s.rows, s.new_id, s.old_id if s.kind == 'split' else None) for s in switches]
    false, gone = _false_boxes(coarse, columns, corrected, names, verdict)
    changes = decide([*changes, *false], decided, apply)
    new = columns.tubelet.copy()
    for change, (rows, new_id, owner) in zip(changes, [*moves, *gone]):
        if change.decision == ACCEPTED:
            new[rows if owner is None else rows[new[rows] == owner]] = new_id
    _refuse_two_boxes(columns, new, names)
    refined = _assemble(coarse, columns, new, names)
    order = {vid: number for number, vid in enumerate(coarse.videos)}
    return refined, ChangeList(STEP, sorted(changes, key=lambda change: order[change.film]))


def refine_by_hand(
    coarse: SEALAnnotations,
    refined: SEALAnnotations,
    changes: ChangeList,
    path: str | os.PathLike,
    label_maps: Mapping[str, LabelMap],
) -> tuple[SEALAnnotations, ChangeList]:
    """Let films that an annotator corrected in CVAT take the place of what the algorithm made of them.

    Args:
        coarse (SEALAnnotations): Tubelets of stage 1, which were given to CVAT.
        refined (SEALAnnotations): What :func:`short_refine` made of them.
        changes (ChangeList): What it changed: in corrected films this is only proposed.
        path (str | os.PathLike): "CVAT for video 1.1" XML, or a folder of them.
        label_maps (Mapping[str, LabelMap]): Label maps by task.

    Raises:
        InputError: If a file of CVAT cannot be used, or a film is not in ``coarse``.
    """
    corrected = read_corrected(path, coarse, label_maps, stage=2)
    adopted, told = adopt(coarse, corrected)
    theirs = [
        replace(change, decision=PROPOSED)
        if change.film in corrected.videos and change.decision == ACCEPTED
        else change
        for change in changes.changes
    ]
    order = {vid: number for number, vid in enumerate(coarse.videos)}
    merged = sorted([*theirs, *told], key=lambda change: order[change.film])
    return with_corrected(refined, adopted), replace(changes, changes=merged)


def _names(coarse: SEALAnnotations, columns: BoxColumns, switches: list[IDChange]) -> list[str]:
    """Return the names of old and new tubelets by number: pieces of ``t`` are ``t.2``, ``t.3`` ..."""
    names, taken = list(columns.tids), set(columns.tids)
    for switch in switches:
        if switch.kind == 'split':
            base, number = names[switch.old_id], 2
            while f'{base}.{number}' in taken:
                number += 1
            names.append(f'{base}.{number}')
            taken.add(names[-1])
    return names


def _told(coarse: SEALAnnotations, columns: BoxColumns, names: list[str], switch: IDChange) -> Change:
    old = names[switch.old_id]
    film = coarse.tubelets[columns.tids[int(columns.tubelet[switch.rows[0]])]].vid
    return Change(film, switch.kind, old, names[switch.new_id], switch.frames, switch.cause)


def _false_boxes(
    coarse: SEALAnnotations,
    columns: BoxColumns,
    new: np.ndarray,
    names: list[str],
    verdict: Callable[..., str] | None,
) -> tuple[list[Change], list[tuple[np.ndarray, int, int | None]]]:
    """Return tubelets that are no person and boxes that double another one; of each the boxes that go, -1, the tubelet.

    The tubelet is None for a piece of a split: its boxes go even if the split itself was rejected.
    """
    changes: list[Change] = []
    gone: list[tuple[np.ndarray, int, int | None]] = []
    rows_of = columns.rows_of(new, len(names))
    films = [coarse.tubelets[columns.tids[int(columns.tubelet[rows[0]])]].vid if len(rows) else '' for rows in rows_of]
    deleted = np.zeros(len(new), bool)
    for number, rows in enumerate(rows_of):
        if verdict is None or not len(rows):
            continue
        reason = verdict(_tube(coarse, columns, number, rows, films[number]))
        if reason:
            span = (int(columns.frame_inds[rows[0]]), int(columns.frame_inds[rows[-1]]))
            changes.append(Change(films[number], 'delete', names[number], '', span, f'no person: {reason}'))
            gone.append((rows, -1, number if number < len(columns.tids) else None))
            deleted[rows] = True
    doubled = _doubled(columns, new, deleted)
    for number in np.unique(new[doubled[0]]).tolist():
        mine = new[doubled[0]] == number
        rows = np.unique(doubled[0][mine])
        other = names[int(new[doubled[1][mine][0]])]
        span = (int(columns.frame_inds[rows].min()), int(columns.frame_inds[rows].max()))
        cause = f'{len(rows)} boxes with an IoU above {SAME_PERSON_IOU} with those of {other}'
        changes.append(Change(films[number], 'delete boxes', names[number], '', span, cause))
        gone.append((rows, -1, number if number < len(columns.tids) else None))
    return changes, gone


def _tube(coarse: SEALAnnotations, columns: BoxColumns, number: int, rows: np.ndarray, vid: str) -> Tube:
    frames, boxes, scores, flags = columns.track(rows)
    return Tube(number, frames, frames / coarse.videos[vid].fps, boxes, scores, (flags & INTERPOLATED) == 0)


def _doubled(columns: BoxColumns, new: np.ndarray, deleted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return boxes that lie on a box of a longer tubelet, and those boxes."""
    pictures, lengths = columns.pictures(), np.bincount(new, minlength=1)
    order = np.flatnonzero(~deleted)
    order = order[np.argsort(pictures[order], kind='stable')]
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([np.zeros(0, np.int64)], [np.zeros(0, np.int64)])
    for distance in range(1, len(order)):
        one, other = order[:-distance], order[distance:]
        together = pictures[one] == pictures[other]
        if not together.any():
            break
        one, other = one[together], other[together]
        same = paired_box_iou(columns.boxes_px[one], columns.boxes_px[other]) > SAME_PERSON_IOU
        one, other = one[same], other[same]
        longer = (lengths[new[one]] > lengths[new[other]]) | (
            (lengths[new[one]] == lengths[new[other]]) & (new[one] < new[other])
        )
        found[0].append(np.where(longer, other, one))
        found[1].append(np.where(longer, one, other))
    return np.concatenate(found[0]), np.concatenate(found[1])


def _refuse_two_boxes(columns: BoxColumns, new: np.ndarray, names: list[str]) -> None:
    order = np.lexsort((columns.frame_inds, new))
    order = order[new[order] >= 0]
    again = (np.diff(new[order]) == 0) & (np.diff(columns.frame_inds[order]) == 0)
    if again.any():
        row = int(order[1:][again][0])
        told = f'tubelet {names[int(new[row])]!r} would have two boxes in frame {int(columns.frame_inds[row])}'
        raise InputError(f'decisions of {STEP}: {told}; two people who exchanged their IDs are put right together')


def _assemble(coarse: SEALAnnotations, columns: BoxColumns, new: np.ndarray, names: list[str]) -> SEALAnnotations:
    came_from = origins(new, columns.tubelet, len(names))
    next_person: dict[str, int] = {}
    for tubelet in coarse.tubelets.values():
        next_person[tubelet.vid] = max(next_person.get(tubelet.vid, 0), tubelet.person_id + 1)
    records, tracks = {}, {}
    for number, rows in enumerate(columns.rows_of(new, len(names))):
        tracks[names[number]] = columns.track(rows)
        if not len(rows):
            continue
        origin = tuple(columns.tids[source] for source in came_from[number])
        if number < len(columns.tids):
            before = coarse.tubelets[columns.tids[number]]
            records[names[number]] = replace(before, origin=origin, stage=2)
        else:
            before = coarse.tubelets[columns.tids[int(columns.tubelet[rows[0]])]]
            person = next_person[before.vid]
            next_person[before.vid] += 1
            records[names[number]] = replace(before, origin=origin, stage=2, person_id=person)
    return assemble(coarse, records, tracks)
