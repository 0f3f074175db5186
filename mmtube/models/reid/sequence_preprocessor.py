"""Images of sequences onto the device, normalised."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor

from mmtube.registry import MODELS


@MODELS.register_module()
class SequencePreprocessor(BaseDataPreprocessor):
    """Move sequences of images to the device and normalise them.

    In training the sequences of a batch have one length and become one tensor. In testing they may be long and of
    different lengths: they stay a list of uint8 tensors, of which the model normalises one chunk at a time with
    :meth:`normalize`, so that the float copy of a long sequence never exists.

    Args:
        mean (Sequence[float]): Per channel, in the order of the images. Defaults to ImageNet's in RGB.
        std (Sequence[float]): Likewise.
        non_blocking (bool): Whether copies to the device may overlap with work. Defaults to False.
    """

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking)
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std, dtype=torch.float32).view(-1, 1, 1), persistent=False)

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """Return (..., C, H, W) float32 of images of that shape, uint8 or float in 0 to 255."""
        return (images.float() - self.mean) / self.std

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data (dict): ``inputs``, a list of (T, C, H, W) uint8; ``data_samples``, a list.
            training (bool): Whether to stack and normalise. Defaults to False.

        Returns:
            dict: In training ``inputs`` (N, T, C, H, W) float32, else a list of (T, C, H, W) uint8; and the samples.
        """
        data = self.cast_data(data)
        inputs = self.normalize(torch.stack(list(data['inputs']))) if training else list(data['inputs'])
        return {'inputs': inputs, 'data_samples': data.get('data_samples')}
