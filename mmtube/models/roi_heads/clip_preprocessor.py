"""Clips of one or several sizes as one batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmtube.registry import MODELS


@MODELS.register_module()
class ClipPreprocessor(BaseDataPreprocessor):
    """Normalise clips and pad them on the right and below with zeros to one size, as AlphAction does.

    Args:
        mean (Sequence[float]): Of R, G, B from 0 to 255. Defaults to AlphAction's.
        std (Sequence[float]): Likewise.
        pad_size_divisor (int): Height and width become multiples of it. Defaults to 16.
    """

    def __init__(
        self,
        mean: Sequence[float] = (122.7717, 115.9465, 102.9801),
        std: Sequence[float] = (57.375, 57.375, 57.375),
        pad_size_divisor: int = 16,
    ) -> None:
        super().__init__()
        self.pad_size_divisor = pad_size_divisor
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float32).view(3, 1, 1, 1), False)
        self.register_buffer('std', torch.tensor(std, dtype=torch.float32).view(3, 1, 1, 1), False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Return ``inputs`` as one float32 tensor.

        Args:
            data (dict): ``inputs``, a list of (3, T, H, W) uint8 RGB or one such batch, and ``data_samples``.
            training (bool): Not used.

        Returns:
            dict: ``inputs`` (N, 3, T, H', W') and ``data_samples``.
        """
        data = self.cast_data(data)
        clips: Sequence[Tensor] = data['inputs']
        height, width = (
            -(-max(clip.shape[side] for clip in clips) // self.pad_size_divisor) * self.pad_size_divisor
            for side in (-2, -1)
        )
        batch = self.mean.new_zeros(len(clips), *clips[0].shape[:2], height, width)
        for place, clip in zip(batch, clips):
            torch.sub(clip, self.mean, out=place[..., : clip.shape[-2], : clip.shape[-1]])
            place[..., : clip.shape[-2], : clip.shape[-1]] /= self.std
        return {**data, 'inputs': batch}
