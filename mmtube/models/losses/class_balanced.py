"""Focal loss in which rare classes weigh more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmtube.registry import MODELS
from mmtube.structures.seal import read_class_rank

TINY = 1e-8


@MODELS.register_module()
class ClassBalancedLoss(nn.Module):
    """Multi-label focal loss with class weights from the effective number of samples (Cui et al., arXiv 1901.05555).

    A class of ``n`` instances weighs ``(1 - beta) / (1 - beta ** n)`` (Eq. 3 and 4 of the paper), and the weights are
    scaled to a mean of 1. The paper has one label to a sample and weighs the sample; here a person has several, so
    every class weighs its own term, for people who have it and for those who have not. A class without an instance
    weighs as much as one with a single instance.

    Args:
        counts (Sequence[int] | str): Instances of each class in training, or a file of the order of classes that
            ``tools/data/seal/build_clips.py`` writes.
        beta (float): In [0, 1): 0 gives equal weights, near 1 the inverse of the counts. Defaults to 0.9999.
        gamma (float): Exponent of the focal loss; 0 is cross-entropy. Defaults to 2.0.

    Raises:
        InputError: If the file cannot be read.
        ValueError: If an argument is out of range.
    """

    class_weights: Tensor

    def __init__(self, counts: Sequence[int] | str, beta: float = 0.9999, gamma: float = 2.0) -> None:
        super().__init__()
        if isinstance(counts, str):
            rank = read_class_rank(counts)
            numbers = np.zeros(len(rank.order))
            numbers[list(rank.order)] = rank.counts
        else:
            numbers = np.asarray(counts, np.float64)
        if not 0 <= beta < 1 or gamma < 0 or not numbers.size or numbers.min() < 0:
            raise ValueError(f'beta must lie in [0, 1), gamma and counts be 0 or more, got {beta}, {gamma}, {counts}')
        self.gamma = gamma
        # expm1: 1 - beta ** n of a beta near 1 loses its digits.
        effective = np.expm1(np.maximum(numbers, 1) * np.log(beta)) / (beta - 1) if beta else np.ones(len(numbers))
        weights = 1 / effective
        # Not part of a checkpoint: another count of the same classes is no other model.
        self.register_buffer('class_weights', torch.from_numpy(weights / weights.mean()).float(), persistent=False)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_weights)

    def forward(self, logits: Tensor, labels: Tensor, avg_factor: float | Tensor | None = None) -> Tensor:
        """Return the sum over people and classes, divided by the number of people.

        Args:
            logits (Tensor): (n, C).
            labels (Tensor): (n, C) of 0 and 1.
            avg_factor (float | Tensor | None): What the sum is divided by. Defaults to None, n.

        Returns:
            Tensor: A scalar; 0, with a gradient of 0, for nobody.

        Raises:
            ValueError: If there are not as many classes as counts.
        """
        if logits.shape[1] != self.num_classes or labels.shape != logits.shape:
            shapes = f'{tuple(logits.shape)} and {tuple(labels.shape)}'
            raise ValueError(f'logits and labels of shapes {shapes} do not fit {self.num_classes} classes')
        losses = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction='none')
        if self.gamma:
            # Kept off 0, where an exponent below 1 has an infinite slope.
            losses = (1 - torch.exp(-losses)).clamp(min=TINY) ** self.gamma * losses
        people = max(len(logits), 1) if avg_factor is None else avg_factor
        return (losses * self.class_weights.to(logits.dtype)).sum() / people
