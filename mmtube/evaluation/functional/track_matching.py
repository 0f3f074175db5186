"""CLEAR MOT and the identity measures.

All sequences are scored at once; every count comes back for each sequence, so that sums over sequences are exact and a
bootstrap can draw sequences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .track_pairs import Overlaps, Tracks, alone, assign, connected_groups, count_track_pairs


@dataclass(frozen=True, eq=False)
class ClearMOT:
    """CLEAR MOT, (S,) for each sequence unless it says otherwise.

    Args:
        matched (np.ndarray): (N,) int64 row of the prediction that each ground truth has, -1 for a miss.
        switched (np.ndarray): (N,) bool, whether the person had another ID at the match before.
        num_gt (np.ndarray): int64 ground-truth boxes.
        num_pred (np.ndarray): int64 predicted boxes.
        matches (np.ndarray): int64 boxes found, identity switches included.
        switches (np.ndarray): int64 identity switches.
        fragmentations (np.ndarray): int64 times that a person is lost and found again.
        mostly_tracked (np.ndarray): int64 people found in at least 80 % of their boxes.
        partially_tracked (np.ndarray): int64 people in between.
        mostly_lost (np.ndarray): int64 people found in less than 20 %.
        iou_sum (np.ndarray): float64 sum of the IoU of the matches.
    """

    matched: np.ndarray
    switched: np.ndarray
    num_gt: np.ndarray
    num_pred: np.ndarray
    matches: np.ndarray
    switches: np.ndarray
    fragmentations: np.ndarray
    mostly_tracked: np.ndarray
    partially_tracked: np.ndarray
    mostly_lost: np.ndarray
    iou_sum: np.ndarray


def clear_mot(truth: Tracks, found: Tracks, pairs: Overlaps, num_sequences: int, threshold: float = 0.5) -> ClearMOT:
    """Count misses, false positives and identity switches (Bernardin and Stiefelhagen 2008), as motmetrics does.

    In every picture a person keeps the ID that it had at its last match, however long ago, if that ID is there and
    reaches the threshold; of two people whose last ID is the same, the one with the lower ID keeps it. The others are
    paired so that there are as many pairs as possible and among those their IoU is largest. A person who is matched to
    another ID than at the match before is a switch. TrackEval differs in details: it keeps IDs only from the picture
    just before, and prefers a large IoU to many pairs.

    Args:
        truth (Tracks): Ground truth.
        found (Tracks): Predictions.
        pairs (Overlaps): Of both.
        num_sequences (int): Number of sequences S.
        threshold (float): Smallest IoU of a match. Defaults to 0.5.
    """
    pairs = pairs.reaching(threshold)
    matched, ious = _match_with_memory(truth, found, pairs)
    hit = matched >= 0
    by_track = np.lexsort((truth.picture, truth.track))
    switched = np.zeros(len(matched), bool)
    hits = by_track[hit[by_track]]
    other = found.track[matched[hits]]
    switched[hits[1:]] = (np.diff(truth.track[hits]) == 0) & (np.diff(other) != 0)

    begins = hit[by_track].copy()  # a run of found boxes begins where the box before was missed or of another person
    begins[1:] &= ~hit[by_track][:-1] | (np.diff(truth.track[by_track]) != 0)
    num_tracks = len(truth.track_sequence)
    runs = np.bincount(truth.track[by_track][begins], minlength=num_tracks)
    share = np.bincount(truth.track[hit], minlength=num_tracks) / np.maximum(truth.lengths, 1)

    def of_rows(sequence: np.ndarray) -> np.ndarray:
        return np.bincount(sequence, minlength=num_sequences)

    owner = truth.track_sequence
    return ClearMOT(
        matched,
        switched,
        num_gt=of_rows(truth.sequence),
        num_pred=of_rows(found.sequence),
        matches=of_rows(truth.sequence[hit]),
        switches=of_rows(truth.sequence[switched]),
        fragmentations=np.bincount(owner, np.maximum(runs - 1, 0), num_sequences).astype(np.int64),
        mostly_tracked=of_rows(owner[share >= 0.8]),
        partially_tracked=of_rows(owner[(share >= 0.2) & (share < 0.8)]),
        mostly_lost=of_rows(owner[share < 0.2]),
        iou_sum=np.bincount(truth.sequence[hit], ious[hit], num_sequences),
    )


def _match_with_memory(truth: Tracks, found: Tracks, pairs: Overlaps) -> tuple[np.ndarray, np.ndarray]:
    matched, ious = np.full(len(truth.picture), -1, np.int64), np.zeros(len(truth.picture))

    def take(which: np.ndarray) -> None:
        matched[pairs.gts[which]], ious[pairs.gts[which]] = pairs.dets[which], pairs.ious[which]

    lonely = alone(pairs.gts, pairs.dets)
    free, rest = np.flatnonzero(lonely), np.flatnonzero(~lonely)  # ordered by picture, as the ground truth is
    free_picture = truth.picture[pairs.gts[free]]
    take(free)
    person, track = truth.track[pairs.gts], found.track[pairs.dets]
    last = np.full(len(truth.track_sequence), -1, np.int64)
    told = 0
    parts = connected_groups(pairs.gts[rest], pairs.dets[rest])
    groups = sorted((rest[part].tolist() for part, _, _ in parts), key=min)
    for group in groups:
        until = int(np.searchsorted(free_picture, truth.picture[pairs.gts[group[0]]]))
        last[person[free[told:until]]] = track[free[told:until]]  # of a person's matches the latest stays
        told = until
        gone: set[int] = set()
        kept = []
        for pair in sorted(group):
            if last[person[pair]] == track[pair] and pairs.dets[pair] not in gone:
                kept.append(pair)
                gone.add(pairs.dets[pair])
        seen = set(pairs.gts[kept].tolist())
        left = np.array([p for p in group if pairs.gts[p] not in seen and pairs.dets[p] not in gone], np.int64)
        if len(left) == 1:
            kept += left.tolist()
        elif len(left):
            # One more pair outweighs all IoUs together.
            weights = pairs.ious[left] + len(left) + 1
            kept += left[assign(pairs.gts[left], pairs.dets[left], weights)].tolist()
        take(np.array(kept))
        last[person[kept]] = track[kept]
    return matched, ious


def identity_matches(truth: Tracks, found: Tracks, pairs: Overlaps, num_sequences: int, threshold: float) -> np.ndarray:
    """Return the true positives of the identity measures (Ristani et al. 2016).

    People and predicted IDs are paired one to one, for the whole sequence, so that as many boxes as possible agree:
    IDTP. IDF1 is 2 IDTP / (ground truths + predictions), IDP is IDTP / predictions, IDR is IDTP / ground truths.

    Args:
        truth (Tracks): Ground truth.
        found (Tracks): Predictions.
        pairs (Overlaps): Of both.
        num_sequences (int): Number of sequences S.
        threshold (float): Smallest IoU at which boxes agree.

    Returns:
        np.ndarray: (S,) int64.
    """
    pairs = pairs.reaching(threshold)
    people, ids, _, boxes = count_track_pairs(truth, found, pairs.gts, pairs.dets)
    best = assign(people, ids, boxes.astype(np.float64))
    owner = truth.track_sequence[people[best]]
    return np.bincount(owner, boxes[best], num_sequences).astype(np.int64)
