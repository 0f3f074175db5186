"""DeepSORT as its authors wrote it, vectorised, with weak boxes that may extend a track but not start one."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from mmtube.ops.boxes import box_iou, box_overlap, cxcyah_to_xyxy, xyxy_to_cxcyah
from mmtube.registry import TASK_UTILS
from mmtube.structures import FrameDetections, Tube

from .kalman import CHI2_95_4DOF
from .track_table import TrackTable

_FORBIDDEN = 1e5


def assign(cost: np.ndarray, max_cost: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve the assignment and keep the pairs that cost at most ``max_cost``.

    Costs above the limit count as barely above it while solving, so that one hopeless pair does not spoil the rest.

    Args:
        cost (np.ndarray): (N, M) float.
        max_cost (float): Largest cost of a kept pair.

    Returns:
        tuple[np.ndarray, np.ndarray]: Row and column indices (K,) int64 of the kept pairs.
    """
    limited = np.minimum(cost, max_cost + 1e-5)
    rows, columns = linear_sum_assignment(limited)
    kept = limited[rows, columns] <= max_cost
    return rows[kept], columns[kept]


@TASK_UTILS.register_module()
class DeepSORTTracker:
    """Link boxes from frame to frame into tubelets (Wojke et al., DeepSORT, with the values of the authors' code).

    Matching of one frame: confirmed tracks by appearance, gated by the Kalman filter, most recently seen first (the age
    cascade); then, by box overlap, tentative tracks and tracks seen in the frame before. Differences from the original,
    each a switch:

    - Boxes below ``high_score`` take part only in a last round, by overlap with a track (confirmed or not) that found
      nothing better, and never start a track. With ``high_score = min_score`` there is no such round.
    - A box that lies mostly inside the box of a tracked person, or around it, is a second box on that person and starts
      no track (``max_birth_overlap``).
    - Without appearance (detections that carry no features) the cascade compares boxes by overlap with the predicted
      box.
    - A tubelet holds the detected boxes, not the filtered ones, and includes the frames before its confirmation: a film
      on disk may be looked at twice.

    Args:
        min_score (float): Weaker boxes are ignored. Defaults to 0.3.
        high_score (float | None): Weaker boxes extend tracks but do not start them. Defaults to None (= min_score).
        max_cosine_distance (float): Largest appearance distance of a match. Defaults to 0.2.
        nn_budget (int): Appearances kept per track. Defaults to 100.
        max_iou_distance (float): Largest 1 - IoU of a match by overlap. Defaults to 0.7.
        weak_iou_distance (float): The same for weak boxes. Defaults to 0.5.
        max_birth_overlap (float): Largest share of the smaller box that a new track's box may have in common with a box
            that has a track. Defaults to 1, no limit.
        max_age (int): A confirmed track is found again up to this many frames after its last box. Defaults to 30.
        n_init (int): A track is confirmed by boxes in this many consecutive frames. Defaults to 3.

    Raises:
        ValueError: If a score is outside [0, 1], ``high_score < min_score`` or a count is not positive.

    Examples:
        >>> tracker = DeepSORTTracker()
        >>> for frame in range(5):
        ...     box = np.array([[10 + frame, 10, 30 + frame, 60]], np.float32)
        ...     ids = tracker.update(FrameDetections(frame, frame / 25, box, np.array([0.9])))
        >>> [len(tube) for tube in tracker.finish()]
        [5]
    """

    def __init__(
        self,
        min_score: float = 0.3,
        high_score: float | None = None,
        max_cosine_distance: float = 0.2,
        nn_budget: int = 100,
        max_iou_distance: float = 0.7,
        weak_iou_distance: float = 0.5,
        max_birth_overlap: float = 1.0,
        max_age: int = 30,
        n_init: int = 3,
    ) -> None:
        high_score = min_score if high_score is None else high_score
        if not 0 <= min_score <= high_score <= 1:
            raise ValueError(f'need 0 <= min_score <= high_score <= 1, got {min_score} and {high_score}')
        if min(max_cosine_distance, max_iou_distance, weak_iou_distance, max_birth_overlap) < 0:
            raise ValueError('distances and overlaps must not be negative')
        if min(nn_budget, max_age, n_init) < 1:
            raise ValueError('nn_budget, max_age and n_init must be positive')
        self.min_score = min_score
        self.high_score = high_score
        self.max_cosine_distance = max_cosine_distance
        self.nn_budget = nn_budget
        self.max_iou_distance = max_iou_distance
        self.weak_iou_distance = weak_iou_distance
        self.max_birth_overlap = max_birth_overlap
        self.max_age = max_age
        self.n_init = n_init
        self.reset()

    def reset(self) -> None:
        """Forget the film; IDs start at 1 again."""
        self._tracks = TrackTable(self.nn_budget)
        self._finished: list[Tube] = []
        self._last_frame: int | None = None

    def cut(self) -> None:
        """End every track, because the next frame belongs to another shot."""
        self._end(np.ones(len(self._tracks), bool))

    def finish(self) -> list[Tube]:
        """End every track and return the tubelets of the film, ordered by ID; the tracker is then as new."""
        self.cut()
        tubelets = sorted(self._finished, key=lambda tube: tube.track_id)
        self.reset()
        return tubelets

    def update(self, detections: FrameDetections) -> np.ndarray:
        """Take the boxes of the next frame; frames left out count as frames without a box.

        Args:
            detections (FrameDetections): The frame. Its features, if any, must have unit length.

        Returns:
            np.ndarray: (N,) int64, for each box the ID of the confirmed track it belongs to, or -1.

        Raises:
            ValueError: If the frame does not come after the one before, or a box is not finite.
        """
        if self._last_frame is not None and detections.frame_ind <= self._last_frame:
            raise ValueError(f'frame {detections.frame_ind} comes after frame {self._last_frame}')
        if not np.isfinite(detections.boxes_px).all():
            raise ValueError(f'frame {detections.frame_ind} has a box that is not finite')
        skipped = 0 if self._last_frame is None else detections.frame_ind - self._last_frame - 1
        self._last_frame = detections.frame_ind
        for _ in range(min(skipped, self.max_age + 1)):
            self._predict()
            self._end_lost(np.ones(len(self._tracks), bool))
        self._predict()

        tracks = self._tracks
        has_area = (detections.boxes_px[:, 2:] > detections.boxes_px[:, :2]).all(axis=1)
        usable = np.flatnonzero((detections.scores >= self.min_score) & has_area)
        strong = usable[detections.scores[usable] >= self.high_score]
        weak = usable[detections.scores[usable] < self.high_score]
        owner = np.full(len(detections), -1)  # row of the track that takes each box
        self._match_cascade(detections, strong, owner)
        recent = ~tracks.confirmed | (tracks.age == 1)
        self._match_overlap(detections, strong, owner, recent, self.max_iou_distance)
        self._match_overlap(detections, weak, owner, recent, self.weak_iou_distance)

        matched = np.flatnonzero(owner >= 0)
        rows = owner[matched]
        tracks.state.update(rows, xyxy_to_cxcyah(detections.boxes_px[matched]))
        tracks.append(rows, detections, matched, self.n_init)
        unmatched = np.ones(len(tracks), bool)
        unmatched[rows] = False
        new = self._births(detections, strong[owner[strong] < 0], matched)
        owner[new] = len(tracks) + np.arange(len(new))
        tracks.start(detections, new, self.n_init)
        ids = np.where((owner >= 0) & tracks.confirmed[owner], tracks.ids[owner], -1) if len(tracks) else owner
        self._end_lost(np.concatenate([unmatched, np.zeros(len(new), bool)]))
        return ids

    def _predict(self) -> None:
        self._tracks.state = self._tracks.state.predict()
        self._tracks.age += 1

    def _match_cascade(self, detections: FrameDetections, candidates: np.ndarray, owner: np.ndarray) -> None:
        tracks = self._tracks
        confirmed = np.flatnonzero(tracks.confirmed)
        if not len(confirmed) or not len(candidates):
            return
        if detections.features is None:
            cost = 1 - self._predicted_iou(confirmed, detections.boxes_px[candidates])
            limit = self.max_iou_distance
        else:
            cost = tracks.appearance_distance(confirmed, detections.features[candidates])
            limit = self.max_cosine_distance
        measured = xyxy_to_cxcyah(detections.boxes_px[candidates])
        cost[tracks.state[confirmed].gating_distance(measured) > CHI2_95_4DOF] = _FORBIDDEN
        for age in np.unique(tracks.age[confirmed]):
            free = np.flatnonzero(owner[candidates] < 0)
            level = np.flatnonzero(tracks.age[confirmed] == age)
            rows, columns = assign(cost[np.ix_(level, free)], limit)
            owner[candidates[free[columns]]] = confirmed[level[rows]]

    def _match_overlap(
        self,
        detections: FrameDetections,
        candidates: np.ndarray,
        owner: np.ndarray,
        eligible: np.ndarray,
        max_distance: float,
    ) -> None:
        taken = np.zeros(len(self._tracks), bool)
        taken[owner[owner >= 0]] = True
        level = np.flatnonzero(eligible & ~taken)
        free = candidates[owner[candidates] < 0]
        if len(level) and len(free):
            rows, columns = assign(1 - self._predicted_iou(level, detections.boxes_px[free]), max_distance)
            owner[free[columns]] = level[rows]

    def _births(self, detections: FrameDetections, candidates: np.ndarray, matched: np.ndarray) -> np.ndarray:
        """Return the candidates, judged from the most confident down, that are no second box on somebody."""
        if self.max_birth_overlap >= 1 or not len(candidates):
            return candidates
        candidates = candidates[np.argsort(-detections.scores[candidates], kind='stable')]
        covers = box_overlap(detections.boxes_px[candidates], detections.boxes_px) > self.max_birth_overlap
        has_track = np.zeros(len(detections), bool)
        has_track[matched] = True
        for candidate, covered in zip(candidates, covers):
            has_track[candidate] = not (covered & has_track).any()
        return candidates[has_track[candidates]]

    def _predicted_iou(self, rows: np.ndarray, boxes_px: np.ndarray) -> np.ndarray:
        return box_iou(cxcyah_to_xyxy(self._tracks.state.mean[rows]), boxes_px)

    def _end_lost(self, unmatched: np.ndarray) -> None:
        tracks = self._tracks
        self._end(unmatched & (~tracks.confirmed | (tracks.age >= self.max_age)))

    def _end(self, gone: np.ndarray) -> None:
        if gone.any():
            self._finished += self._tracks.pop(gone)
