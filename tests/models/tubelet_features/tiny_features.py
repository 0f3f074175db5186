"""What the tests of tubelet features share: a network that passes brightness on, films and people."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mmtube.models.tubelet_features import TubeletBoxes, TubeletExtractor
from mmtube.registry import MODELS

SIZE = (64, 48)  # width and height


@dataclass
class Frame:
    index: int
    time_s: float
    image: np.ndarray


@MODELS.register_module(force=True)
class Brightness(nn.Module):
    """Mean brightness of cells of 16 x 16 pixels, frame by frame, and of every second frame."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, clips):
        self.calls += len(clips)
        cells = nn.functional.avg_pool3d(clips, (1, 16, 16)) * self.gain
        return cells[:, :1], cells[:, :2, ::2]


@MODELS.register_module(force=True)
class TinyConv(nn.Module):
    """A convolution over space and time of stride 16."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.conv = nn.Conv3d(3, 6, (3, 16, 16), (2, 16, 16), (1, 0, 0))
        for parameter in self.conv.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1

    def forward(self, clips):
        return self.conv(clips).relu()


RAW = dict(type='ClipPreprocessor', mean=(0, 0, 0), std=(1, 1, 1))


def extractor(folder, backbone='Brightness', dim=3, **kwargs):
    """An extractor of SEAL's TSP-T grid at the size of the film, with its weights from a file."""
    network = dict(backbone=dict(type=backbone), data_preprocessor=RAW)
    settings = dict(stream='tiny', fps=15, window=16, stride=2, box_fps=4, dim=dim, short_side=None)
    built = TubeletExtractor(network=network, **{**settings, **kwargs})
    path = folder / f'{backbone}.pth'
    if not path.exists():
        torch.save(built.network.state_dict(), path)
    built.load(str(path))
    return built


def film(num_frames, fps=25.0, level=lambda time_s: 100, size=SIZE):
    """Flat grey frames of a brightness that depends on time."""
    for index in range(num_frames):
        yield Frame(index, index / fps, np.full((size[1], size[0], 3), level(index / fps), np.uint8))


def noise(num_frames, fps=25.0, seed=0):
    """Frames of soft noise that differ from one another."""
    rng = np.random.default_rng(seed)
    for index in range(num_frames):
        cells = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        yield Frame(index, index / fps, cells.repeat(8, axis=0).repeat(8, axis=1))


def person(name, t0_s, t1_s, box=(16, 16, 32, 32), fps=25.0):
    """A tubelet with a box in each frame."""
    times_s = np.arange(round(t0_s * fps), max(round(t1_s * fps), round(t0_s * fps) + 1)) / fps
    return TubeletBoxes(name, times_s, np.tile(np.float32(box), (len(times_s), 1)), t0_s, t1_s)
