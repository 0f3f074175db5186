"""Sequences whose features say what is in them, for tests of temporal detectors."""

import numpy as np
import torch
from mmengine.registry import DefaultScope

from mmtube.datasets.collate import tubelet_collate
from mmtube.datasets.transforms.tubelet import PackTubelet, set_rows
from mmtube.evaluation.metrics.temporal_map import TubeletMAP
from mmtube.registry import MODELS


def plant_sequence(rng, rows, classes, dims, instances=2, rate=7.5, offset_s=7.3, multi_label=False, tid='a'):
    """Return a packed tubelet with noise and, inside an instance of class c, a pattern of c in all channels.

    The first rows of an instance are stronger, as the beginning of an action differs from its middle. With
    ``multi_label`` instances may overlap; else they stand one after another.
    """
    patterns = np.random.default_rng(5).normal(size=(classes, sum(dims)))
    features = rng.normal(size=(rows, sum(dims))) * 0.3
    if multi_label:
        lengths = rng.uniform(0.15, 0.5, instances) * rows
        starts = rng.uniform(0, 1, instances) * (rows - lengths)
    else:
        edges = np.sort(rng.uniform(0.02, 0.98, 2 * instances)) * rows
        starts, lengths = edges[::2], np.maximum(np.diff(edges)[::2], 3)
    spans = np.stack([starts, np.minimum(starts + lengths, rows - 1)], 1)
    labels = rng.permutation(classes)[:instances] if instances <= classes else rng.integers(0, classes, instances)
    for (start, end), label in zip(spans, labels):
        inside = slice(int(np.ceil(start)), int(np.floor(end)) + 1)
        features[inside] += patterns[label]
    results = {
        'tid': tid,
        'video_id': tid,
        't0_s': offset_s - 0.5 / rate,
        't1_s': offset_s + (rows - 0.5) / rate,
        'labels': labels.astype(np.int64),
        'gt_labels': labels.astype(np.int64),
        'segments_s': offset_s + spans / rate,
        'gt_segments_s': offset_s + spans / rate,
    }
    set_rows(results, features.astype(np.float32), np.ones(rows, bool), offset_s, rate)
    return PackTubelet().transform(results)


def plant_sequences(count=20, rows=(40, 80), classes=4, dims=(16,), multi_label=False, seed=0, instances=2):
    """Return several of them, of different lengths."""
    rng = np.random.default_rng(seed)
    return [
        plant_sequence(
            rng, int(rng.integers(*rows)), classes, dims, instances, multi_label=multi_label, tid=f'tubelet_{number}'
        )
        for number in range(count)
    ]


def build(model):
    """Build a localizer from its config."""
    with DefaultScope.overwrite_default_scope('mmtube'):
        return MODELS.build(model)


def train(model, items, steps, lr=1e-3, batch=10, seed=0):
    """Train for so many steps; return the sums of the losses."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-4)
    model.train()
    sums = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group['lr'] = lr * min(1, (step + 1) / 20) * (0.1 if step > 0.8 * steps else 1)
        chosen = tubelet_collate([items[row] for row in rng.permutation(len(items))[:batch]])
        losses = model(**chosen, mode='loss')
        total = sum(loss for name, loss in losses.items() if 'loss' in name)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        sums.append(float(total.detach()))
    return sums


def found_in(model, items):
    """Return the samples with ``pred_segments``, all in one batch."""
    model.eval()
    return model(**tubelet_collate(items), mode='predict')


def mean_ap(model, items):
    """Return the average mAP (tIoU 0.5 to 0.95) in [0, 1], as the metric of a Runner has it."""
    metric = TubeletMAP(task='complex')
    metric.process({}, [sample.to_dict() for sample in found_in(model, items)])
    return metric.evaluate(len(items))['tubelet/mAP']
