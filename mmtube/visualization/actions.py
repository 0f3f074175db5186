"""What a person does at a time, for the film and the timeline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmtube.structures import Tube, VideoResult

TIE_S = 1e-6  # times are rounded


class Action(NamedTuple):
    """One label that is shown at a person.

    Args:
        name (str): Class name.
        score (float): Confidence in [0, 1].
        is_complex (bool): Whether it is a complex activity. Defaults to False.
    """

    name: str
    score: float
    is_complex: bool = False


class ActionIndex:
    """Actions by person and time: segments where the film has any, else the scores of its clips.

    Args:
        result (VideoResult): The film.
        top_k (int): Most actions of one person at a time. Defaults to 3.
        min_score (float): Actions below are not shown. Defaults to 0.1.
    """

    def __init__(self, result: VideoResult, top_k: int = 3, min_score: float = 0.1) -> None:
        self.result = result
        self.top_k = top_k
        self.min_score = min_score
        self.from_segments = any(tube.segments for tube in result.tubes)
        self._spans = [np.array([(s.start_s, s.end_s) for s in tube.segments]).reshape(-1, 2) for tube in result.tubes]

    def at(self, tube_ind: int, time_s: float) -> list[Action]:
        """Return what ``result.tubes[tube_ind]`` does at a time: complex activities first, then by score."""
        tube = self.result.tubes[tube_ind]
        found = (
            self._segments_at(tube, self._spans[tube_ind], time_s) if self.from_segments else self._clip(tube, time_s)
        )
        shown = [action for action in found if action.score >= self.min_score]
        return sorted(shown, key=lambda action: (not action.is_complex, -action.score))[: self.top_k]

    def _segments_at(self, tube: Tube, spans: np.ndarray, time_s: float) -> list[Action]:
        best: dict[tuple[str, int], float] = {}  # a label counts once, with its best score
        for ind in np.flatnonzero((spans[:, 0] <= time_s) & (time_s <= spans[:, 1])):
            segment = tube.segments[ind]
            key = (segment.task, segment.label)
            best[key] = max(best.get(key, 0.0), segment.score)
        name = self.result.label_name
        return [Action(name(task, label), score, task == 'complex') for (task, label), score in best.items()]

    def _clip(self, tube: Tube, time_s: float) -> list[Action]:
        clip = clip_at(tube, time_s)
        if clip is None:
            return []
        scores = tube.clip_scores[clip]
        best = np.argsort(-scores, kind='stable')[: self.top_k]
        return [Action(self.result.label_name('clip', int(label)), float(scores[label])) for label in best]


def clip_at(tube: Tube, time_s: float) -> int | None:
    """Return the index of the clip that speaks for a time, None where there is none.

    Args:
        tube (Tube): The person.
        time_s (float): The time.
    """
    if not len(tube.clip_times_s):
        return None
    clip = int(np.abs(tube.clip_times_s - time_s).argmin())
    start_s, end_s = tube.clip_spans_s[clip]
    return clip if start_s - TIE_S <= time_s <= end_s + TIE_S else None
