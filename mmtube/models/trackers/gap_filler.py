"""Boxes for the frames in which the detector lost a person for a moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmtube.ops.tubes import fill_gaps
from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube


@TASK_UTILS.register_module()
class GapFiller:
    """Fill the short holes of tubelets by linear interpolation.

    Filled rows are marked as not observed. Holes between linked tubelets stay empty, because the person may have been
    out of sight there (SEAL, Sec. 3.2).

    Args:
        max_gap (int): Longest hole in frames; the tracker's ``max_age`` fills every hole that it bridged. Defaults
            to 30.

    Raises:
        ValueError: If ``max_gap`` is negative.
    """

    def __init__(self, max_gap: int = 30) -> None:
        if max_gap < 0:
            raise ValueError(f'max_gap must not be negative, got {max_gap}')
        self.max_gap = max_gap

    def __call__(self, tubelets: list[Tube], frame_times_s: np.ndarray) -> list[Tube]:
        """Return the tubelets with their short holes filled.

        Args:
            tubelets (list[Tube]): Straight from the tracker, one tubelet ID each; not changed.
            frame_times_s (np.ndarray): (F,) float64 time of every frame of the film.
        """
        return [self._fill(tube, frame_times_s) for tube in tubelets]

    def _fill(self, tube: Tube, frame_times_s: np.ndarray) -> Tube:
        known = tube.observed
        frames, observed, (boxes, scores) = fill_gaps(
            tube.frame_inds[known], [tube.boxes_px[known], tube.scores[known]], self.max_gap
        )
        return replace(
            tube,
            frame_inds=frames,
            times_s=frame_times_s[frames],
            boxes_px=boxes,
            scores=scores,
            observed=observed,
            tubelet_ids=np.full(len(frames), tube.tubelet_ids[0]),
        )
