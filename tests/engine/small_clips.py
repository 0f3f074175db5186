"""A tiny data set of clips, a network and a runner for tests of loops and hooks."""

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from torch import nn

from mmtube.registry import DATASETS, METRICS, MODELS

SIZE, FRAMES, CLASSES, WIDTH = 32, 2, 4, 6


@DATASETS.register_module()
class SmallClips(BaseDataset):
    """Two films with a clip a second; the second one has a clip without anybody, and one with seven people."""

    def __init__(self, count: int = 9, noise: float = 0.0, test_mode: bool = False, empty: bool = True):
        self.count, self.noise, self.empty = count, noise, empty
        super().__init__(test_mode=test_mode, serialize_data=False)

    def load_data_list(self):
        return [dict(number=number) for number in range(self.count)]

    def prepare_data(self, index):
        rng = np.random.default_rng(index)
        people = 0 if index == 5 and self.empty else 7 if index == 6 else 1 + index % 3
        corners = rng.uniform(0, 16, (people, 2))
        boxes = torch.tensor(np.c_[corners, corners + rng.uniform(6, 14, (people, 2))], dtype=torch.float32)
        meta = dict(video_id='ab'[index >= 5], key_s=float(index), img_shape=(SIZE, SIZE), proposals_are_gt=True)
        sample = ActionDataSample(metainfo=meta)
        labels = torch.tensor(rng.random((people, CLASSES)) < 0.4).float()
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels)
        sample.proposals = InstanceData(bboxes=boxes.clone())
        if self.test_mode:
            sample.proposals.scores = torch.tensor(rng.random(people), dtype=torch.float32)
        found = rng.uniform(0, 16, (index % 3, 2))
        sample.objects = InstanceData(bboxes=torch.tensor(np.c_[found, found + 8.0]).float().reshape(-1, 4))
        clip = torch.tensor(rng.integers(0, 256, (3, FRAMES, SIZE, SIZE)), dtype=torch.uint8)
        if self.noise:
            clip = (clip + self.noise * torch.rand(clip.shape)).clamp(0, 255).to(torch.uint8)
        return {'inputs': clip, 'data_samples': sample}


@MODELS.register_module()
class SmallBackbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv3d(3, WIDTH, (1, 8, 8), stride=(1, 8, 8))
        self.norm = nn.BatchNorm3d(WIDTH)

    def forward(self, inputs):
        return self.norm(self.conv(inputs))


@METRICS.register_module()
class KeepAll(BaseMetric):
    """Keeps what it is given, to compare runs; the metric is the mean score."""

    def process(self, data_batch, data_samples):
        for sample in data_samples:
            found = sample['pred_instances']
            self.results.append((sample['video_id'], sample['key_s'], found['bboxes'], found['scores']))

    def compute_metrics(self, results):
        self.last = sorted(results, key=lambda row: row[1])
        return {'mean': float(torch.cat([row[3] for row in results]).mean())}


def model_cfg(blocks='POMPOM', structure='serial', past=2, future=1, **options):
    interaction = dict(
        type='InteractionAggregation',
        structure=structure,
        blocks=blocks,
        in_channels=WIDTH,
        channels=8,
        num_seconds=past + 1 + future,
        zero_init=False,
    )
    return dict(
        type='ClipActionDetector',
        backbone=dict(type='SmallBackbone'),
        roi_head=dict(
            type='TubeRoIHead',
            roi_extractor=dict(type='RoIOverTime', output_size=2, spatial_stride=8),
            head=dict(type='ClipActionHead', in_channels=WIDTH, channels=8, num_classes=CLASSES, num_hidden=1),
            interaction=interaction if blocks else None,
            memory=dict(past_s=past, future_s=future, per_second=2) if 'M' in blocks else None,
            **options,
        ),
    )


def runner_of(work_dir, train_cfg=None, model=None, hooks=(), train=None, noise=0.0, name='run', workers=0, **options):
    """A runner on small clips; its loaders have batches of two."""

    def loader(test_mode):
        return dict(
            batch_size=2,
            num_workers=workers if not test_mode else 0,
            sampler=dict(type='DefaultSampler', shuffle=not test_mode),
            dataset=dict(type='SmallClips', test_mode=test_mode, noise=0.0 if test_mode else noise),
        )

    cfg = dict(
        model=model or model_cfg(),
        work_dir=str(work_dir),
        train_dataloader={**loader(False), **(train or {})},
        val_dataloader=loader(True),
        test_dataloader=loader(True),
        train_cfg=train_cfg or dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=1),
        val_cfg=dict(type='TwoPassValLoop'),
        test_cfg=dict(type='TwoPassTestLoop'),
        val_evaluator=dict(type='KeepAll'),
        test_evaluator=dict(type='KeepAll'),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
        custom_hooks=list(hooks),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1), checkpoint=dict(type='CheckpointHook', interval=1)
        ),
        default_scope='mmtube',
        experiment_name=f'{name}_{np.random.default_rng().integers(1 << 60)}',
        randomness=dict(seed=7),
        log_level='ERROR',
        **options,
    )
    return Runner(**cfg)


def quiet(monkeypatch):
    """A runner writes its environment and its config, prettily formatted, which takes longer than these trainings."""
    monkeypatch.setattr(Runner, '_log_env', lambda self, env_cfg: None)
    monkeypatch.setattr(Runner, 'dump_config', lambda self: None)
    monkeypatch.setattr('mmengine.config.Config.pretty_text', '')
