"""The trackers of mmdet behind the interface of ours."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.registry import TASK_UTILS
from mmtube.structures import FrameDetections, Tube

from .track_log import TrackLog


@TASK_UTILS.register_module()
class MMDetTracker:
    """Track with a tracker of mmdet that needs boxes and scores only: SORT, ByteTrack, OC-SORT.

    For comparison; ``DeepSORTTracker`` has the same ideas as switches and is many times as fast. Every box that mmdet
    gives an ID is in a tubelet, tentative ones too: ``min_boxes`` drops those.

    Args:
        tracker (dict): Config of the tracker as in mmdet, such as ``dict(type='mmdet.ByteTracker',
            motion=dict(type='KalmanFilter'))``.
        min_boxes (int): Tubelets with fewer boxes are dropped. Defaults to 1.

    Raises:
        ValueError: If the tracker wants a re-identification network, which it would run on its own copy of the frames,
            or ``min_boxes`` is not positive.

    Examples:
        >>> tracker = MMDetTracker(dict(type='mmdet.ByteTracker', motion=dict(type='KalmanFilter')))
        >>> for frame in range(5):
        ...     box = np.array([[10 + frame, 10, 30 + frame, 60]], np.float32)
        ...     ids = tracker.update(FrameDetections(frame, frame / 25, box, np.array([0.9])))
        >>> [len(tube) for tube in tracker.finish()]
        [5]
    """

    def __init__(self, tracker: dict, min_boxes: int = 1) -> None:
        if min_boxes < 1:
            raise ValueError(f'min_boxes must be positive, got {min_boxes}')
        kind = str(tracker.get('type'))
        if kind.rpartition('.')[2] == 'SORTTracker':
            tracker = {'reid': None, **tracker}
        if tracker.get('reid') is not None:
            raise ValueError(f"{kind} cannot run a re-identification network here, set 'reid' to None")
        with DefaultScope.overwrite_default_scope('mmdet'):
            self._tracker = ROOT_MODELS.build(tracker)
        self.min_boxes = min_boxes
        self.reset()

    def reset(self) -> None:
        """Forget the film; IDs start at 1 again."""
        self._log = TrackLog()
        self._ids_before = self._ids = 0
        self._last_frame: int | None = None
        self.cut()

    def cut(self) -> None:
        """End every track, because the next frame belongs to another shot."""
        self._shot_start: int | None = None
        self._ids_before = self._ids

    def finish(self) -> list[Tube]:
        """End every track and return the tubelets of the film, ordered by ID; the tracker is then as new."""
        ids = np.arange(1, self._ids + 1)
        tubelets = [tube for tube in self._log.take(ids, ids, ids[:0], {}) if len(tube) >= self.min_boxes]
        self.reset()
        return tubelets

    def update(self, detections: FrameDetections, camera_motion: np.ndarray | None = None) -> np.ndarray:
        """Take the boxes of the next frame.

        Args:
            detections (FrameDetections): The frame; its features are not used.
            camera_motion (np.ndarray | None): Not used, these trackers know nothing of it. Defaults to None.

        Returns:
            np.ndarray: (N,) int64, for each box the ID that it was given, or -1.

        Raises:
            ValueError: If the frame does not come after the one before, or a box or score is not finite.
        """
        if self._last_frame is not None and detections.frame_ind <= self._last_frame:
            raise ValueError(f'frame {detections.frame_ind} comes after frame {self._last_frame}')
        if not (np.isfinite(detections.boxes_px).all() and np.isfinite(detections.scores).all()):
            raise ValueError(f'frame {detections.frame_ind} has a box or a score that is not finite')
        self._last_frame = detections.frame_ind
        if self._shot_start is None:
            self._shot_start = detections.frame_ind  # frame 0 of a film makes mmdet forget the one before
        usable = np.flatnonzero((detections.boxes_px[:, 2:] > detections.boxes_px[:, :2]).all(axis=1))
        sample = _sample(detections[usable], detections.frame_ind - self._shot_start)
        with DefaultScope.overwrite_default_scope('mmdet'):
            found = self._tracker.track(data_sample=sample, model=None, img=None)  # of a network, for SORT
        rows = usable[_rows_of(found, sample.pred_instances)]
        ids = np.full(len(detections), -1)
        ids[rows] = found.instances_id.numpy() + 1 + self._ids_before
        has_id = np.flatnonzero(ids >= 0)
        self._ids = max(self._ids, int(ids.max(initial=0)))
        self._log.append(ids[has_id], detections, has_id)
        return ids


def _sample(detections: FrameDetections, frame_id: int):
    from mmdet.structures import DetDataSample

    boxes = torch.from_numpy(np.ascontiguousarray(detections.boxes_px))
    labels = torch.zeros(len(boxes), dtype=torch.long)
    instances = InstanceData(bboxes=boxes, labels=labels, scores=torch.from_numpy(detections.scores.copy()))
    return DetDataSample(metainfo=dict(frame_id=frame_id), pred_instances=instances)


def _rows_of(found: InstanceData, given: InstanceData) -> np.ndarray:
    """Return the rows of ``given`` that the boxes of ``found`` are copies of; each row is taken once."""
    places: dict[tuple[float, ...], list[int]] = {}
    for row, key in enumerate(zip(given.bboxes.tolist(), given.scores.tolist())):
        places.setdefault((*key[0], key[1]), []).append(row)
    keys = [(*box, score) for box, score in zip(found.bboxes.tolist(), found.scores.tolist())]
    return np.array([places[key].pop(0) for key in keys], np.int64)
