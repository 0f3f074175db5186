"""Rules about who is who: two boxes of one ID, two IDs on one person, IDs over cuts, how many people are annotated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmtube.ops import paired_box_iou

from .box_rules import runs
from .columns import FRAME_SPAN, Columns
from .instance_rules import latest

Places = Iterator[tuple[str, str]]
SAME_PERSON_IOU = 0.9
MAX_SUBJECTS = 3  # SEAL, Sec. 3.1


def _pair_runs(columns: Columns, first: np.ndarray, second: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Divide pairs of boxes into runs of neighbours in the tracks of the same two tubelets."""
    order = np.lexsort((first, columns.box_tubelet[second], columns.box_tubelet[first]))
    first, second = first[order], second[order]
    begin = 0
    for run in runs(first, columns.box_tubelet[first], columns.box_tubelet[second]):
        yield run, second[begin : begin + len(run)]
        begin += len(run)


def id_twice_in_frame(columns: Columns) -> Places:
    """an ID has boxes of two tubelets in one frame"""
    found = [np.zeros((2, 0), np.int32)]
    for first, second in columns.pairs_in_frames():
        tubelets = columns.box_tubelet[first], columns.box_tubelet[second]
        twice = (tubelets[0] != tubelets[1]) & (columns.person_ids[tubelets[0]] == columns.person_ids[tubelets[1]])
        found.append(np.stack([first[twice], second[twice]]))
    for run, others in _pair_runs(columns, *np.concatenate(found, axis=1)):
        tubelet, other = columns.box_tubelet[run[0]], columns.box_tubelet[others[0]]
        person = columns.person_ids[tubelet]
        yield columns.box_place(run[0], run[-1]), f'person {person} also has a box of tubelet {columns.tids[other]!r}'


def overlapping_ids(columns: Columns) -> Places:
    """boxes of two IDs in one frame have an IoU above 0.9"""
    boxes = columns.annotations.boxes.boxes_px
    found, ious = [np.zeros((2, 0), np.int32)], [np.zeros(0)]
    for first, second in columns.pairs_in_frames():
        differ = columns.person_ids[columns.box_tubelet[first]] != columns.person_ids[columns.box_tubelet[second]]
        first, second = first[differ], second[differ]
        with np.errstate(invalid='ignore'):
            iou = paired_box_iou(boxes[first], boxes[second])
        found.append(np.stack([first, second])[:, iou > SAME_PERSON_IOU])
        ious.append(iou[iou > SAME_PERSON_IOU])
    pairs = np.concatenate(found, axis=1)
    by_pair = dict(zip(map(tuple, pairs.T.tolist()), np.concatenate(ious).tolist()))
    for run, others in _pair_runs(columns, *pairs):
        worst = max(by_pair[pair] for pair in zip(run.tolist(), others.tolist()))
        person, other = (columns.box_tubelet[rows[0]] for rows in (run, others))
        told = f'tubelet {columns.tids[other]!r}, person {columns.person_ids[other]}'
        cause = f'person {columns.person_ids[person]} has nearly the box of {told} (IoU up to {worst:.2f})'
        yield columns.box_place(run[0], run[-1]), cause


def _people(columns: Columns) -> np.ndarray:
    """Return (T',) tubelets with a film and frames, by film, person and first frame."""
    first, end = columns.frame_ranges.T
    known = np.flatnonzero((columns.tubelet_video >= 0) & (end > first))
    return known[np.lexsort((first[known], columns.person_ids[known], columns.tubelet_video[known]))]


def _person_number(columns: Columns, tubelets: np.ndarray) -> np.ndarray:
    """Return numbers from 1 that change with the film or the person."""
    video, person = columns.tubelet_video[tubelets], columns.person_ids[tubelets]
    return np.cumsum((np.diff(video, prepend=-1) != 0) | (np.diff(person, prepend=-1) != 0))


def id_in_two_tubelets(columns: Columns) -> Places:
    """two tubelets of one ID overlap in time"""
    tubelets = _people(columns)
    if not len(tubelets):
        return
    first, end = columns.frame_ranges[tubelets].T
    person = _person_number(columns, tubelets)
    before = latest(person, end.astype(np.float64))[:-1]
    for later in np.flatnonzero((person[before] == person[1:]) & (end[before] > first[1:])) + 1:
        other = before[later - 1]
        told = f'{columns.tids[tubelets[other]]!r}, frames {first[other]} to {end[other]}'
        number = tubelets[later]
        cause = f'person {columns.person_ids[number]} at frames {first[later]} to {end[later]} is also in {told}'
        yield columns.tubelet_place(number), cause


def id_across_cut(columns: Columns) -> Places:
    """an ID goes on across a shot change that no reviewer approved"""
    starts = columns.shot_starts
    spans, tubelets = columns.box_spans, _people(columns)
    tubelets = tubelets[spans[tubelets, 1] >= spans[tubelets, 0]]
    if not len(starts) or not len(tubelets):
        return
    keys = columns.tubelet_video[tubelets, None] * FRAME_SPAN + spans[tubelets]
    shots = np.searchsorted(starts, keys, side='right') - 1
    # A shot of another film, or none, means that the shots of this film are not known.
    known = (shots >= 0) & (starts[shots] // FRAME_SPAN == columns.tubelet_video[tubelets, None])
    approved = columns.across_shots[tubelets]
    for row in np.flatnonzero(known.all(axis=1) & (shots[:, 0] != shots[:, 1]) & ~approved):
        cut = starts[shots[row, 0] + 1] % FRAME_SPAN
        person = columns.person_ids[tubelets[row]]
        yield columns.tubelet_place(tubelets[row]), f'person {person} has boxes on both sides of the cut at frame {cut}'
    person = _person_number(columns, tubelets)
    merged = (person[1:] == person[:-1]) & (shots[1:, 0] > shots[:-1, 1]) & ~approved[1:] & ~approved[:-1]
    for row in np.flatnonzero(merged & known[1:, 0] & known[:-1, 1]) + 1:
        cut, number = starts[shots[row, 0]] % FRAME_SPAN, tubelets[row]
        before = columns.tids[tubelets[row - 1]]
        cause = f'person {columns.person_ids[number]} was in {before!r} before the cut at frame {cut}'
        yield columns.tubelet_place(number), cause


def too_many_subjects(columns: Columns) -> Places:
    """more than 3 subjects have a box in one frame"""
    if not len(columns.aa.table) + len(columns.ca.table):
        return  # all people of the films, not the subjects of an annotation
    subjects = np.append(columns.stages > 1, False)[columns.key_tubelet]
    keep = np.repeat(subjects, np.diff(columns.annotations.boxes.offsets))
    for rows, keys in columns.frame_chunks(None if keep.all() else keep):
        if len(rows) <= MAX_SUBJECTS:
            continue
        many = np.unique(keys[MAX_SUBJECTS:][keys[MAX_SUBJECTS:] == keys[:-MAX_SUBJECTS]])
        crowd = np.isin(keys, many)
        people = np.unique(np.stack([keys[crowd], columns.person_ids[columns.box_tubelet[rows[crowd]]]], 1), axis=0)
        frames, begin, count = np.unique(people[:, 0], return_index=True, return_counts=True)
        frames, begin, count = (column[count > MAX_SUBJECTS] for column in (frames, begin, count))
        done = 0
        for run in runs(frames, frames // FRAME_SPAN):
            worst = done + count[done : done + len(run)].argmax()
            who = people[begin[worst] : begin[worst] + count[worst], 1]
            video, (first, last) = run[0] // FRAME_SPAN, run[[0, -1]] % FRAME_SPAN
            told = f'{count[worst]} subjects ({", ".join(map(str, who))})'
            yield (
                columns.video_place(video),
                f'frames {first} to {last} have up to {told}, at most {MAX_SUBJECTS} are due',
            )
            done += len(run)


def shots_incomplete(columns: Columns) -> Places:
    """the shots of a film do not begin with its first frame or end with its last, as if counted from 1"""
    for number, video in enumerate(columns.annotations.videos.values()):
        if video.shots and (video.shots[0][0] > 0 or video.shots[-1][1] < video.num_frames):
            told = f'go from frame {video.shots[0][0]} to {video.shots[-1][1]}, half open'
            yield columns.video_place(number), f'its shots {told}, the film has the frames 0 to {video.num_frames}'
