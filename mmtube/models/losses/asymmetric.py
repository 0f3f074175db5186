"""A loss that hardly hears what is easily seen to be absent."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmtube.registry import MODELS

TINY = 1e-8


@MODELS.register_module()
class AsymmetricLoss(nn.Module):
    """Multi-label loss with a stronger focus on classes that are absent (Ridnik et al., arXiv 2009.14119).

    With ``p`` the probability of a class, ``-(1 - p) ** gamma_pos * log(p)`` where it is present and
    ``-q ** gamma_neg * log(1 - q)`` where it is not, ``q = max(p - clip, 0)``: what is absent and less likely than
    ``clip`` costs nothing. A person has one or two of 172 actions, so nearly all terms are of the second kind.

    Args:
        gamma_neg (float): Exponent where a class is absent. Defaults to 4.0.
        gamma_pos (float): Exponent where it is present. Defaults to 0.0.
        clip (float): Shift of the probability where a class is absent, in [0, 1). Defaults to 0.05.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, gamma_neg: float = 4.0, gamma_pos: float = 0.0, clip: float = 0.05) -> None:
        super().__init__()
        if min(gamma_neg, gamma_pos) < 0 or not 0 <= clip < 1:
            raise ValueError(f'exponents must be 0 or more and clip in [0, 1), got {gamma_neg}, {gamma_pos}, {clip}')
        self.gamma_neg = gamma_neg
        self.gamma_pos = gamma_pos
        self.clip = clip

    def forward(self, logits: Tensor, labels: Tensor, avg_factor: float | Tensor | None = None) -> Tensor:
        """Return the sum over people and classes, divided by the number of people.

        Args:
            logits (Tensor): (n, C).
            labels (Tensor): (n, C) of 0 and 1.
            avg_factor (float | Tensor | None): What the sum is divided by. Defaults to None, n.

        Returns:
            Tensor: A scalar; 0, with a gradient of 0, for nobody.

        Raises:
            ValueError: If the shapes differ.
        """
        if labels.shape != logits.shape:
            raise ValueError(f'logits and labels of shapes {tuple(logits.shape)} and {tuple(labels.shape)} differ')
        labels = labels.to(logits.dtype)
        # Bases of a power are kept off 0, where an exponent below 1 has an infinite slope.
        present = torch.sigmoid(-logits).clamp(min=TINY) ** self.gamma_pos * -F.logsigmoid(logits)
        shifted = (torch.sigmoid(logits) - self.clip).clamp(min=TINY)
        # Without a shift 1 - q rounds to 0 for a large logit.
        unlikely = torch.log1p(-shifted) if self.clip else F.logsigmoid(-logits)
        absent = shifted**self.gamma_neg * -unlikely
        people = max(len(logits), 1) if avg_factor is None else avg_factor
        return (labels * present + (1 - labels) * absent).sum() / people
