"""DeepSORT as its authors wrote it, vectorised, and what later trackers added to it, as switches."""

from __future__ import annotations

import numpy as np

from mmtube.ops.boxes import box_iou, box_overlap, cxcyah_to_xyxy, xyxy_to_cxcyah
from mmtube.registry import TASK_UTILS
from mmtube.structures import FrameDetections, Tube

from .association import alone, assign
from .kalman import CHI2_95_4DOF
from .track_table import TrackTable


@TASK_UTILS.register_module()
class DeepSORTTracker:
    """Link boxes from frame to frame into tubelets.

    With the default arguments the IDs are those of DeepSORT (Wojke et al., arXiv 1703.07402, with the values of the
    authors' code). Matching of one frame: confirmed tracks by appearance, gated by the Kalman filter, most recently
    seen first (the age cascade); then, by box overlap, tentative tracks and tracks seen in the frame before. A tubelet
    holds the detected boxes, not the filtered ones, and includes the frames before its confirmation: a film on disk may
    be looked at twice. Switches:

    - ``high_score``: boxes below it take part only in a last round, by overlap with a track that found nothing better,
      and never start a track (ByteTrack, arXiv 2110.06864).
    - ``reupdate``: a track that is found again first goes through the frames without a box again, along the straight
      line between both boxes, so that its velocity is not what drifted meanwhile (OC-SORT, arXiv 2203.14360, Sec. 4.1).
    - ``match_last_box``: a box may overlap the place where a track was last seen as well as where it is predicted to
      be, for people who stop while nobody sees them (after OC-SORT's observation-centric recovery).
    - ``camera_motion`` of :meth:`update`: the camera's motion is taken out before matching (BoT-SORT, arXiv
      2206.14651, Sec. 3.2).
    - ``max_birth_overlap``: a box that lies mostly inside the box of a tracked person, or around it, is a second box on
      that person and starts no track.
    - Without appearance (detections that carry no features) confirmed tracks are matched by overlap.

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
        age_cascade (bool): Whether tracks seen more recently are served first; else all confirmed tracks are matched at
            once. Defaults to True.
        max_gating_distance (float): Largest squared Mahalanobis distance of a box from where a confirmed track is
            predicted to be. Defaults to 9.4877, the 95 % quantile; infinite for no gate.
        reupdate (bool): See above. Defaults to False.
        match_last_box (bool): See above. Defaults to False.

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
        age_cascade: bool = True,
        max_gating_distance: float = CHI2_95_4DOF,
        reupdate: bool = False,
        match_last_box: bool = False,
    ) -> None:
        high_score = min_score if high_score is None else high_score
        if not 0 <= min_score <= high_score <= 1:
            raise ValueError(f'need 0 <= min_score <= high_score <= 1, got {min_score} and {high_score}')
        limits = (max_cosine_distance, max_iou_distance, weak_iou_distance, max_birth_overlap, max_gating_distance)
        if not all(limit >= 0 for limit in limits):
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
        self.age_cascade = age_cascade
        self.max_gating_distance = max_gating_distance
        self.reupdate = reupdate
        self.match_last_box = match_last_box
        self.reset()

    def reset(self) -> None:
        """Forget the film; IDs start at 1 again."""
        self._tracks = TrackTable(self.nn_budget, self.n_init, self.reupdate)
        self._last_frame: int | None = None

    def cut(self) -> None:
        """End every track, because the next frame belongs to another shot."""
        self._tracks.end(np.ones(len(self._tracks), bool))

    def take_ended(self) -> list[Tube]:
        """Return the tubelets that ended since the last call, ordered by ID, and forget them.

        A film without end is followed in bounded memory by calling this now and then.
        """
        return self._tracks.take_ended()

    def finish(self) -> list[Tube]:
        """End every track and return the tubelets not yet taken, ordered by ID; the tracker is then as new."""
        self.cut()
        tubelets = self.take_ended()
        self.reset()
        return tubelets

    def update(self, detections: FrameDetections, camera_motion: np.ndarray | None = None) -> np.ndarray:
        """Take the boxes of the next frame; frames left out count as frames without a box.

        Args:
            detections (FrameDetections): The frame. Its features, if any, must have unit length. Boxes without area
                belong to nobody; boxes may lie outside of the picture.
            camera_motion (np.ndarray | None): (2, 3) affine map from the pixels of the frame before to this one's,
                see ``CameraMotion``. Defaults to None, a camera that stands still.

        Returns:
            np.ndarray: (N,) int64, for each box the ID of the confirmed track it belongs to, or -1.

        Raises:
            ValueError: If the frame does not come after the one before, or a box or score is not finite.
        """
        if self._last_frame is not None and detections.frame_ind <= self._last_frame:
            raise ValueError(f'frame {detections.frame_ind} comes after frame {self._last_frame}')
        boxes_px, scores = detections.boxes_px, detections.scores
        if not (np.isfinite(boxes_px).all() and np.isfinite(scores).all()):
            raise ValueError(f'frame {detections.frame_ind} has a box or a score that is not finite')
        skipped = 0 if self._last_frame is None else detections.frame_ind - self._last_frame - 1
        self._last_frame = detections.frame_ind
        tracks = self._tracks
        for _ in range(min(skipped, self.max_age + 1)):
            tracks.predict()
            self._end_lost(np.ones(len(tracks), bool))
        tracks.predict()
        if camera_motion is not None:
            tracks.warp(camera_motion)

        x1, y1, x2, y2 = boxes_px.T
        usable = ((scores >= self.min_score) & (x2 > x1) & (y2 > y1)).nonzero()[0]
        measured = np.zeros((len(detections), 4))
        measured[usable] = xyxy_to_cxcyah(boxes_px[usable].astype(np.float64))
        strong = usable[scores[usable] >= self.high_score]
        owner = np.full(len(detections), -1)  # row of the track that takes each box
        if len(tracks):
            self._match_cascade(detections, strong, measured[strong], owner)
            if (owner[usable] < 0).any():
                recent = ~tracks.confirmed | (tracks.age == 1)
                self._match_overlap(detections, strong, owner, recent, self.max_iou_distance)
                weak = usable[scores[usable] < self.high_score]
                self._match_overlap(detections, weak, owner, recent, self.weak_iou_distance)

        matched = (owner >= 0).nonzero()[0]
        rows = owner[matched]
        unmatched = np.ones(len(tracks), bool)
        unmatched[rows] = False
        tracks.append(rows, detections, matched, measured[matched])
        if len(matched) < len(usable):
            new = self._births(detections, strong[owner[strong] < 0], matched)
            owner[new] = len(tracks) + np.arange(len(new))
            tracks.start(detections, new, measured[new])
            unmatched = np.concatenate([unmatched, np.zeros(len(new), bool)])
        ids = np.full(len(detections), -1)
        ids[owner >= 0] = tracks.ids[owner[owner >= 0]]
        self._end_lost(unmatched)
        return ids

    def _match_cascade(
        self, detections: FrameDetections, candidates: np.ndarray, measured: np.ndarray, owner: np.ndarray
    ) -> None:
        tracks = self._tracks
        confirmed = tracks.confirmed.nonzero()[0]
        if not len(confirmed) or not len(candidates):
            return
        near = tracks.state[confirmed].gating_distance(measured) <= self.max_gating_distance
        if detections.features is not None:
            near = self._take_lone_pairs(detections, confirmed, candidates, near, owner)
            if not near.any():
                return
            cost = tracks.gallery.distances(tracks.slots[confirmed], detections.features[candidates], near)
            limit = self.max_cosine_distance
        else:
            cost = 1 - self._overlap(confirmed, detections.boxes_px[candidates])
            cost[~near] = np.inf
            limit = self.max_iou_distance
        # Whoever competes with nobody is matched in any order; the others are served by age.
        rows, columns, contested_rows, contested_columns = alone(cost <= limit)
        owner[candidates[columns]] = confirmed[rows]
        ages = tracks.age[confirmed[contested_rows]] if self.age_cascade else np.zeros(len(contested_rows), np.int64)
        for age in np.unique(ages) if len(ages) else ():
            free = contested_columns[owner[candidates[contested_columns]] < 0]
            level = contested_rows[ages == age]
            rows, columns = assign(cost[level[:, None], free], limit)
            owner[candidates[free[columns]]] = confirmed[level[rows]]

    def _take_lone_pairs(
        self,
        detections: FrameDetections,
        confirmed: np.ndarray,
        candidates: np.ndarray,
        near: np.ndarray,
        owner: np.ndarray,
    ) -> np.ndarray:
        """Match pairs that no other could compete with, and return the mask of pairs that are left.

        Such a pair is in every solution if any look in the gallery is near enough, and nearly always the last one is:
        the others need not be compared.
        """
        rows, columns, _, _ = alone(near)
        slots = self._tracks.slots[confirmed[rows]]
        boxes = candidates[columns]
        sure = self._tracks.gallery.latest_distances(slots, detections.features[boxes]) <= self.max_cosine_distance
        owner[boxes[sure]] = confirmed[rows[sure]]
        near[rows[sure]] = False
        return near

    def _match_overlap(
        self,
        detections: FrameDetections,
        candidates: np.ndarray,
        owner: np.ndarray,
        eligible: np.ndarray,
        max_distance: float,
    ) -> None:
        free = candidates[owner[candidates] < 0]
        if not len(free):
            return
        level = eligible.copy()
        level[owner[owner >= 0]] = False
        level = level.nonzero()[0]
        if len(level):
            rows, columns = assign(1 - self._overlap(level, detections.boxes_px[free]), max_distance)
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

    def _overlap(self, rows: np.ndarray, boxes_px: np.ndarray) -> np.ndarray:
        iou = box_iou(cxcyah_to_xyxy(self._tracks.state.mean[rows]), boxes_px)
        if self.match_last_box:
            np.maximum(iou, box_iou(cxcyah_to_xyxy(self._tracks.last_boxes[rows]), boxes_px), out=iou)
        return iou

    def _end_lost(self, unmatched: np.ndarray) -> None:
        tracks = self._tracks
        if unmatched.any():
            tracks.end(unmatched & (~tracks.confirmed | (tracks.age >= self.max_age)))
