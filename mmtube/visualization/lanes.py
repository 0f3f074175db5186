"""The rows of a timeline: who was seen when, and which labels held when; numbers only, no drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmtube.structures import Tube, VideoResult


@dataclass(frozen=True)
class Lane:
    """One label of one person over time.

    Args:
        name (str): Class name.
        spans_s (np.ndarray): (N, 2) float64 start and end of each bar.
        scores (np.ndarray): (N,) float64 of each bar.
        is_complex (bool): Whether it is a complex activity. Defaults to False.
    """

    name: str
    spans_s: np.ndarray
    scores: np.ndarray
    is_complex: bool = False

    @property
    def weight(self) -> float:
        """Score times duration; an instant counts as a millisecond."""
        return float((np.maximum(self.spans_s[:, 1] - self.spans_s[:, 0], 1e-3) * self.scores).sum())


def presence(tube: Tube, frame_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the stretches in which a person is seen or filled in.

    Args:
        tube (Tube): The person.
        frame_s (float): How long a frame is shown.

    Returns:
        tuple[np.ndarray, np.ndarray]: (N, 2) start and end in seconds, and (N,) bool whether it was observed.
    """
    if not len(tube):
        return np.zeros((0, 2)), np.zeros(0, bool)
    steps = np.diff(tube.frame_inds)
    usual = np.median(steps) if len(steps) else 1  # a tube may have every k-th frame only
    starts = np.flatnonzero(np.r_[True, (steps > 1.5 * usual) | (np.diff(tube.observed.astype(int)) != 0)])
    ends = np.r_[starts[1:], len(tube)] - 1
    end_s = tube.times_s[ends] + frame_s * usual
    next_s = np.r_[tube.times_s[starts[1:]], np.inf]  # where only the kind changes the bars touch
    return np.stack([tube.times_s[starts], np.minimum(end_s, next_s)], axis=1), tube.observed[starts]


def lanes(
    result: VideoResult, tube: Tube, from_segments: bool, max_lanes: int, min_score: float
) -> tuple[list[Lane], int]:
    """Return the labels of one person that matter most, complex activities first, then by score times duration.

    Args:
        result (VideoResult): The film, for its label names.
        tube (Tube): The person.
        from_segments (bool): Whether segments are shown; otherwise clip scores.
        max_lanes (int): Most labels.
        min_score (float): Lower scores are left out.

    Returns:
        tuple[list[Lane], int]: The lanes, and how many more there would be.
    """
    found = _segment_lanes(result, tube, min_score) if from_segments else _clip_lanes(result, tube, min_score)
    found.sort(key=lambda lane: (-lane.weight, lane.name))
    shown = sorted(found[:max_lanes], key=lambda lane: not lane.is_complex)
    return shown, len(found) - len(shown)


def _segment_lanes(result: VideoResult, tube: Tube, min_score: float) -> list[Lane]:
    groups: dict[tuple[str, int], list] = {}
    for segment in tube.segments:
        if segment.score >= min_score:
            groups.setdefault((segment.task, segment.label), []).append((segment.start_s, segment.end_s, segment.score))
    found = []
    for (task, label), rows in groups.items():
        values = np.array(sorted(rows, key=lambda row: row[2]))  # the surest is drawn last, on top
        found.append(Lane(result.label_name(task, label), values[:, :2], values[:, 2], task == 'complex'))
    return found


def _clip_lanes(result: VideoResult, tube: Tube, min_score: float) -> list[Lane]:
    if not tube.clip_scores.size:
        return []
    spans_s, found = tube.clip_spans_s, []
    for label in np.flatnonzero((tube.clip_scores >= min_score).any(axis=0)).tolist():
        scores = tube.clip_scores[:, label].astype(np.float64)
        keep = scores >= min_score
        found.append(Lane(result.label_name('clip', label), spans_s[keep], scores[keep]))
    return found


def shot_changes_s(result: VideoResult) -> np.ndarray:
    """Return when the shots after the first begin, in seconds; the tubes' own frame times count where there are any."""
    begins = np.array([first for first, _ in result.shots[1:]], np.float64)
    known_inds = np.concatenate([[0, result.video.num_frames], *(tube.frame_inds for tube in result.tubes)])
    known_s = np.concatenate([[0.0, result.video.duration_s], *(tube.times_s for tube in result.tubes)])
    inds, first = np.unique(known_inds, return_index=True)
    return np.interp(begins, inds, known_s[first])
