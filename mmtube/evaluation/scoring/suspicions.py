"""What predictions look like when they are in another unit than the ground truth: notes, for a score near 0."""

from __future__ import annotations

import numpy as np

from mmtube.evaluation.tables import BoxTable, SegmentTable

FRACTIONS, PIXELS = 2.0, 10.0  # no picture is that small, no fraction that large


def odd_times(truth: SegmentTable, found: SegmentTable) -> list[str]:
    """Return notes on segments that do not look like seconds.

    Args:
        truth (SegmentTable): Ground truth, with durations where they are known.
        found (SegmentTable): Predictions, aligned.
    """
    if not len(found):
        return []
    ends_s = np.full(len(truth.videos), -np.inf)
    np.maximum.at(ends_s, truth.video, truth.segments_s[:, 1])
    if truth.durations_s is not None:
        ends_s = np.fmax(ends_s, truth.durations_s)
    known = np.isfinite(ends_s[found.video])
    late = found.segments_s[known, 0] >= ends_s[found.video[known]]
    if truth.durations_s is not None and known.any() and late.mean() > 0.5:
        told = f'{int(late.sum())} of {len(found)} predictions begin after the end of their video'
        return [f'{told}: are they frames or milliseconds? Seconds are needed']
    if found.segments_s.max() <= 1 and truth.segments_s.max() > PIXELS:
        return ['all predictions end within the first second: are they fractions? Seconds are needed']
    return []


def odd_boxes(truth: BoxTable, found: BoxTable) -> list[str]:
    """Return notes on boxes and frames that do not look like those of the ground truth.

    Args:
        truth (BoxTable): Ground truth.
        found (BoxTable): Predictions, aligned.
    """
    if not len(found):
        return []
    notes = []
    theirs, ours = (float(np.abs(table.boxes).max(initial=0)) for table in (found, truth))
    if theirs <= FRACTIONS and ours > PIXELS:
        notes.append('the predicted boxes are fractions, those of the ground truth pixels: nothing can match')
    if theirs > PIXELS and ours <= FRACTIONS:
        notes.append('the predicted boxes are pixels, those of the ground truth fractions: nothing can match')
    pictures = [table.video * (1 << 40) + table.frames for table in (truth, found)]
    if not np.isin(*pictures[::-1]).any():
        notes.append('no prediction is in a frame that has ground truth: do both files count frames or times alike?')
    return notes
