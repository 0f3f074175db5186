"""Linking: whether the tubelets that were merged to one tube are one person, and whether all of them were merged.

--gt    annotations in the SEAL schema (.json); the ID is the person's
--pred  a result of this library (.json) or a folder of them, as tools/link_tubes.py and the pipeline write them: the ID
        of a tube is the person's, its tubelet IDs are those the tracker gave before linking

Predicted boxes are paired with people frame by frame at IoU 0.5 (--iou), without regard to IDs. A tubelet is of the
person that most of its boxes show, if they are at least 10 % of its boxes (--min-share), else of nobody.

id_purity        boxes that are in a tube of their own person (the one that most boxes of the tube show)
id_completeness  boxes that are in the one tube where their person mostly is; both over boxes that show a person
IDF1             of the tubes; *_before_linking are the same numbers with the tubelets as people: what linking gained
merge_precision  merges of tubelets that follow each other in a tube and show one person, over those that show one
                 person or two; 1 minus it is the rate of wrong merges. With a tubelet of nobody a merge is undecided
merge_recall     merges made over merges needed: the tubelets of a person need one less than there are; missed are the
                 tubes they are in, less one. 1 minus it is the rate of missed merges

--ids-per-shot lets the IDs of the ground truth end at its shot changes, as SEAL does not merge IDs over a cut; --videos
and --with-returns score a part of the films. The convention that is printed says so.

The JSON has a row for each tube and for each person, and the wrong and missed merges with time and box.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.linking import NOBODY, Merges, Purity, boxes_of_people, merges, purity
from mmtube.evaluation.functional.track_matching import identity_matches
from mmtube.evaluation.functional.track_pairs import Tracks, overlaps
from mmtube.evaluation.readers.track_scope import add_scope_arguments, scoped
from mmtube.evaluation.readers.tracks import TrackTable, read_results, read_truth, track_table
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.tracks import add_worst, identity_evidence, numbered, without_distractors
from mmtube.evaluation.tables import align, video_counts

MIN_SHARE = 0.1
MAX_WORST = 25


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--iou', type=float, default=0.5, help='smallest IoU of a box with a person (default 0.5)')
    parser.add_argument(
        '--min-share',
        type=float,
        default=MIN_SHARE,
        help=f"share of a tubelet's boxes that must show its person (default {MIN_SHARE:g})",
    )
    add_scope_arguments(parser)


def evaluate(args: argparse.Namespace) -> EvaluationResult:
    """Read and score."""
    truth = read_truth(args.gt)
    films = read_results(args.pred)
    reasons = {(name, link.earlier_id, link.later_id): link.reason for name, result in films for link in result.links}
    found = track_table([(name, result.tubes, None) for name, result in films], str(args.pred))
    truth, found, scope = scoped(truth, found, args)
    return score_tables(truth, found, iou=args.iou, min_share=args.min_share, reasons=reasons, scope=scope)


@dataclass(frozen=True, eq=False)
class _Side:
    """Predictions numbered by tubes or by tubelets, with what they were matched to."""

    tracks: Tracks
    idtp: np.ndarray
    counted: Purity

    @property
    def first(self) -> np.ndarray:
        """(K,) rows where the tracks begin."""
        return np.unique(self.tracks.track, return_index=True)[1]

    @property
    def last(self) -> np.ndarray:
        """(K,) rows where the tracks end."""
        return len(self.tracks.track) - 1 - np.unique(self.tracks.track[::-1], return_index=True)[1]


def score_tables(
    truth: TrackTable,
    found: TrackTable,
    *,
    iou: float = 0.5,
    min_share: float = MIN_SHARE,
    reasons: Mapping[tuple[str, int, int], str] | None = None,
    scope: Sequence[str] = (),
) -> EvaluationResult:
    """Score linked tubes.

    Args:
        truth (TrackTable): Ground truth.
        found (TrackTable): Tubes; ``ids`` of people, ``tubelets`` before linking.
        iou (float): Smallest IoU of a box with a person. Defaults to 0.5.
        min_share (float): Share of a tubelet's boxes that must show its person. Defaults to 0.1.
        reasons (Mapping | None): What the linker says of a merge, by video and the IDs of both tubelets. Defaults to
            None.
        scope (Sequence[str]): What part of the ground truth it is, in words. Defaults to none, all of it.

    Raises:
        InputError: If a table cannot be scored, or a tubelet is in two tubes.
    """
    if not (0 < iou <= 1 and 0 <= min_share <= 1):
        raise InputError(f'the IoU must lie in (0, 1] and the share in [0, 1]: {iou:g}, {min_share:g}')
    truth.check()
    found.check()
    _check_tubelets(found)
    truth, found = align(truth, found)
    truth, found, notes = without_distractors(truth, found)
    num = len(truth.videos)
    sides, person_of_row = {}, None
    for name, ids in (('tubes', found.ids), ('tubelets', found.tubelets)):
        gt, tracks = numbered(truth, replace(found, ids=ids))
        pairs = overlaps(gt, tracks)
        people = len(gt.track_sequence)
        if person_of_row is None:
            person_of_row = np.full(len(found), NOBODY, np.int64)
            person_of_row[tracks.row] = boxes_of_people(gt, tracks, pairs, iou)
        counted = purity(person_of_row[tracks.row], tracks.track, people, len(tracks.track_sequence))
        sides[name] = _Side(tracks, identity_matches(gt, tracks, pairs, num, iou), counted)
    tubes, tubelets = sides['tubes'], sides['tubelets']
    enough = tubelets.counted.own >= min_share * tubelets.tracks.lengths
    person = np.where(enough, tubelets.counted.person, NOBODY)
    tube_of_row = np.empty(len(found), np.int64)
    tube_of_row[tubes.tracks.row] = tubes.tracks.track
    tube = tube_of_row[tubelets.tracks.row[tubelets.first]]
    judged = merges(person, tube, tubelets.tracks.picture[tubelets.first], people)
    metrics = _metrics(gt, tubes, tubelets, judged, person)
    counts = video_counts(truth, found) | {
        'people': people,
        'tubes': len(tubes.tracks.track_sequence),
        'tubelets': len(person),
        'boxes_of_nobody': int((person_of_row == NOBODY).sum()),
    }
    boxes = np.bincount(truth.video, minlength=num) + np.bincount(found.video, minlength=num)
    evidence = identity_evidence(truth.videos, tubes.idtp, boxes)
    convention = (
        f'boxes are paired with people at IoU {iou:g} frame by frame; a tubelet is of the person that most of its '
        f'boxes show, at least {min_share:g} of them; merges are joints of tubelets that follow each other in a tube; '
        'purity and completeness over boxes that show a person; IDF1 over all boxes'
        + ''.join(f'; {part}' for part in scope)
    )
    tables = {
        'tubes': _tube_table(truth, gt, found, tubes, tube),
        'people': _people_table(truth, gt, tubes, judged),
        'worst': _worst(truth, gt, found, tubelets, person, tube, judged, reasons or {}),
    }
    return EvaluationResult(
        'linking', convention, metrics, counts, notes + _notes(found, judged, person), tables, evidence=evidence
    )


def _check_tubelets(found: TrackTable) -> None:
    order = np.lexsort((found.ids, found.tubelets, found.video))
    keys = np.stack([found.video, found.tubelets])[:, order]
    again = np.zeros(len(found), bool)
    again[order[1:]] = (np.diff(keys) == 0).all(axis=0) & (np.diff(found.ids[order]) != 0)
    found.refuse(again, 'its tubelet is in another tube too')


def _notes(found: TrackTable, judged: Merges, person: np.ndarray) -> list[str]:
    notes = []
    if not len(found):
        notes.append('nothing was predicted: all ground truth is missed')
    elif not len(judged.earlier):
        notes.append('no tube holds more than one tubelet: nothing was merged, so nothing wrongly')
    if len(found) and (person != NOBODY).any() and not judged.needed.any():
        notes.append('no person has more than one tubelet: there was nothing to merge')
    return notes


def _metrics(gt: Tracks, tubes: _Side, tubelets: _Side, judged: Merges, person: np.ndarray) -> dict[str, float | int]:
    total = len(gt.picture) + len(tubes.tracks.picture)

    def numbers(side: _Side) -> dict[str, float]:
        counted = side.counted
        return {
            'IDF1': float(2 * side.idtp.sum() / total),
            'id_purity': float(counted.own.sum() / max(counted.matched.sum(), 1)),
            'id_completeness': float(counted.main.sum() / max(counted.seen.sum(), 1)),
        }

    linked, before = numbers(tubes), numbers(tubelets)
    right, wrong = int(judged.right.sum()), int(judged.wrong.sum())
    needed, missed = int(judged.needed.sum()), int(judged.missed.sum())
    nothing = float((person != NOBODY).any())  # where there was nothing to decide
    metrics: dict[str, float | int] = {}
    for name, value in linked.items():
        metrics |= {name: value, f'{name}_before_linking': before[name]}
    return metrics | {
        'merge_precision': right / (right + wrong) if right + wrong else nothing,
        'merge_recall': (needed - missed) / needed if needed else nothing,
        'box_recall': float(tubes.counted.matched.sum() / len(gt.picture)),
        'right_merges': right,
        'wrong_merges': wrong,
        'undecided_merges': len(judged.earlier) - right - wrong,
        'missed_merges': missed,
        'tubelets_of_nobody': int((person == NOBODY).sum()),
    }


def _person_ids(truth: TrackTable, gt: Tracks) -> np.ndarray:
    ids = np.empty(len(gt.track_sequence), np.int64)
    ids[gt.track] = truth.ids[gt.row]
    return ids


def _tube_table(truth: TrackTable, gt: Tracks, found: TrackTable, tubes: _Side, tube: np.ndarray) -> dict[str, list]:
    ids, counted = _person_ids(truth, gt), tubes.counted
    rows = tubes.tracks.row[tubes.first]
    return {
        'video': [truth.videos[video] for video in tubes.tracks.track_sequence],
        'tube': found.ids[rows].tolist(),
        'boxes': tubes.tracks.lengths.tolist(),
        'tubelets': np.bincount(tube, minlength=len(rows)).tolist(),
        'person': [None if person == NOBODY else int(ids[person]) for person in counted.person],
        'boxes_of_people': counted.matched.tolist(),
        'purity': [float(own / all_) if all_ else None for own, all_ in zip(counted.own, counted.matched)],
    }


def _people_table(truth: TrackTable, gt: Tracks, tubes: _Side, judged: Merges) -> dict[str, list]:
    counted = tubes.counted
    return {
        'video': [truth.videos[video] for video in gt.track_sequence],
        'person': _person_ids(truth, gt).tolist(),
        'boxes': gt.lengths.tolist(),
        'boxes_found': counted.seen.tolist(),
        'completeness': [float(main / seen) if seen else None for main, seen in zip(counted.main, counted.seen)],
        'merges_needed': judged.needed.tolist(),
        'merges_missed': judged.missed.tolist(),
    }


def _worst(
    truth: TrackTable,
    gt: Tracks,
    found: TrackTable,
    tubelets: _Side,
    person: np.ndarray,
    tube: np.ndarray,
    judged: Merges,
    reasons: Mapping[tuple[str, int, int], str],
) -> dict[str, list]:
    """Return wrong merges, then missed ones; those of the longest tubelets first."""
    ids, lengths = _person_ids(truth, gt), tubelets.tracks.lengths
    begin, end = tubelets.tracks.row[tubelets.first], tubelets.tracks.row[tubelets.last]
    table: dict[str, list] = {name: [] for name in ('video', 'time_s', 'x1', 'y1', 'x2', 'y2', 'text')}

    def add(earlier: np.ndarray, later: np.ndarray, missed: bool) -> None:
        order = np.argsort(-np.minimum(lengths[earlier], lengths[later]), kind='stable')[:MAX_WORST]
        for one, two in zip(earlier[order], later[order]):
            first, second = int(found.tubelets[begin[one]]), int(found.tubelets[begin[two]])
            gap_s = found.times_s[begin[two]] - found.times_s[end[one]]
            if missed:
                text = f'missed merge: person {ids[person[one]]} is in tube {found.ids[begin[one]]} (tubelet {first}) '
                text += f'and in tube {found.ids[begin[two]]} (tubelet {second})'
            else:
                text = f'wrong merge in tube {found.ids[begin[two]]}: tubelet {first} is person {ids[person[one]]}, '
                text += f'tubelet {second} is person {ids[person[two]]}'
            text += f', gap {gap_s:.2f} s' if np.isfinite(gap_s) else ''
            reason = reasons.get((found.videos[found.video[begin[two]]], first, second))
            add_worst(table, found, int(begin[two]), text + (f', {reason}' if reason else ''))

    add(judged.earlier[judged.wrong], judged.later[judged.wrong], missed=False)
    shows = np.flatnonzero(person != NOBODY)
    by_person = shows[np.lexsort((tubelets.tracks.picture[tubelets.first][shows], person[shows]))]
    one, two = by_person[:-1], by_person[1:]
    apart = (person[one] == person[two]) & (tube[one] != tube[two])
    add(one[apart], two[apart], missed=True)
    return table
