"""What a perfect model would emit: the ground truth of a data set in the form of its model's output.

No film is decoded and no feature is read. What the packing at the end of the pipeline does to labels is done here too,
by the packing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from mmtube.datasets.action_tubes import ActionTubes
from mmtube.datasets.clip_dataset import ClipDataset
from mmtube.datasets.transforms import PackSEALClip

FEATURE_DIMS = 64


@dataclass
class Perfect:
    """Samples with predictions, as MMEngine hands them to metrics.

    Args:
        kind (str): ``'boxes'``, ``'segments'``, ``'scores'``, ``'features'`` or ``'detections'``.
        samples (list[dict]): One for each item.
        places (list[str]): What each is called.
        facts (list[dict]): ``width``, ``height`` and ``fps`` of its film where known.
        num_truths (int): Ground truths: pairs of a box and a class, segments, labels, tracklets.
        notes (list[str]): What was left out.
    """

    kind: str
    samples: list[dict[str, Any]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    facts: list[dict[str, float]] = field(default_factory=list)
    num_truths: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, sample: dict[str, Any], place: str, num_truths: int, **facts: float) -> None:
        """Add a sample."""
        self.samples.append(sample)
        self.places.append(place)
        self.facts.append(facts)
        self.num_truths += num_truths

    def every(self, step: int) -> Perfect:
        """Return every ``step``-th sample; itself if that is all."""
        if step <= 1:
            return self
        return replace(self, samples=self.samples[::step], places=self.places[::step], facts=self.facts[::step])


def clip_samples(dataset: ClipDataset) -> Perfect:
    """Return clips with boxes as fractions of the picture and a score for each class, as MMAction2's detectors."""
    dataset.max_persons = int(1e9)  # a random choice would not be what a file beside the data set says
    pack = dataset.pipeline.transforms[-1] if dataset.pipeline.transforms else None
    pack = pack if isinstance(pack, PackSEALClip) else PackSEALClip()
    nothing = np.zeros((1, 1, 1, 1), np.uint8)
    perfect, dropped = Perfect('boxes'), 0
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        for key in ('tube_boxes', 'tube_valid', 'gt_tube_boxes'):
            info.pop(key, None)
        height, width = info['ori_shape']
        info.update(imgs=nothing, img_shape=(height, width), scale_factor=np.ones(2, np.float32))
        packed = pack(info)
        if packed is None:
            dropped += 1
            continue
        sample = packed['data_samples'].to_dict()
        truth = sample['gt_instances']
        size = torch.tensor([width, height] * 2, dtype=torch.float32)
        sample['pred_instances'] = {'bboxes': truth['bboxes'] / size, 'scores': truth['labels'].clone()}
        perfect.add(sample, info['img_key'], int(truth['labels'].sum()), width=width, height=height, fps=info['fps'])
    if dropped:
        perfect.notes.append(f'{dropped} clips without a person in the picture left out, as in training')
    return perfect


def tube_samples(dataset: ActionTubes) -> Perfect:
    """Return key frames as :func:`clip_samples`, and at the first of each film all its tubes for metrics of tubes."""
    perfect, seen = clip_samples(dataset), set()
    annotations = dataset.annotations
    tids, labels = annotations.tids_by_video(), dict(zip(dataset.tids, dataset.tube_labels.tolist()))
    for sample in perfect.samples:
        vid = sample['video_id']
        tracks = {tid: annotations.track(tid) for tid in tids[vid] if vid not in seen and labels[tid] >= 0}
        seen.add(vid)
        sample['pred_tubes'] = [
            dict(video_id=vid, label=labels[tid], score=1.0, frames=track.frame_inds + 1, boxes=track.boxes_px)
            for tid, track in tracks.items()
        ]
    return perfect


def ava_samples(dataset: Any) -> Perfect:
    """Return the samples of MMAction2's ``AVADataset``, whose boxes are fractions."""
    perfect = Perfect('boxes')
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        boxes = torch.from_numpy(np.asarray(info['gt_bboxes'], np.float32)).reshape(-1, 4)
        labels = torch.from_numpy(np.asarray(info['gt_labels'], np.float32))
        sample = {key: info[key] for key in ('video_id', 'timestamp', 'img_key')}
        sample.update(ori_shape=(1, 1), img_shape=(1, 1))
        sample['gt_instances'] = {'bboxes': boxes, 'labels': labels}
        sample['pred_instances'] = {'bboxes': boxes.clone(), 'scores': labels.clone()}
        perfect.add(sample, info['img_key'], int(labels.sum()), fps=float(info['fps']))
    return perfect


def tubelet_samples(dataset: Any, fps: Mapping[str, float]) -> Perfect:
    """Return tubelets with segments in seconds of the film, as temporal detectors emit them; ``fps`` is by film."""
    pack = dataset.pipeline.transforms[-1] if dataset.pipeline.transforms else None
    perfect = Perfect('segments')
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        keys = getattr(pack, 'meta_keys', info)
        sample = {key: info[key] for key in keys if key in info}
        sample['pred_segments'] = _segments(info['gt_segments_s'], info['gt_labels'])
        perfect.add(sample, info['tid'], len(info['gt_labels']), fps=fps[info['video_id']])
    return perfect


def _segments(segments_s: np.ndarray, labels: np.ndarray) -> dict[str, torch.Tensor]:
    return {
        'segments_s': torch.from_numpy(np.asarray(segments_s, np.float64).reshape(-1, 2)),
        'labels': torch.from_numpy(np.asarray(labels, np.int64)),
        'scores': torch.ones(len(labels)),
    }


def proposal_samples(dataset: Any) -> Perfect:
    """Return the films of MMAction2's ``ActivityNetDataset`` with proposals, as its BMN emits them."""
    perfect = Perfect('segments')
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        segments = [item['segment'] for item in info['annotations']]
        sample = dict(
            video_name=info['video_name'],
            annotations=info['annotations'],
            duration_second=info.get('duration_second'),
            proposal_list=[{'segment': list(segment), 'score': 1.0} for segment in segments],
            pred_segments=_segments(np.array(segments, np.float64), np.zeros(len(segments), np.int64)),
        )
        perfect.add(sample, info['video_name'], len(segments))
    return perfect


def score_samples(dataset: Any, num_classes: int | None) -> Perfect:
    """Return films or clips with one label or several and a score for each class."""
    perfect, infos = Perfect('scores'), [dataset.get_data_info(index) for index in range(len(dataset))]
    labels = [torch.as_tensor(info['label']).reshape(-1) for info in infos]
    multi = any(len(label) > 1 for label in labels)
    if num_classes is None:
        num_classes = len(labels[0]) if multi else 1 + max((int(label.max()) for label in labels), default=0)
    for info, label in zip(infos, labels):
        place = str(info.get('filename', info.get('frame_dir', info.get('sample_idx'))))
        scores = label.float() if multi else torch.zeros(num_classes)
        if not multi and 0 <= int(label) < num_classes:
            scores[int(label)] = 1
        perfect.add(
            {'pred_score': scores.clone(), 'gt_label': label, 'num_classes': num_classes, 'filename': place},
            place,
            int(label.sum()) if multi else 1,
        )
    return perfect


def sequence_samples(dataset: Any) -> Perfect:
    """Return tracklets with a feature that is the same for all tracklets of a person and another for others."""
    pack = dataset.pipeline.transforms[-1] if dataset.pipeline.transforms else None
    perfect = Perfect('features')
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        sample = {key: info[key] for key in getattr(pack, 'meta_keys', info) if key in info}
        feature = np.random.default_rng(info['pid'] + 2).normal(size=FEATURE_DIMS)
        sample['gt_label'] = torch.tensor([info['gt_label']])
        sample['pred_feature'] = torch.from_numpy(feature / np.linalg.norm(feature)).float()
        perfect.add(sample, f'{dataset.split} tracklet {info["tracklet"]}', 1)
    return perfect


def detection_samples(dataset: Any) -> Perfect:
    """Return pictures of MMDetection's data sets with boxes in pixels."""
    perfect = Perfect('detections')
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        instances = [item for item in info['instances'] if not item['ignore_flag']]
        boxes = torch.tensor([item['bbox'] for item in instances], dtype=torch.float32).reshape(-1, 4)
        labels = torch.tensor([item['bbox_label'] for item in instances], dtype=torch.int64)
        sample = dict(
            img_id=info['img_id'],
            ori_shape=(info['height'], info['width']),
            instances=info['instances'],
            pred_instances={'bboxes': boxes, 'labels': labels, 'scores': torch.ones(len(labels))},
        )
        facts = dict(width=float(info['width']), height=float(info['height']))
        perfect.add(sample, str(info['img_path']), len(instances), **facts)
    return perfect


def batches(samples: list[dict[str, Any]], size: int = 64) -> Iterator[list[dict[str, Any]]]:
    """Yield samples a batch at a time."""
    for begin in range(0, len(samples), size):
        yield samples[begin : begin + size]
