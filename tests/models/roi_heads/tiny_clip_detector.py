"""What the tests of clip classifiers share: a detector of clips with few channels, a film of noise and people."""

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from mmtube.registry import MODELS
from mmtube.structures import Tube
from mmtube.testing import make_film

SIZE, CLASSES, WIDTH = (64, 48), 5, 6
PASSES = []  # clips of each forward pass of any backbone here


@MODELS.register_module(force=True)
class TwoMapsBackbone(nn.Module):
    """Two maps of different length; all backbones together count their passes."""

    def __init__(self, slow_stride=2):
        super().__init__()
        slow = (slow_stride, 16, 16)
        self.slow = nn.Conv3d(3, WIDTH // 2, slow, stride=slow)
        self.fast = nn.Conv3d(3, WIDTH // 2, (1, 16, 16), stride=(1, 16, 16))

    def forward(self, inputs):
        PASSES.append(len(inputs))
        return self.slow(inputs).relu(), self.fast(inputs).relu()


def config(sample, blocks='PM', boxes_per_s=4, slow_stride=2, **roi_head):
    """A config of a clip detector whose clips are cut by the options of ``sample``."""
    interaction = dict(
        type='InteractionAggregation', structure='serial', blocks=blocks, in_channels=WIDTH, channels=8, num_seconds=4
    )
    model = dict(
        type='ClipActionDetector',
        backbone=dict(type='TwoMapsBackbone', slow_stride=slow_stride),
        roi_head=dict(
            type='TubeRoIHead',
            roi_extractor=dict(type='RoIOverTime', output_size=2),
            head=dict(type='ClipActionHead', in_channels=WIDTH, channels=8, num_classes=CLASSES, num_hidden=1),
            interaction={**interaction, 'zero_init': False} if blocks else None,
            memory=dict(past_s=2, future_s=1, per_second=2) if 'M' in blocks else None,
            **roi_head,
        ),
    )
    pipeline = [
        dict(type='SampleSEALClip', **sample),
        dict(type='DecodeWindow', short_side=256),
        dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
        dict(type='PackSEALClip'),
    ]
    dataset = dict(type='SEALClips', boxes_per_s=boxes_per_s, pipeline=pipeline)
    return dict(default_scope='mmtube', model=model, test_dataloader=dict(dataset=dataset))


def network(cfg, seed=0):
    """The model of a config, with weights that tell people apart."""
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmtube'):
        model = MODELS.build(Config(cfg).model)
    for parameter in model.roi_head.parameters():
        nn.init.normal_(parameter, std=0.5)
    return model.eval()


def save_weights(cfg, path, seed=0):
    """Write the weights of :func:`network` and return the path as a string."""
    torch.save({'state_dict': network(cfg, seed).state_dict()}, path)
    return str(path)


def noise_film(path, fps):
    """A film of 150 frames of soft noise that differ from one another."""
    cells = np.random.default_rng(0).integers(0, 256, (150, 6, 8, 3), np.uint8)
    return make_film(path, frames=cells.repeat(8, axis=1).repeat(8, axis=2), fps=fps)


def tube(track_id, frames, fps, box=(4.0, 4, 30, 40)):
    """A person who stands in a box in some frames."""
    return Tube(track_id, frames, frames / fps, np.tile(np.float32(box), (len(frames), 1)))
