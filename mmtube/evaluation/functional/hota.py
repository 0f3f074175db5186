"""Higher order tracking accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .track_pairs import Overlaps, Tracks, assign, count_track_pairs

ALPHAS = np.arange(1, 20) / 20


@dataclass(frozen=True, eq=False)
class HOTA:
    """HOTA and its parts at each localisation threshold.

    Args:
        hota (np.ndarray): (A,) float64, the geometric mean of ``det_a`` and ``ass_a``.
        det_a (np.ndarray): (A,) float64 detection accuracy.
        det_re (np.ndarray): (A,) float64 detection recall.
        det_pr (np.ndarray): (A,) float64 detection precision.
        ass_a (np.ndarray): (A,) float64 association accuracy.
        ass_re (np.ndarray): (A,) float64 association recall.
        ass_pr (np.ndarray): (A,) float64 association precision.
        loc_a (np.ndarray): (A,) float64 mean IoU of the matches.
    """

    hota: np.ndarray
    det_a: np.ndarray
    det_re: np.ndarray
    det_pr: np.ndarray
    ass_a: np.ndarray
    ass_re: np.ndarray
    ass_pr: np.ndarray
    loc_a: np.ndarray


@dataclass(frozen=True, eq=False)
class HOTACounts:
    """What HOTA is made of, for each sequence; sums over sequences give the official combined score.

    Args:
        num_gt (np.ndarray): (S,) int64 ground-truth boxes.
        num_pred (np.ndarray): (S,) int64 predicted boxes.
        matches (np.ndarray): (S, A) int64 true positives.
        ass_a (np.ndarray): (S, A) float64 sum over the true positives of their association accuracy.
        ass_re (np.ndarray): (S, A) float64 likewise of their association recall.
        ass_pr (np.ndarray): (S, A) float64 likewise of their association precision.
        iou (np.ndarray): (S, A) float64 sum of the IoU of the true positives.
    """

    num_gt: np.ndarray
    num_pred: np.ndarray
    matches: np.ndarray
    ass_a: np.ndarray
    ass_re: np.ndarray
    ass_pr: np.ndarray
    iou: np.ndarray

    def scores(self, sequences: np.ndarray | slice = slice(None)) -> HOTA:
        """Return the scores over some sequences together (by default over all).

        As in TrackEval, association is averaged over all true positives, detection is from the summed counts, and LocA
        is 1 at a threshold that no match reaches; unlike there it is 0 where nothing matches at any threshold.
        """
        gt, pred = self.num_gt[sequences].sum(), self.num_pred[sequences].sum()
        found = self.matches[sequences].sum(axis=0)

        def mean(total: np.ndarray) -> np.ndarray:
            return total[sequences].sum(axis=0) / np.maximum(found, 1)

        det_a, ass_a = found / np.maximum(gt + pred - found, 1), mean(self.ass_a)
        return HOTA(
            np.sqrt(det_a * ass_a),
            det_a,
            found / max(gt, 1),
            found / max(pred, 1),
            ass_a,
            mean(self.ass_re),
            mean(self.ass_pr),
            np.where((found == 0) & found.any(), 1.0, mean(self.iou)),
        )


def hota(truth: Tracks, found: Tracks, pairs: Overlaps, num_sequences: int, alphas: np.ndarray = ALPHAS) -> HOTACounts:
    """Count what HOTA needs (Luiten et al. 2020, Sec. 5), with the matching of the official TrackEval.

    Boxes of a picture are paired once for all thresholds, so that the sum of IoU times global alignment is largest,
    where the alignment of two tracks is the Jaccard index of their boxes with soft counts. A pair is a true positive at
    ``alpha`` when its IoU reaches it. Its association accuracy is TPA / (TPA + FNA + FPA): boxes in which the two
    tracks are matched, over boxes of either.

    Args:
        truth (Tracks): Ground truth.
        found (Tracks): Predictions.
        pairs (Overlaps): Of both.
        num_sequences (int): Number of sequences S.
        alphas (np.ndarray): (A,) float64 thresholds. Defaults to .05, .10, ... .95.
    """
    gts, dets, ious = pairs.gts, pairs.dets, pairs.ious
    people, ids, of_pair, _ = count_track_pairs(truth, found, gts, dets)
    either = (truth.lengths[people] + found.lengths[ids]).astype(np.float64)
    rivals = np.bincount(gts, ious, len(truth.picture))[gts] + np.bincount(dets, ious, len(found.picture))[dets] - ious
    together = np.bincount(of_pair, ious / rivals, len(people))
    alignment = together / (either - together)
    taken = assign(gts, dets, alignment[of_pair] * ious)
    sequence, of_pair, ious = truth.sequence[gts[taken]], of_pair[taken], ious[taken]
    owner = truth.track_sequence[people]

    shape = (num_sequences, len(alphas))
    matches = np.zeros(shape, np.int64)
    ass_a, ass_re, ass_pr, iou = (np.zeros(shape) for _ in range(4))
    for number, alpha in enumerate(alphas):
        hit = ious >= alpha - np.finfo(float).eps
        count = np.bincount(of_pair[hit], minlength=len(people))
        matches[:, number] = np.bincount(sequence[hit], minlength=num_sequences)
        iou[:, number] = np.bincount(sequence[hit], ious[hit], num_sequences)
        for total, size in (
            (ass_a, either - count),
            (ass_re, truth.lengths[people]),
            (ass_pr, found.lengths[ids]),
        ):
            total[:, number] = np.bincount(owner, count * (count / size), num_sequences)
    gt, pred = (np.bincount(side.sequence, minlength=num_sequences) for side in (truth, found))
    return HOTACounts(gt, pred, matches, ass_a, ass_re, ass_pr, iou)
