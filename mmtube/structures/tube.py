"""The exchange type: one person, one tube, one ID."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

TASKS = ('atomic', 'complex')
CLIP_STEP_S = 1.0  # what a single clip stands for: clips are one second apart


@dataclass(frozen=True)
class Segment:
    """One action instance on a tube.

    Args:
        start_s (float): Start in seconds of film time.
        end_s (float): End in seconds, not before the start.
        label (int): Index into the label map of its task, >= 0.
        score (float): Confidence in [0, 1]. Defaults to 1.
        task (str): ``'atomic'`` or ``'complex'``. Defaults to ``'atomic'``.

    Raises:
        ValueError: If a time or the score is not finite, the segment is reversed, the label is negative or the task is
            unknown.
    """

    start_s: float
    end_s: float
    label: int
    score: float = 1.0
    task: str = 'atomic'

    def __post_init__(self) -> None:
        if not np.isfinite([self.start_s, self.end_s, self.score]).all():
            raise ValueError(f'segment has a value that is not finite: {self}')
        if self.end_s < self.start_s:
            raise ValueError(f'segment ends at {self.end_s} s before it starts at {self.start_s} s')
        if self.label < 0:
            raise ValueError(f'segment has the negative label {self.label}')
        if self.task not in TASKS:
            raise ValueError(f'segment task must be one of {TASKS}, got {self.task!r}')

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


def _column(name: str, values: object, dtype: type, rows: int, default: object) -> np.ndarray:
    array: np.ndarray = np.full(rows, default, dtype) if values is None else np.asarray(values, dtype)
    if array.shape != (rows,):
        raise ValueError(f'{name} must have shape ({rows},), got {array.shape}')
    return array


@dataclass(eq=False)
class Tube:
    """One person through a film: a box in every frame in which the person is known to be.

    Args:
        track_id (int): The person's ID in this film, >= 0.
        frame_inds (np.ndarray): (T,) int64 frame indices, strictly increasing, from 0.
        times_s (np.ndarray): (T,) float64 presentation times in seconds, strictly increasing.
        boxes_px (np.ndarray): (T, 4) float32 xyxy in pixels of the original frame, half open, positive area.
        scores (np.ndarray): (T,) float32 detection scores. Defaults to ones.
        observed (np.ndarray): (T,) bool, False where the box was filled in and not detected. Defaults to True.
        tubelet_ids (np.ndarray): (T,) int64, the tracker's ID of each row, so that linking can be undone. Defaults to
            ``track_id``.
        embedding (np.ndarray | None): (D,) float32 appearance, unit length. Defaults to None.
        clip_times_s (np.ndarray): (K,) float64 key times of the classified clips. Defaults to none.
        clip_scores (np.ndarray): (K, C) float32 multi-label scores of those clips. Defaults to none.
        segments (list[Segment]): Action instances. Defaults to none.

    Raises:
        ValueError: If shapes disagree, frames or times do not increase, or a box is not finite or has no area.

    Examples:
        >>> tube = Tube(1, [0, 1], [0.0, 0.04], [[0, 0, 4, 8], [1, 0, 5, 8]])
        >>> len(tube), tube.start_s, tube.end_s
        (2, 0.0, 0.04)
    """

    track_id: int
    frame_inds: np.ndarray
    times_s: np.ndarray
    boxes_px: np.ndarray
    scores: np.ndarray = None  # type: ignore[assignment]
    observed: np.ndarray = None  # type: ignore[assignment]
    tubelet_ids: np.ndarray = None  # type: ignore[assignment]
    embedding: np.ndarray | None = None
    clip_times_s: np.ndarray = None  # type: ignore[assignment]
    clip_scores: np.ndarray = None  # type: ignore[assignment]
    segments: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.track_id = int(self.track_id)
        if self.track_id < 0:
            raise ValueError(f'track_id must be >= 0, got {self.track_id}')
        self.frame_inds = np.asarray(self.frame_inds, np.int64)
        rows = len(self.frame_inds)
        self.frame_inds = _column('frame_inds', self.frame_inds, np.int64, rows, 0)
        self.times_s = _column('times_s', self.times_s, np.float64, rows, 0.0)
        self.scores = _column('scores', self.scores, np.float32, rows, 1.0)
        self.observed = _column('observed', self.observed, bool, rows, True)
        self.tubelet_ids = _column('tubelet_ids', self.tubelet_ids, np.int64, rows, self.track_id)
        self.boxes_px = np.asarray(self.boxes_px, np.float32).reshape(-1, 4)
        if len(self.boxes_px) != rows:
            raise ValueError(f'boxes_px must have {rows} rows, got {len(self.boxes_px)}')
        if not np.isfinite(self.boxes_px).all() or (self.boxes_px[:, 2:] <= self.boxes_px[:, :2]).any():
            raise ValueError(f'tube {self.track_id} has a box that is not finite or has no area')
        if rows and (self.frame_inds[0] < 0 or (np.diff(self.frame_inds) <= 0).any()):
            raise ValueError(f'frame_inds of tube {self.track_id} must be >= 0 and strictly increasing')
        if not np.isfinite(self.times_s).all() or (np.diff(self.times_s) <= 0).any():
            raise ValueError(f'times_s of tube {self.track_id} must be finite and strictly increasing')
        if self.embedding is not None:
            self.embedding = np.asarray(self.embedding, np.float32)
        clips = 0 if self.clip_times_s is None else len(self.clip_times_s)
        self.clip_times_s = _column('clip_times_s', self.clip_times_s, np.float64, clips, 0.0)
        self.clip_scores = np.zeros((0, 0), np.float32) if self.clip_scores is None else np.asarray(self.clip_scores)
        self.clip_scores = self.clip_scores.astype(np.float32, copy=False)
        if self.clip_scores.ndim != 2 or len(self.clip_scores) != clips:
            raise ValueError(f'clip_scores must have shape ({clips}, C), got {self.clip_scores.shape}')

    def __len__(self) -> int:
        return len(self.frame_inds)

    @property
    def start_s(self) -> float:
        """Time of the first box."""
        return float(self.times_s[0])

    @property
    def end_s(self) -> float:
        """Time of the last box (its frame lasts a little longer)."""
        return float(self.times_s[-1])

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def clip_spans_s(self) -> np.ndarray:
        """(K, 2) float64 seconds for which the clips speak: half the least distance of two around each key time.

        0.5 s for a single clip. A clip in the time of the tube says nothing of before its first and after its last box.
        """
        times_s = self.clip_times_s
        step_s = np.diff(np.unique(times_s)).min() if len(np.unique(times_s)) > 1 else CLIP_STEP_S
        spans_s = times_s[:, None] + np.array([-step_s, step_s]) / 2
        if len(self):
            within = (self.start_s <= times_s) & (times_s <= self.end_s)
            spans_s[within] = np.clip(spans_s[within], self.start_s, self.end_s)
        return spans_s

    @property
    def mean_score(self) -> float:
        """Mean detection score of the observed boxes, 0 when there are none."""
        return float(self.scores[self.observed].mean()) if self.observed.any() else 0.0

    def rows(self, keep: np.ndarray) -> Tube:
        """Return the tube with only the rows that ``keep`` (mask, slice or increasing indices) selects."""
        columns = ('frame_inds', 'times_s', 'boxes_px', 'scores', 'observed', 'tubelet_ids')
        return replace(self, **{name: getattr(self, name)[keep] for name in columns})

    @staticmethod
    def concatenate(tubes: list[Tube], track_id: int) -> Tube:
        """Join the rows of tubes that do not share a frame, in the order of time, under one ID.

        Args:
            tubes (list[Tube]): At least one tube; none is changed. Clip scores and segments are joined too; the
                embedding is the mean of theirs, weighted by their lengths and scaled to unit length.
            track_id (int): ID of the result. ``tubelet_ids`` keep their values.

        Raises:
            ValueError: If two tubes have a box in the same frame.
        """
        order = np.argsort(np.concatenate([tube.frame_inds for tube in tubes]), kind='stable')
        columns = ('frame_inds', 'times_s', 'boxes_px', 'scores', 'observed', 'tubelet_ids')
        joined = {name: np.concatenate([getattr(tube, name) for tube in tubes])[order] for name in columns}
        known = [(len(tube), tube.embedding) for tube in tubes if tube.embedding is not None]
        if known:
            mean = sum(length * embedding for length, embedding in known)
            joined['embedding'] = mean / max(float(np.linalg.norm(mean)), 1e-12)
        clips = [tube for tube in tubes if len(tube.clip_times_s)]
        if clips:
            times = np.concatenate([tube.clip_times_s for tube in clips])
            by_time = np.argsort(times, kind='stable')
            joined['clip_times_s'] = times[by_time]
            joined['clip_scores'] = np.concatenate([tube.clip_scores for tube in clips])[by_time]
        segments = sorted((s for tube in tubes for s in tube.segments), key=lambda s: (s.start_s, s.end_s, s.label))
        return Tube(track_id, segments=segments, **joined)
