"""Why perfect predictions do not score 100: each likely mistake is undone, and the score says which it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from .samples import Perfect

Sample = dict[str, Any]
Undo = Callable[[Sample, dict[str, float]], Sample]


def _with(sample: Sample, key: str, **changed: Any) -> Sample:
    return {**sample, key: {**sample[key], **changed}}


def _moved_columns(scores: torch.Tensor, step: int) -> torch.Tensor:
    """Classes ``step`` higher; those that leave the list are lost."""
    moved = torch.zeros_like(scores)
    if step > 0:
        moved[..., step:] = scores[..., :-step]
    else:
        moved[..., :step] = scores[..., -step:]
    return moved


def _box_scores(change: Callable[[torch.Tensor], torch.Tensor]) -> Undo:
    return lambda sample, facts: _with(sample, 'pred_instances', scores=change(sample['pred_instances']['scores']))


def _boxes(change: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Undo:
    def undo(sample: Sample, facts: dict[str, float]) -> Sample:
        size = torch.tensor([facts.get('width', 1.0), facts.get('height', 1.0)] * 2)
        return _with(sample, 'pred_instances', bboxes=change(sample['pred_instances']['bboxes'], size))

    return undo


def _key_time(change: Callable[[float, float], float]) -> Undo:
    def undo(sample: Sample, facts: dict[str, float]) -> Sample:
        moved = change(float(sample['timestamp']), facts.get('fps', 1.0))
        timestamp: float | int = round(moved) if abs(moved - round(moved)) < 1e-6 else moved
        key = (
            f'{sample["video_id"]},{timestamp:04d}'
            if isinstance(timestamp, int)
            else f'{sample["video_id"]},{timestamp:.10g}'
        )
        return {**sample, 'timestamp': timestamp, 'img_key': key}

    return undo


def _segments(change: Callable[[torch.Tensor, float], torch.Tensor]) -> Undo:
    def undo(sample: Sample, facts: dict[str, float]) -> Sample:
        moved = change(sample['pred_segments']['segments_s'], facts.get('fps', 1.0))
        return _with(sample, 'pred_segments', segments_s=moved)

    return undo


def _segment_labels(step: int) -> Undo:
    def undo(sample: Sample, facts: dict[str, float]) -> Sample:
        found = sample['pred_segments']
        labels = found['labels'] + step
        keep = labels >= 0
        return {**sample, 'pred_segments': {**{k: v[keep] for k, v in found.items()}, 'labels': labels[keep]}}

    return undo


def _unique_boxes(sample: Sample, facts: dict[str, float]) -> Sample:
    """A class of a box counts at the first person who has this very box."""
    truth, found = sample['gt_instances'], sample['pred_instances']
    boxes, labels = truth['bboxes'].numpy(), truth['labels'].numpy().copy()
    same = (boxes[:, None] == boxes[None]).all(axis=2)
    for row in range(1, len(boxes)):
        labels[row] *= ~(labels[:row][same[row, :row]] > 0).any(axis=0)
    once = torch.from_numpy(labels)
    return {
        **sample,
        'gt_instances': {**truth, 'labels': once},
        'pred_instances': {**found, 'scores': found['scores'] * (once > 0)},
    }


def _scores(change: Callable[[torch.Tensor], torch.Tensor]) -> Undo:
    return lambda sample, facts: {**sample, 'pred_score': change(sample['pred_score'])}


def _wider(scores: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(scores, (1, 0))


FILE = "the metric's file"
UNDONE: dict[str, list[tuple[str, str, Undo]]] = {
    'boxes': [
        ('duplicate-ground-truth', 'boxes of one class stand twice in a picture', _unique_boxes),
        ('label-offset', f'classes in {FILE} are one higher', _box_scores(lambda scores: _moved_columns(scores, 1))),
        ('label-offset', f'classes in {FILE} are one lower', _box_scores(lambda scores: _moved_columns(scores, -1))),
        (
            'background-column',
            'labels have no column for the background and the metric expects one: background_class=True',
            _box_scores(_wider),
        ),
        (
            'background-column',
            'labels have a column for the background and the metric expects none: background_class=False',
            _box_scores(lambda scores: scores[..., 1:]),
        ),
        ('swapped-axes', f'x and y are swapped in {FILE}', _boxes(lambda boxes, size: boxes[:, [1, 0, 3, 2]])),
        (
            'swapped-axes',
            f'x and y, in pixels, are swapped in {FILE} or in the data set',
            _boxes(lambda boxes, size: (boxes * size)[:, [1, 0, 3, 2]] / size),
        ),
        ('pixel-for-normalised', f'boxes in {FILE} are in pixels', _boxes(lambda boxes, size: boxes * size)),
        (
            'normalised-for-pixel',
            'boxes of the data set were fractions already',
            _boxes(lambda boxes, size: boxes / size),
        ),
        (
            'xywh-for-xyxy',
            f'boxes in {FILE} are x, y, width, height',
            _boxes(lambda boxes, size: torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)),
        ),
        ('frames-for-seconds', f'key times in {FILE} are frames', _key_time(lambda time, fps: time * fps)),
        (
            'seconds-for-frames',
            f'key times in {FILE} are seconds, those of the data set frames',
            _key_time(lambda time, fps: time / fps),
        ),
        ('milliseconds-for-seconds', f'key times in {FILE} are milliseconds', _key_time(lambda time, fps: time * 1000)),
        (
            'time-offset',
            f'key times in {FILE} count from 900, as those of AVA',
            _key_time(lambda time, fps: time + 900),
        ),
        (
            'time-offset',
            'key times of the data set count from 900, as those of AVA',
            _key_time(lambda time, fps: time - 900),
        ),
        ('time-offset', f'key times in {FILE} are one higher', _key_time(lambda time, fps: time + 1)),
        ('time-offset', f'key times in {FILE} are one lower', _key_time(lambda time, fps: time - 1)),
    ],
    'segments': [
        ('label-offset', f'classes in {FILE} are one higher', _segment_labels(1)),
        ('label-offset', f'classes in {FILE} are one lower', _segment_labels(-1)),
        ('frames-for-seconds', f'segments in {FILE} are in frames', _segments(lambda spans, fps: spans * fps)),
        (
            'seconds-for-frames',
            f'segments in {FILE} were divided by the frame rate',
            _segments(lambda spans, fps: spans / fps),
        ),
        (
            'milliseconds-for-seconds',
            f'segments in {FILE} are in milliseconds',
            _segments(lambda spans, fps: spans * 1000),
        ),
    ],
    'scores': [
        ('label-offset', f'classes in {FILE} are one higher', _scores(lambda scores: _moved_columns(scores, 1))),
        ('label-offset', f'classes in {FILE} are one lower', _scores(lambda scores: _moved_columns(scores, -1))),
    ],
}


def undone(perfect: Perfect, undo: Undo) -> Perfect | None:
    """Return predictions with one mistake undone.

    Args:
        perfect (Perfect): What did not score 100.
        undo (Undo): The third of an entry of ``UNDONE``.

    Returns:
        Perfect | None: None if such samples cannot have this mistake.
    """
    try:
        samples = [undo(sample, facts) for sample, facts in zip(perfect.samples, perfect.facts)]
    except (IndexError, KeyError):
        return None
    return replace(perfect, samples=samples)
