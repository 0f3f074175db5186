"""People with tubes and actions: the tube of each action, and who of one file is who of another.

An action of a person is the part of the person's tube that lies in the segment of the action: the boxes of frames whose
time is at or after its start and before its end. A segment without any box is put at the box nearest in time. Tables of
tubes count frames from 1, as the pickles of UCF101-24, JHMDB and MultiSports do; people count them from 0, as films do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from mmtube.errors import InputError
from mmtube.evaluation.tables import SegmentTable, TubeTable

from .ordering import pairs_of_groups
from .segments import duplicated_segments
from .video_tubes import CONVENTIONS, tie_columns, tube_overlaps

SAME_TIME_S = 1e-6
MATCH_TO = ('person', 'tubelet')
Key = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Person:
    """One person's boxes in a film, and what the person does.

    Args:
        video (str): The film.
        person (int): ID of the person in the film; several may have one, a tubelet each.
        frames (np.ndarray): (T,) int64, strictly increasing, from 0.
        times_s (np.ndarray): (T,) float64.
        boxes_px (np.ndarray): (T, 4) xyxy, half open.
        segments_s (np.ndarray): (M, 2) float64 start and end of the actions.
        labels (np.ndarray): (M,) int64.
        scores (np.ndarray): (M,) float64.
        places (Sequence[str]): Where each action stands, for messages.
    """

    video: str
    person: int
    frames: np.ndarray
    times_s: np.ndarray
    boxes_px: np.ndarray
    segments_s: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    places: Sequence[str]


def labelled_tubes(people: Sequence[Person], name: str, *, truth: bool = False) -> tuple[TubeTable, np.ndarray, int]:
    """Return the part of each person's tube that lies in each action.

    Args:
        people (Sequence[Person]): Who.
        name (str): File, for messages.
        truth (bool): Whether these are ground truth, without scores. Defaults to False.

    Returns:
        tuple[TubeTable, np.ndarray, int]: One tube for each action, in the order of the people; (N,) int64 number of
        the person of each; how many actions hold no box and were put at the nearest one.

    Raises:
        InputError: If a person acts and has no box at all, or a segment does not end after its start.
    """
    videos = sorted({person.video for person in people})
    number = {video: place for place, video in enumerate(videos)}
    frames, boxes, lengths, far = [np.zeros(0, np.int64)], [np.zeros((0, 4))], [], 0
    places = [place for person in people for place in person.places]
    for person in people:
        for place, (start_s, end_s) in zip(person.places, person.segments_s.tolist()):
            if not end_s > start_s:
                raise InputError(f'{name}: {place}: ends at {end_s:g} s, not after its start at {start_s:g} s')
            if not len(person.frames):
                raise InputError(f'{name}: {place}: the person has no box')
            first, last = np.searchsorted(person.times_s, [start_s - SAME_TIME_S, end_s - SAME_TIME_S])
            if first == last:
                far += 1
                first = int(np.abs(person.times_s - (start_s + end_s) / 2).argmin())
                last = first + 1
            frames.append(person.frames[first:last] + 1)
            boxes.append(person.boxes_px[first:last])
            lengths.append(last - first)
    owner = np.repeat(np.arange(len(people)), [len(person.labels) for person in people])
    table = TubeTable(
        videos=videos,
        video=np.array([number[people[person].video] for person in owner], np.int64),
        labels=np.concatenate([np.zeros(0, np.int64), *(person.labels for person in people)]),
        scores=None if truth else np.concatenate([np.zeros(0), *(person.scores for person in people)]),
        name=name,
        place=lambda row: places[row],
        offsets=np.cumsum([0, *lengths]),
        frames=np.concatenate(frames),
        boxes_px=np.concatenate(boxes),
    )
    return table, owner, far


def without_repeats(people: Sequence[Person]) -> tuple[list[Person], int, int]:
    """Remove actions that stand twice on a tubelet (same class, both times within 1 ms) or have no length.

    Returns:
        tuple[list[Person], int, int]: The people in the same order, how many actions were repeated, and how many had no
        length.
    """
    cleaned, repeats, empties = [], 0, 0
    for person in people:
        empty = person.segments_s[:, 1] <= person.segments_s[:, 0]
        one = np.zeros(len(person.labels), np.int64)
        table = SegmentTable([person.video], one, person.labels, segments_s=person.segments_s)
        repeated = duplicated_segments(table) & ~empty
        repeats, empties = repeats + int(repeated.sum()), empties + int(empty.sum())
        cleaned.append(some_actions(person, ~empty & ~repeated))
    return cleaned, repeats, empties


def some_actions(person: Person, keep: np.ndarray) -> Person:
    """Return a person with only the actions that ``keep`` (M,) bool selects."""
    columns = {name: getattr(person, name)[keep] for name in ('segments_s', 'labels', 'scores')}
    return replace(person, **columns, places=[person.places[row] for row in np.flatnonzero(keep)])


def keys_of(people: Sequence[Person], match_to: str) -> list[Key]:
    """Return the film of each and a number in it that tubelets of one person share, or each has of its own.

    Args:
        people (Sequence[Person]): Tubes or tubelets.
        match_to (str): ``'person'`` or ``'tubelet'``.

    Raises:
        ValueError: If ``match_to`` is neither.
    """
    if match_to not in MATCH_TO:
        raise ValueError(f'match_to must be one of {MATCH_TO}, got {match_to!r}')
    return [(one.video, one.person if match_to == 'person' else place) for place, one in enumerate(people)]


def match_people(
    people: Sequence[Person],
    found: Sequence[Person],
    *,
    match_to: str = 'person',
    min_iou: float = 0.5,
    names: tuple[str, str] = ('ground truth', 'predictions'),
) -> dict[Key, Key]:
    """Find out who is who: the one-to-one assignment within a film with the largest sum of tube IoUs.

    The IoU is that of :func:`mmtube.ops.tube_iou`, over whole tubes.

    Args:
        people (Sequence[Person]): Annotated tubelets.
        found (Sequence[Person]): Predicted tubes.
        match_to (str): As for :func:`keys_of`, for both. Tubelets of one person are joined. Defaults to 'person'.
        min_iou (float): Pairs below it are never matched. Defaults to 0.5.
        names (tuple[str, str]): Files, for messages.

    Returns:
        dict[Key, Key]: Of each predicted key that is matched, the annotated key.

    Raises:
        InputError: If a person has two boxes in a frame.
    """
    films = sorted({person.video for person in (*people, *found)})
    truth, truth_keys = _whole_tubes(people, keys_of(people, match_to), films, names[0])
    tubes, tube_keys = _whole_tubes(found, keys_of(found, match_to), films, names[1])
    pairs = [np.zeros((3, 0))]
    for rows, gts in pairs_of_groups(tubes.video, truth.video):
        temporal, spatial = tube_overlaps(truth, tubes, gts, rows, CONVENTIONS['plain'], min_iou=min_iou)
        near = np.flatnonzero(temporal * spatial >= min_iou)
        pairs.append(np.stack([rows, gts, temporal * spatial])[:, near])
    rows, gts, ious = np.concatenate(pairs, axis=1)
    rows, gts = rows.astype(np.int64), gts.astype(np.int64)
    matched: dict[Key, Key] = {}
    for film in np.unique(tubes.video[rows]):
        some = tubes.video[rows] == film
        mine, row = np.unique(rows[some], return_inverse=True)
        theirs, column = np.unique(gts[some], return_inverse=True)
        weights = np.zeros((len(mine), len(theirs)))
        weights[row, column] = ious[some]
        for place, other in zip(*linear_sum_assignment(weights, maximize=True)):
            if weights[place, other] > 0:
                matched[tube_keys[mine[place]]] = truth_keys[theirs[other]]
    return matched


def _whole_tubes(
    people: Sequence[Person], keys: Sequence[Key], films: Sequence[str], name: str
) -> tuple[TubeTable, list[Key]]:
    """Return one tube for each key that has boxes, in an order that does not depend on the file, and the keys."""
    parts: dict[Key, list[Person]] = {}
    for key, person in zip(keys, people):
        if len(person.frames):
            parts.setdefault(key, []).append(person)
    frames, boxes = [np.zeros(0, np.int64)], [np.zeros((0, 4))]
    for (video, _), some in parts.items():
        joined = np.concatenate([part.frames for part in some])
        rows = np.argsort(joined, kind='stable')
        if (np.diff(joined[rows]) == 0).any():
            raise InputError(f'{name}: person {some[0].person} of {video!r} has two boxes in a frame')
        frames.append(joined[rows])
        boxes.append(np.concatenate([part.boxes_px for part in some])[rows])
    number = {film: place for place, film in enumerate(films)}
    table = TubeTable(
        list(films),
        np.array([number[video] for video, _ in parts], np.int64),
        np.zeros(len(parts), np.int64),
        name=name,
        offsets=np.cumsum([0, *map(len, frames[1:])]),
        frames=np.concatenate(frames),
        boxes_px=np.concatenate(boxes),
    )
    found = list(parts)
    order = np.lexsort([[number for _, number in found], *tie_columns(table)[::-1]])
    return table.rows(order), [found[place] for place in order]
