"""Step 4, long refine: a reviewer's decisions are applied and the subjects are chosen (SEAL, Sec. 3.1 and 3.2)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from mmtube.models.trackers import SubjectChooser, guess_heads
from mmtube.structures import Tube
from mmtube.structures.seal import HEAD_VISIBLE, InstanceTable, LabelMap, SEALAnnotations

from .changes import Change, ChangeList
from .corrected import adopt, read_corrected, with_corrected
from .long_merge import merge_persons
from .tables import assemble, tubes_by_person

STEP = 'long-refine'
SHORTEST_S = {'aa': 0.6, 'ca': 0.0}  # atomic actions that are shorter are not counted (SEAL, Sec. 3.3)


def long_refine(
    merged: SEALAnnotations,
    chooser: SubjectChooser | None,
    merges: ChangeList | None = None,
    corrected: tuple[str | os.PathLike, Mapping[str, LabelMap]] | None = None,
) -> tuple[SEALAnnotations, ChangeList]:
    """Apply a reviewer's decisions and choose the subjects.

    Args:
        merged (SEALAnnotations): Tubelets of stage 3.
        chooser (SubjectChooser | None): None keeps all people.
        merges (ChangeList | None): The merges of step 3 with decisions: those that are accepted hold, no others.
            Defaults to None: those of step 3 hold.
        corrected (tuple | None): "CVAT for video 1.1" XML or a folder of them, made from ``merged``, and label maps by
            task. IDs that were changed there by hand go before ``merges``. Defaults to None.

    Returns:
        tuple[SEALAnnotations, ChangeList]: Tubelets of stage 4, one for each subject; and what was done.

    Raises:
        InputError: If a file cannot be used, a merge cannot be made, or a person has two boxes in a frame.
    """
    people = reviewed = review_merges(merged, merges) if merges is not None else merged
    traced = {tid: replace(record, origin=(tid,)) for tid, record in people.tubelets.items()}
    people = replace(people, tubelets=traced)
    told: list[Change] = []
    if corrected is not None:
        path, label_maps = corrected
        adopted, told = adopt(merged, read_corrected(path, merged, label_maps, stage=4))
        people = with_corrected(people, keep_corrected_persons(adopted, merged, reviewed))
    people.name = merged.name
    subjects, changes = choose_subjects(people, chooser)
    order = {vid: number for number, vid in enumerate(merged.videos)}
    return subjects, ChangeList(STEP, sorted([*told, *changes], key=lambda change: order[change.film]))


def review_merges(merged: SEALAnnotations, merges: ChangeList) -> SEALAnnotations:
    """Return tubelets with the persons that follow from the accepted merges alone.

    Args:
        merged (SEALAnnotations): Tubelets of stage 3.
        merges (ChangeList): The merges of step 3 with decisions.

    Raises:
        InputError: If an accepted merge cannot be made, see ``merge_persons``.
    """
    records = {
        tid: replace(record, person_id=merges.persons.get(tid, record.person_id))
        for tid, record in merged.tubelets.items()
    }
    apart = replace(merged, tubelets=records)
    people = merge_persons(apart, merges.changes, merges.name)
    return replace(merged, tubelets={tid: replace(records[tid], person_id=who) for tid, who in zip(records, people)})


def keep_corrected_persons(
    corrected: SEALAnnotations, exported: SEALAnnotations, reviewed: SEALAnnotations
) -> SEALAnnotations:
    """Return corrected tubelets in which a reviewer's decisions hold where the ID was not changed by hand.

    Args:
        corrected (SEALAnnotations): What came back from CVAT, traced back.
        exported (SEALAnnotations): What was given to CVAT.
        reviewed (SEALAnnotations): The same after the decisions.
    """
    records = {}
    for tid, record in corrected.tubelets.items():
        people = {exported.tubelets[source].person_id for source in record.origin if source in exported.tubelets}
        if people == {record.person_id}:
            record = replace(record, person_id=reviewed.tubelets[record.origin[0]].person_id)
        records[tid] = record
    return replace(corrected, tubelets=records)


def choose_subjects(people: SEALAnnotations, chooser: SubjectChooser | None) -> tuple[SEALAnnotations, list[Change]]:
    """Join the tubelets of each person and choose the subjects of each film.

    Heads are taken from the flags in films that have any, else guessed from the boxes.

    Args:
        people (SEALAnnotations): Tubelets whose ``origin`` is of step 3.
        chooser (SubjectChooser | None): None keeps all people.

    Returns:
        tuple[SEALAnnotations, list[Change]]: Tubelets of stage 4, one for each person; and who was left out and why.

    Raises:
        InputError: If a person has two boxes in a frame.
    """
    records, tracks = {}, {}
    changes: list[Change] = []
    joined: dict[str, str] = {}
    for vid, tids in people.tids_by_video().items():
        tubes, names = tubes_by_person(people, vid, tids)
        flags = {tube.track_id: _column(people, names, tube, 'flags') for tube in tubes}
        flagged = any((column & HEAD_VISIBLE).any() for column in flags.values())
        heads = [(flags[t.track_id] & HEAD_VISIBLE) > 0 for t in tubes] if flagged else guess_heads(tubes)
        verdicts = chooser.choose(tubes, heads) if chooser is not None else [None] * len(tubes)
        for tube, verdict in zip(tubes, verdicts):
            keep = np.ones(len(tube), bool) if verdict is None else verdict.keep
            parts = [names[number] for number in dict.fromkeys(tube.tubelet_ids.tolist())]
            tid = parts[0]
            if verdict is not None and verdict.reason:
                kind = 'shorten' if keep.any() else 'leave out'
                span = (int(tube.frame_inds[0]), int(tube.frame_inds[-1]))
                changes.append(Change(vid, kind, tid, '', span, f'person {tube.track_id}: {verdict.reason}'))
            joined.update(dict.fromkeys(parts, tid))
            if not keep.any():
                continue
            kept = [names[number] for number in dict.fromkeys(tube.tubelet_ids[keep].tolist())]
            origin = tuple(dict.fromkeys(source for part in kept for source in people.tubelets[part].origin))
            across = any(people.tubelets[part].across_shots for part in kept)
            records[tid] = replace(people.tubelets[tid], origin=origin, stage=4, across_shots=across)
            scores = _column(people, names, tube, 'scores')
            tracks[tid] = (tube.frame_inds[keep], tube.boxes_px[keep], scores[keep], flags[tube.track_id][keep])
    tables = {}
    for name in ('aa', 'ca'):
        tables[name], lost = _instances(people, name, joined, tracks)
        changes += lost
    order = {vid: number for number, vid in enumerate(people.videos)}
    return assemble(people, records, tracks, **tables), sorted(changes, key=lambda change: order[change.film])


def _column(people: SEALAnnotations, names: dict[int, str], tube: Tube, name: str) -> np.ndarray:
    """Return a column of the box table for the rows of a joined tube, in which tubelets may alternate."""
    numbers = np.unique(tube.tubelet_ids).tolist()
    parts = [people.track(names[number]) for number in numbers]
    frames = np.concatenate([part.frame_inds for part in parts])
    return np.concatenate([getattr(part, name) for part in parts])[np.argsort(frames, kind='stable')]


def _instances(
    people: SEALAnnotations, name: str, joined: dict[str, str], tracks: dict[str, tuple]
) -> tuple[InstanceTable, list[Change]]:
    """Return the actions of the subjects, cut to the time in which they have boxes, and those that are lost by it."""
    table: InstanceTable = getattr(people, name)
    rows, lost = [], []
    columns = (table.tids, table.labels, table.groups, table.start_s, table.end_s)
    for tid, label, group, start_s, end_s in zip(*(column.tolist() for column in columns)):
        if tid not in joined:
            continue
        subject, video = joined[tid], people.videos[people.tubelets[tid].vid]
        left_s = 0.0
        if subject in tracks:
            frames = tracks[subject][0]
            first_s, last_s = float(frames[0]) / video.fps, float(frames[-1] + 1) / video.fps
            start_cut_s, end_cut_s = max(start_s, first_s), min(end_s, last_s)
            inside = (frames >= np.floor(start_cut_s * video.fps)) & (frames < np.ceil(end_cut_s * video.fps))
            left_s = end_cut_s - start_cut_s if inside.any() else 0.0
        if left_s > 0 and left_s >= SHORTEST_S[name] - 1e-9:
            rows.append((subject, label, group, start_cut_s, end_cut_s))
        else:
            span = (int(start_s * video.fps), int(end_s * video.fps))
            cause = f'class {label} at {start_s:g} to {end_s:g} s: the person is not chosen or has no boxes there'
            lost.append(Change(people.tubelets[tid].vid, f'drop {name}', tid, '', span, cause))
    return InstanceTable.from_rows(rows), lost
