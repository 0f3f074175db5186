"""Which tubes are people: a tube is judged as a whole."""

from __future__ import annotations

import numpy as np

from mmtube.ops.boxes import box_centers
from mmtube.registry import TASK_UTILS
from mmtube.structures import Tube


@TASK_UTILS.register_module()
class TubeFilter:
    """Drop tubes that are too short, too weak or too still to be a person.

    A detector calls a bag, a ball or a railing a person in single frames, with a high score now and then, but not for
    long and not on average. The judgement is of the whole tube, so that a real person may have weak frames.

    Args:
        min_boxes (int): Fewest detected boxes. Defaults to 6.
        min_duration_s (float): Shortest span. Defaults to 0.2.
        min_mean_score (float): Least mean score of the detected boxes. Defaults to 0.55.
        still_mean_score (float): The same for tubes that do not move. Defaults to 0.65.
        still_spread (float): A tube does not move if 90 % of its box centres lie within this many body heights of
            their median. Defaults to 0.1.
        min_density (float): Least share of the tube's rows that were detected and not filled in. Defaults to 0.5.

    Raises:
        ValueError: If a limit is negative, or a score or share above 1.
    """

    def __init__(
        self,
        min_boxes: int = 6,
        min_duration_s: float = 0.2,
        min_mean_score: float = 0.55,
        still_mean_score: float = 0.65,
        still_spread: float = 0.1,
        min_density: float = 0.5,
    ) -> None:
        shares = (min_mean_score, still_mean_score, min_density)
        if min(min_boxes, min_duration_s, still_spread, *shares) < 0 or max(shares) > 1:
            raise ValueError('limits must not be negative, scores and shares at most 1')
        self.min_boxes = min_boxes
        self.min_duration_s = min_duration_s
        self.min_mean_score = min_mean_score
        self.still_mean_score = still_mean_score
        self.still_spread = still_spread
        self.min_density = min_density

    def __call__(self, tubes: list[Tube]) -> list[Tube]:
        """Return the tubes that are people, in the same order."""
        return [tube for tube in tubes if not self.verdict(tube)]

    def verdict(self, tube: Tube) -> str:
        """Return why a tube is no person, '' if it is one."""
        boxes = int(tube.observed.sum())
        if not boxes or boxes < self.min_boxes:
            return f'fewer than {self.min_boxes} boxes'
        if tube.duration_s < self.min_duration_s:
            return f'shorter than {self.min_duration_s:g} s'
        if boxes < self.min_density * len(tube):
            return f'less than {self.min_density:.0%} detected'
        if tube.mean_score < self.min_mean_score:
            return f'mean score below {self.min_mean_score:g}'
        if tube.mean_score < self.still_mean_score and spread_in_heights(tube) <= self.still_spread:
            return f'still, and mean score below {self.still_mean_score:g}'
        return ''


def spread_in_heights(tube: Tube) -> float:
    """Return how far a tube's box centres stray from their median: the 90 % quantile, in median body heights."""
    centers = box_centers(tube.boxes_px)
    height = np.median(tube.boxes_px[:, 3] - tube.boxes_px[:, 1])
    return float(np.quantile(np.linalg.norm(centers - np.median(centers, axis=0), axis=1), 0.9) / height)
