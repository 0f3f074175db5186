"""Who does what in a clip: features of people, objects and memory, interactions, and scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmtube.registry import MODELS

from .clip_features import ClipFeatures
from .interaction import MEMORY, OBJECT
from .memory_pool import MemoryEntry, MemoryPool
from .roi_over_time import nearest_slots, slice_times

if TYPE_CHECKING:
    from mmaction.structures import ActionDataSample


@MODELS.register_module()
class TubeRoIHead(nn.Module):
    """AlphAction's head on people with one or several boxes over time (Tang et al., 2020; SEAL, Sec. 4).

    Scores are those of ``head(people + interaction(people, ...))``; without interaction it is the plain baseline.

    Args:
        roi_extractor (dict): ``RoIOverTime``.
        head (dict): ``ClipActionHead``.
        interaction (dict | None): ``InteractionAggregation``. Defaults to None.
        memory (dict | None): ``MemoryPool``, for M blocks. Defaults to None: its defaults where there is an M block.
        max_objects (int): Objects of a clip. Defaults to 5.
        test_enlarge (Sequence[float]): By how much boxes are made wider and higher, altogether, before people are
            pooled in testing; the boxes that are returned are those that were given. Defaults to AlphAction's
            (0.1, 0.05).
        positive_iou (float): In training on boxes of a detector, people with at least this IoU take part. Defaults to
            0.5.

    Raises:
        ValueError: If the parts do not fit together.
    """

    def __init__(
        self,
        roi_extractor: dict,
        head: dict,
        interaction: dict | None = None,
        memory: dict | None = None,
        max_objects: int = 5,
        test_enlarge: Sequence[float] = (0.1, 0.05),
        positive_iou: float = 0.5,
    ) -> None:
        super().__init__()
        self.roi_extractor = MODELS.build(roi_extractor)
        self.head = MODELS.build(head)
        self.interaction = None if interaction is None else MODELS.build(interaction)
        self.memory: MemoryPool | None = None
        if self._asks(MEMORY):
            self.memory = MODELS.build({'type': 'MemoryPool', **(memory or {})})
            steps = [len(block.key_time) for block in self.interaction.blocks if block.key_time is not None]
            if any(count != self.memory.num_seconds for count in steps):
                raise ValueError(f'M blocks of {steps[0]} steps do not fit a memory of {self.memory.num_seconds}')
        elif memory is not None:
            raise ValueError('there is a memory but no M block')
        self.max_objects = max_objects
        self.test_enlarge = tuple(test_enlarge)
        self.positive_iou = positive_iou
        # What the last training iteration saw, for the hook that writes the memory.
        self.seen: dict[tuple[str, int], MemoryEntry] = {}

    def _asks(self, kind: str) -> bool:
        return self.interaction is not None and self.interaction.uses(kind)

    def pool(
        self,
        maps: Sequence[Tensor],
        samples: Sequence[ActionDataSample],
        people: Sequence[InstanceData],
        with_objects: bool = False,
    ) -> ClipFeatures:
        """Pool people and objects of a batch.

        Args:
            maps (Sequence[Tensor]): (N, C_i, T_i, h, w) of each pathway.
            samples (Sequence[ActionDataSample]): With the meta data of ``PackSEALClip`` and, for O blocks, ``objects``.
            people (Sequence[InstanceData]): Of each clip: ``bboxes`` (m, 4) and, with several boxes over time,
                ``tube_boxes`` (m, B, 4) and ``tube_valid`` (m, B).
            with_objects (bool): Whether objects are pooled even if no block asks for them. Defaults to False.
        """
        device = maps[0].device
        clip_inds = torch.cat([torch.full((len(found),), number) for number, found in enumerate(people)]).to(device)
        key_boxes = torch.cat([found.bboxes for found in people]).to(device)
        scores = [found.get('scores', torch.ones(len(found))).to(device) for found in people]
        boxes, valid, slots = key_boxes[:, None], None, None
        if all('tube_boxes' in found for found in people):
            boxes = torch.cat([found.tube_boxes for found in people]).to(device)
            valid = torch.cat([found.tube_valid for found in people]).to(device)
            # Somebody without a box over time still has the one at the key time.
            alone = ~valid.any(dim=1)
            boxes = torch.where(alone[:, None, None], key_boxes[:, None], boxes)
            valid = valid | alone[:, None]
            slots = [_slots(samples, features.shape[2]) for features in maps]
        if not self.training:
            boxes = self._enlarged(boxes, samples, clip_inds)
        pooled = self.roi_extractor(maps, boxes, clip_inds, slots, valid)
        keys = [
            (str(sample.metainfo.get('video_id', '')), float(sample.metainfo.get('key_s', 0))) for sample in samples
        ]
        features = ClipFeatures(pooled, key_boxes, torch.cat(scores), clip_inds, keys)
        if self._asks(OBJECT) or with_objects:
            features.objects, features.objects_valid = self._pool_objects(maps, samples)
        return features

    def pool_labelled(
        self, maps: Sequence[Tensor], samples: Sequence[ActionDataSample], with_objects: bool = False
    ) -> ClipFeatures:
        """Pool the people of a batch whose labels are known, and the objects, to learn from.

        Args:
            maps (Sequence[Tensor]): (N, C_i, T_i, h, w) of each pathway.
            samples (Sequence[ActionDataSample]): With ``proposals`` and ``gt_instances``.
            with_objects (bool): As in :meth:`pool`. Defaults to False.
        """
        pairs = [self._labelled(sample) for sample in samples]
        features = self.pool(maps, samples, [people for people, _ in pairs], with_objects)
        features.labels = torch.cat([labels for _, labels in pairs]).to(features.people.device)
        return features

    def _enlarged(self, boxes: Tensor, samples: Sequence[ActionDataSample], clip_inds: Tensor) -> Tensor:
        sides = boxes[..., 2:] - boxes[..., :2]
        shift = sides * sides.new_tensor(self.test_enlarge) / 2
        limits = boxes.new_tensor([sample.metainfo['img_shape'][1::-1] for sample in samples])[clip_inds, None]
        lower, upper = (boxes[..., :2] - shift).clamp(min=0), boxes[..., 2:] + shift
        return torch.cat([torch.minimum(lower, limits), torch.minimum(upper, limits)], dim=-1)

    def _pool_objects(self, maps: Sequence[Tensor], samples: Sequence[ActionDataSample]) -> tuple[Tensor, Tensor]:
        device, width = maps[0].device, sum(features.shape[1] for features in maps)
        found = [
            sample.objects.bboxes[: self.max_objects].to(device)
            if 'objects' in sample
            else torch.zeros(0, 4).to(device)
            for sample in samples
        ]
        clip_inds = torch.cat([torch.full((len(boxes),), number) for number, boxes in enumerate(found)]).to(device)
        places = torch.cat([torch.arange(len(boxes)) for boxes in found]).to(device)
        boxes = torch.cat(found)[:, None]
        pooled = self.roi_extractor(maps, boxes, clip_inds)
        objects = pooled.new_zeros(len(samples), self.max_objects, width)
        objects[clip_inds, places] = pooled
        valid = torch.zeros(objects.shape[:2], dtype=torch.bool, device=device)
        valid[clip_inds, places] = True
        return objects, valid

    def classify(self, features: ClipFeatures, memory: MemoryPool | None = None) -> Tensor:
        """Return (n, C) logits of pooled clips.

        Args:
            features (ClipFeatures): From :meth:`pool`, here or in an earlier pass.
            memory (MemoryPool | None): Where M blocks read. Defaults to None, the head's own.
        """
        people = features.people
        if self.interaction is None:
            return self.head(people)
        read: dict[str, Tensor | None] = {}
        if self._asks(MEMORY):
            read['memory'], read['memory_valid'] = self._read(features, self.memory if memory is None else memory)
        if self._asks(OBJECT):
            read['objects'], read['objects_valid'] = features.objects, features.objects_valid
        read['scores'] = features.scores
        return self.head(people + self.interaction(people, features.clip_inds, len(features.keys), **read))

    def _read(self, features: ClipFeatures, memory: MemoryPool | None) -> tuple[Tensor, Tensor]:
        assert memory is not None
        rows, valid = [], []
        for number, (video_id, key_s) in enumerate(features.keys):
            mine = features.clip_inds == number
            found = memory.read(
                video_id, memory.number(key_s), features.people[mine], features.scores[mine], self.training
            )
            rows.append(found[0])
            valid.append(found[1])
        return torch.stack(rows), torch.stack(valid)

    def entries(self, features: ClipFeatures) -> dict[tuple[str, int], MemoryEntry]:
        """Return what a memory keeps of clips, by film and number; nothing for a head without memory."""
        if self.memory is None:
            return {}
        entries = {}
        for number, (video_id, key_s) in enumerate(features.keys):
            mine = features.clip_inds == number
            columns = (column[mine].detach().cpu() for column in (features.boxes, features.people, features.scores))
            entries[video_id, self.memory.number(key_s)] = MemoryEntry(*columns)
        return entries

    def loss(self, maps: Sequence[Tensor], samples: Sequence[ActionDataSample]) -> dict[str, Tensor]:
        """Return the losses of a batch.

        Args:
            maps (Sequence[Tensor]): (N, C_i, T_i, h, w) of each pathway.
            samples (Sequence[ActionDataSample]): With ``proposals`` and ``gt_instances``.
        """
        features = self.pool_labelled(maps, samples)
        self.seen = self.entries(features)
        return self.loss_of(features)

    def loss_of(self, features: ClipFeatures) -> dict[str, Tensor]:
        """Return the losses of clips that were pooled with their labels, here or in an earlier pass."""
        assert features.labels is not None
        return self.head.loss(self.classify(features), features.labels)

    def _labelled(self, sample: ActionDataSample) -> tuple[InstanceData, Tensor]:
        """Proposals that are somebody of the ground truth, and their labels."""
        people, truth = sample.proposals, sample.gt_instances
        if sample.metainfo.get('proposals_are_gt', False):
            return people, truth.labels
        if not len(people) or not len(truth):
            return people[:0], truth.labels[:0]
        # Here and not above: whoever only looks for weights need not wait for mmdet.
        from mmdet.structures.bbox import bbox_overlaps

        best = bbox_overlaps(people.bboxes, truth.bboxes).max(dim=1)
        kept = best.values >= self.positive_iou
        return people[kept], truth.labels[best.indices[kept]]

    def predict(
        self, features: ClipFeatures, samples: Sequence[ActionDataSample], memory: MemoryPool | None = None
    ) -> list[ActionDataSample]:
        """Return the samples with ``pred_instances``: ``bboxes`` (m, 4) in fractions of the frame, ``scores`` (m, C).

        Args:
            features (ClipFeatures): From :meth:`pool`.
            samples (Sequence[ActionDataSample]): The clips.
            memory (MemoryPool | None): As in :meth:`classify`.
        """
        scores = self.head.scores(self.classify(features, memory))
        for number, sample in enumerate(samples):
            mine = features.clip_inds == number
            height, width = sample.metainfo['img_shape'][:2]
            fractions = features.boxes[mine] / features.boxes.new_tensor([width, height] * 2)
            sample.pred_instances = InstanceData(bboxes=fractions, scores=scores[mine])
        return list(samples)


def _slots(samples: Sequence[ActionDataSample], num_slices: int) -> Tensor:
    """(N, num_slices) int64 box of each time slice of a map."""
    rows = [
        nearest_slots(
            slice_times(sample.metainfo['frame_times_s'], num_slices), torch.as_tensor(sample.metainfo['box_times_s'])
        )
        for sample in samples
    ]
    return torch.stack(rows)
