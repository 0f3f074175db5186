"""Which frames of a film make a clip."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmtube.registry import TRANSFORMS

SPANS = ('centred', 'window')


@TRANSFORMS.register_module()
class SampleSEALClip(BaseTransform):
    """Choose the times of the frames to read.

    A film is taken as if it had ``fps`` frames per second: released SlowFast weights see the same motion between frames
    whatever the film's own rate is. By default 32 frames, every second one of 64 (2.56 s) centred on the key time,
    as SlowFast reads AVA (AlphAction: the left half ends just before the key time, the right half begins at it). SEAL's
    clips last 2 s, so 0.28 s on either side are of the neighbours; ``span='window'`` reads exactly the clip.

    Required keys: ``key_s``, ``clip_start_s``, ``clip_end_s``, ``duration_s``. Added keys: ``frame_times_s`` (T,)
    float64 within the film, ``frame_inds`` (T,) int64 of the resampled film, ``clip_len``, ``frame_interval``,
    ``num_clips``.

    Args:
        clip_len (int): Frames to read; the fast pathway's of a SlowFast. Defaults to 32.
        frame_interval (int): Step between them in frames of the resampled film. Defaults to 2.
        fps (float): Rate that films are resampled to. Defaults to 25.
        span (str): ``'centred'`` on the key time, or ``'window'``: ``clip_len`` frames spread evenly over the clip.
            Defaults to 'centred'.
        random_shift (bool): Whether all frames move on together by a random 0 to ``frame_interval - 1`` frames, for
            training; needs ``'centred'``. Defaults to False.
    """

    def __init__(
        self,
        clip_len: int = 32,
        frame_interval: int = 2,
        fps: float = 25,
        span: str = 'centred',
        random_shift: bool = False,
    ) -> None:
        if clip_len < 1 or frame_interval < 1 or fps <= 0:
            raise ValueError(f'clip_len, frame_interval and fps must be positive: {clip_len}, {frame_interval}, {fps}')
        if span not in SPANS or (random_shift and span != 'centred'):
            raise ValueError(f'span must be one of {SPANS}, and centred for random_shift, got {span!r}')
        self.clip_len = clip_len
        self.frame_interval = frame_interval
        self.fps = fps
        self.span = span
        self.random_shift = random_shift

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the times."""
        steps = np.arange(self.clip_len)
        if self.span == 'window':
            length_s = results['clip_end_s'] - results['clip_start_s']
            times_s = results['clip_start_s'] + (steps + 0.5) * length_s / self.clip_len
        else:
            shift = random.randrange(self.frame_interval) if self.random_shift else 0
            offsets = (steps - self.clip_len // 2) * self.frame_interval + shift
            times_s = results['key_s'] + offsets / self.fps
        last_s = max(results['duration_s'] - 1 / self.fps, 0)
        results['frame_times_s'] = np.clip(times_s, 0, last_s)
        results['frame_inds'] = np.floor(results['frame_times_s'] * self.fps + 0.5).astype(np.int64)
        results['clip_len'] = self.clip_len
        results['frame_interval'] = self.frame_interval
        results['num_clips'] = 1
        return results
