"""From the dict of a pipeline to what a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform, to_tensor
from mmengine.structures import InstanceData

from mmtube.registry import TRANSFORMS

META_KEYS = (
    *('video_id', 'timestamp', 'img_key', 'key_s', 'clip_start_s', 'clip_end_s', 'duration_s', 'sample_idx', 'tids'),
    *('ori_shape', 'img_shape', 'scale_factor', 'flip', 'frame_times_s', 'box_times_s', 'proposals_are_gt'),
)
LEAST_SIDE_PX = 1.0


@TRANSFORMS.register_module()
class PackSEALClip(BaseTransform):
    """Pack a clip as MMAction2's detectors take it, with boxes over time where there are.

    ``inputs`` is (C, T, H, W) uint8. In the ``ActionDataSample``, ``gt_instances`` has ``bboxes`` (n, 4) float32 at the
    key time, ``labels`` (n, C) float32 of 0 and 1 (MMAction2's assigner takes no bool) and ``person_ids`` (n,) int64;
    ``proposals`` has ``bboxes`` (m, 4), ``scores`` where the file had them, and with several boxes per second
    ``tube_boxes`` (m, B, 4) float32 at the times ``box_times_s`` of the meta data and ``tube_valid`` (m, B) bool. Where
    the proposals are the ground truth both have the boxes over time. ``objects``, where the data set has them, has
    ``bboxes`` (k, 4) float32 and ``scores`` (k,) float32; objects that a crop left out are dropped. All boxes are in
    pixels of ``inputs``.

    In training, people whom a crop left out of the picture are left out too: MMAction2's crop flattens their boxes at
    the border and would teach their labels with a strip of background. A clip in which nobody is left is ``None``, for
    which the data set takes another one.

    Args:
        meta_keys (Sequence[str]): What goes along as meta data where it is present. Defaults to ``META_KEYS``.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Pack."""
        valid = to_tensor(results['tube_valid']) if 'tube_valid' in results else None
        truth = _instances(results['gt_bboxes'], valid if 'gt_tube_boxes' in results else None)
        truth.labels, truth.person_ids = to_tensor(results['gt_labels']).float(), to_tensor(results['person_ids'])
        boxes, objects = results['proposals'], None
        if 'object_scores' in results:
            people = len(boxes) - len(results['object_scores'])
            boxes, objects = boxes[:people], InstanceData(bboxes=to_tensor(boxes[people:]).float())
            objects.scores = to_tensor(results['object_scores']).float()
        proposals = _instances(boxes, valid)
        if 'proposal_scores' in results:
            proposals.scores = to_tensor(results['proposal_scores'])
        are_truth = bool(results.get('proposals_are_gt'))
        if are_truth and 'tube_boxes' in proposals and 'tube_boxes' not in truth:
            truth.tube_boxes, truth.tube_valid = proposals.tube_boxes.clone(), proposals.tube_valid.clone()
        meta = {key: results[key] for key in self.meta_keys if key in results}
        if not results.get('test_mode', True):
            people, found = _in_picture(truth.bboxes), _in_picture(proposals.bboxes)
            if are_truth:  # one row of each is one person
                people = found = people & found
            if len(people) and not people.any():
                return None
            truth, proposals = truth[people], proposals[found]
            if 'tids' in meta:
                meta['tids'] = [tid for tid, seen in zip(meta['tids'], people.tolist()) if seen]
        sample = ActionDataSample(metainfo=meta)
        sample.gt_instances, sample.proposals = truth, proposals
        if objects is not None:
            sample.objects = objects[_in_picture(objects.bboxes)]
        return {'inputs': to_tensor(results['imgs']), 'data_samples': sample}


def _in_picture(boxes: torch.Tensor) -> torch.Tensor:
    """(N,) bool, whether a box has a pixel."""
    return (boxes[:, 2:] - boxes[:, :2] >= LEAST_SIDE_PX).all(dim=1)


def _instances(boxes: np.ndarray, valid: torch.Tensor | None) -> InstanceData:
    """Boxes at the key time, and those over time that stand behind them where ``valid`` (m, B) says which exist."""
    boxes = to_tensor(boxes).float()
    if valid is None:
        return InstanceData(bboxes=boxes)
    people = len(valid)
    # A flip moves boxes that are none, and a crop may leave a box without area.
    over_time = boxes[people:].view(*valid.shape, 4)
    valid = valid & _in_picture(over_time.reshape(-1, 4)).view(valid.shape)
    return InstanceData(bboxes=boxes[:people], tube_boxes=over_time * valid[..., None], tube_valid=valid)
