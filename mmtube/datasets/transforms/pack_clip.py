"""From the dict of a pipeline to what a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmaction.structures import ActionDataSample
from mmcv.transforms import BaseTransform, to_tensor
from mmengine.structures import InstanceData

from mmtube.registry import TRANSFORMS

META_KEYS = (
    *('video_id', 'timestamp', 'img_key', 'key_s', 'clip_start_s', 'clip_end_s', 'duration_s', 'sample_idx', 'tids'),
    *('ori_shape', 'img_shape', 'scale_factor', 'flip', 'frame_times_s', 'box_times_s'),
)


@TRANSFORMS.register_module()
class PackSEALClip(BaseTransform):
    """Pack a clip as MMAction2's detectors take it, with boxes over time where there are.

    ``inputs`` is (C, T, H, W) uint8. In the ``ActionDataSample``, ``gt_instances`` has ``bboxes`` (n, 4) float32 at the
    key time, ``labels`` (n, C) bool and ``person_ids`` (n,) int64; ``proposals`` has ``bboxes`` (m, 4), ``scores``
    where the file had them, and with several boxes per second ``tube_boxes`` (m, B, 4) float32 at the times
    ``box_times_s`` of the meta data and ``tube_valid`` (m, B) bool. Where the proposals are the ground truth both have
    the boxes over time. All boxes are in pixels of ``inputs``.

    Args:
        meta_keys (Sequence[str]): What goes along as meta data where it is present. Defaults to ``META_KEYS``.
    """

    def __init__(self, meta_keys: Sequence[str] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack."""
        sample = ActionDataSample()
        truth = InstanceData(
            bboxes=to_tensor(results['gt_bboxes']).float(),
            labels=to_tensor(results['gt_labels']),
            person_ids=to_tensor(results['person_ids']),
        )
        boxes = to_tensor(results['proposals']).float()
        over_time = {}
        if 'tube_valid' in results:
            valid = to_tensor(results['tube_valid'])
            people = len(valid)
            tube_boxes = boxes[people:].view(*valid.shape, 4) * valid[..., None]  # a flip moves boxes that are none
            over_time = dict(tube_boxes=tube_boxes, tube_valid=valid)
            boxes = boxes[:people]
        proposals = InstanceData(bboxes=boxes, **over_time)
        if 'proposal_scores' in results:
            proposals.scores = to_tensor(results['proposal_scores'])
        if results.get('proposals_are_gt') and over_time:
            truth.set_field(over_time['tube_boxes'], 'tube_boxes')
            truth.set_field(over_time['tube_valid'], 'tube_valid')
        sample.gt_instances, sample.proposals = truth, proposals
        sample.set_metainfo({key: results[key] for key in self.meta_keys if key in results})
        return {'inputs': to_tensor(results['imgs']), 'data_samples': sample}
