"""Focal loss over groups of action classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmtube.registry import MODELS

NAMES = ('pose', 'person', 'object')


@MODELS.register_module()
class GroupedFocalLoss(nn.Module):
    """Multi-label focal loss (Lin et al., 2017, without alpha), one loss for each group of classes.

    The loss of a group is the sum over its classes, divided by the number of people. In AVA everybody has one pose:
    AlphAction gives that group a softmax (``softmax_groups=(0,)``); people without a pose then have no loss in it. In
    SEAL poses may be missing or several, and all groups are sigmoid.

    Args:
        groups (Sequence[int]): Number of classes of each group, in order. Defaults to SEAL's (61, 15, 96): poses,
            person-person and person-object actions.
        weights (Sequence[float] | None): Of each group. Defaults to None, 1 each.
        gamma (float): Exponent of the focal loss; 0 is cross-entropy. Defaults to 2.0.
        softmax_groups (Sequence[int]): Groups of which everybody has exactly one class. Defaults to none.
        names (Sequence[str] | None): Of the groups in the log. Defaults to None: pose, person, object for three.

    Raises:
        ValueError: If the arguments do not fit together.
    """

    def __init__(
        self,
        groups: Sequence[int] = (61, 15, 96),
        weights: Sequence[float] | None = None,
        gamma: float = 2.0,
        softmax_groups: Sequence[int] = (),
        names: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.weights = (1.0,) * len(self.groups) if weights is None else tuple(weights)
        if names is None:
            names = NAMES if len(self.groups) == len(NAMES) else [str(number) for number in range(len(self.groups))]
        self.names = tuple(names)
        self.gamma = gamma
        self.softmax_groups = frozenset(softmax_groups)
        if not len(self.groups) == len(self.weights) == len(self.names) or min(self.groups, default=0) < 1:
            raise ValueError(f'{self.groups=}, {self.weights=} and {self.names=} do not fit together')
        if gamma < 0 or not self.softmax_groups <= set(range(len(self.groups))):
            raise ValueError(f'bad {gamma=} or {softmax_groups=}')

    @property
    def num_classes(self) -> int:
        """Classes of all groups."""
        return sum(self.groups)

    def forward(self, logits: Tensor, labels: Tensor, avg_factor: float | Tensor | None = None) -> dict[str, Tensor]:
        """Return the loss of each group.

        Args:
            logits (Tensor): (n, C).
            labels (Tensor): (n, C) of 0 and 1.
            avg_factor (float | Tensor | None): What sums over people are divided by. Defaults to None, n.

        Returns:
            dict[str, Tensor]: ``loss_<name>``, a scalar each; 0, with a gradient of 0, for nobody.

        Raises:
            ValueError: If there are not as many classes as the groups have.
        """
        if logits.shape[1] != self.num_classes or labels.shape != logits.shape:
            shapes = f'{tuple(logits.shape)} and {tuple(labels.shape)}'
            raise ValueError(f'logits and labels of shapes {shapes} do not fit {self.num_classes} classes')
        people = max(len(logits), 1) if avg_factor is None else avg_factor
        losses = {}
        parts = zip(logits.split(self.groups, dim=1), labels.to(logits.dtype).split(self.groups, dim=1))
        for number, (scores, truth) in enumerate(parts):
            loss = self._softmax if number in self.softmax_groups else self._sigmoid
            losses[f'loss_{self.names[number]}'] = self.weights[number] * loss(scores, truth) / people
        return losses

    def _sigmoid(self, logits: Tensor, labels: Tensor) -> Tensor:
        entropy = F.binary_cross_entropy_with_logits(logits, labels, reduction='none')
        return self._focal(entropy)

    def _softmax(self, logits: Tensor, labels: Tensor) -> Tensor:
        has_one = labels.amax(dim=1, keepdim=True) > 0
        entropy = -logits.log_softmax(dim=1).gather(1, labels.argmax(dim=1, keepdim=True)) * has_one
        return self._focal(entropy)

    def _focal(self, entropy: Tensor) -> Tensor:
        # exp(-entropy) is the probability of the truth; gradients go through both factors, and at 0 of a root too.
        missed = -torch.expm1(-entropy)
        return (missed.clamp(min=torch.finfo(missed.dtype).tiny) ** self.gamma * entropy).sum()

    def scores(self, logits: Tensor) -> Tensor:
        """Return (n, C) probabilities: softmax in the groups that have it, else sigmoid."""
        parts = [
            part.softmax(dim=1) if number in self.softmax_groups else part.sigmoid()
            for number, part in enumerate(logits.split(self.groups, dim=1))
        ]
        return torch.cat(parts, dim=1)
