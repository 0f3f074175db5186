"""What class a proposal is taught: of an instance, near one, or neither."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .truths import TruthTable


class ProximityCategories:
    """Targets, loss and scores of C classes, each of which may have a class ``near`` beside it.

    Class C + c is taught to proposals that touch an instance of c but do not cover it well: its context, or a part of
    it. Faster-TAD names its proximity-category proposal block, and a background for each class (Chen et al. 2022,
    Sec. 1; their ActivityNet 2022 report); this reading is ours.

    Without ``multi_label`` a proposal has one class of 2C + 1, the last of which is background, or of C + 1 without
    ``proximity``, and the loss is cross-entropy. With it there are 2C or C yes-or-no questions, with focal loss
    (Lin et al. 2017, Sec. 3), and background is where all say no.

    Args:
        num_classes (int): C.
        multi_label (bool): Whether a proposal may have several classes. Defaults to False.
        proximity (bool): Whether there are classes ``near``. Defaults to True.
        context (float): An instance is touched if it is with this on both sides, in lengths. Defaults to 0.5.
        beta (float): Weight of class ``near`` in the score of a class. Defaults to 0.
        gamma (float): Of the focal loss. Defaults to 2.
        alpha (float): Weight of a yes in the focal loss, that of a no being 1 - alpha. Defaults to 0.25.
    """

    def __init__(
        self,
        num_classes: int,
        multi_label: bool = False,
        proximity: bool = True,
        context: float = 0.5,
        beta: float = 0.0,
        gamma: float = 2.0,
        alpha: float = 0.25,
    ) -> None:
        if num_classes < 1 or context < 0 or not 0 <= beta <= 1 or gamma < 0 or not 0 < alpha < 1:
            raise ValueError(f'out of range: {num_classes=}, {context=}, {beta=}, {gamma=}, {alpha=}')
        self.num_classes, self.multi_label, self.proximity = num_classes, multi_label, proximity
        self.context, self.beta, self.gamma, self.alpha = context, beta, gamma, alpha

    @property
    def outputs(self) -> int:
        """How many numbers say what a proposal is."""
        return self.num_classes * (2 if self.proximity else 1) + (not self.multi_label)

    def targets(self, segments: Tensor, truth: TruthTable, threshold: float) -> Tensor:
        """Return what proposals are.

        Args:
            segments (Tensor): (N, P, 2) rows.
            truth (TruthTable): Of N sequences.
            threshold (float): tIoU from which a proposal is of the class of the instance.

        Returns:
            Tensor: (N, P) int64 classes, or with ``multi_label`` (N, P, outputs) float of 0 and 1.
        """
        overlap, touch = truth.tiou(segments), truth.touch(segments, self.context)
        if not self.multi_label:
            best, which = overlap.max(-1)
            inside = truth.labels.gather(1, which)
            most, which = touch.max(-1)
            beside = self.num_classes + truth.labels.gather(1, which)
            other = torch.where(most > 0, beside, self.outputs - 1) if self.proximity else self.outputs - 1
            return torch.where(best >= threshold, inside, other)
        one_hot = F.one_hot(truth.labels, self.num_classes).to(segments.dtype) * truth.there[..., None]
        inside = ((overlap >= threshold).to(segments.dtype) @ one_hot).clamp(max=1)
        if not self.proximity:
            return inside
        beside = ((touch > 0).to(segments.dtype) @ one_hot).clamp(max=1) * (1 - inside)
        return torch.cat([inside, beside], -1)

    def loss(self, logits: Tensor, targets: Tensor, counted: Tensor) -> Tensor:
        """Return the loss.

        Args:
            logits (Tensor): (N, P, outputs).
            targets (Tensor): Of :meth:`targets`.
            counted (Tensor): (N, P) bool; the others have no part.

        Returns:
            Tensor: The mean over proposals, or with ``multi_label`` the sum over all questions for each yes; 0 if
            nothing counts.
        """
        logits = logits.float()
        if not self.multi_label:
            each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction='none').view_as(counted)
            return (each * counted).sum() / counted.sum().clamp(min=1)
        each = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
        wrong = (logits.sigmoid() - targets).abs() ** self.gamma
        weight = targets * self.alpha + (1 - targets) * (1 - self.alpha)
        counts = counted[..., None]
        return (each * wrong * weight * counts).sum() / (targets * counts).sum().clamp(min=1)

    def scores(self, logits: Tensor) -> Tensor:
        """Return (..., C) in [0, 1] for logits (..., outputs): that of a class, plus ``beta`` times that of near it."""
        likely = logits.float().sigmoid() if self.multi_label else logits.float().softmax(-1)
        inside = likely[..., : self.num_classes]
        if not self.proximity or not self.beta:
            return inside
        return (inside + self.beta * likely[..., self.num_classes : 2 * self.num_classes]).clamp(max=1)
