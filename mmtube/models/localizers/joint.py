"""Atomic actions and complex activities of one sequence, found together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmtube.registry import MODELS

from ..layers.sequence import MaskedConv1d
from .base import Candidates, TemporalLocalizer, Truth


@MODELS.register_module()
class SharedStem(nn.Module):
    """Stands for the stem of a detector whose sequence comes from outside: it hands on what it is given.

    Args:
        channels (int): Channels of the sequence. Defaults to 256.
    """

    def __init__(self, channels: int = 256) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f'channels must be positive, got {channels}')
        self.channels = channels
        self.dims = (channels,)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return (N, C, T) with 0 in masked rows, as the whole and as its only part."""
        base = features * mask[:, None].to(features.dtype)
        return base, [base]


@MODELS.register_module()
class JointLocalizer(TemporalLocalizer):
    """Two detectors on one stem, one of atomic actions and one of complex activities.

    SEAL (Sec. 4) finds complex activities better with features of atomic actions beside the others. Here a classifier
    tells of each row which atomic actions go on in it, and what it says is added to the sequence in which complex
    activities are sought (our design).

    Labels below ``atomic.num_classes`` are atomic actions, the others complex activities, as ``SEALTubes`` with
    ``task='joint'`` serves them.

    Args:
        stem (dict): See :class:`TemporalLocalizer`.
        atomic (dict): Config of a :class:`TemporalLocalizer`, whose own stem is not used and may be left out.
        complex (dict): Likewise.
        atomic_to_complex (bool): Whether the rows are classified and complex activities hear of it. Defaults to True.
        detach (bool): Whether the losses of complex activities leave the classifier of rows alone. Defaults to True.
        row_weight (float): Weight of the loss of rows. Defaults to 1.0.
        kwargs (Any): Of :class:`TemporalLocalizer`, without ``num_classes``. Windows and suppression are set here, for
            both; those of the two detectors are not used.

    Raises:
        ValueError: If a detector is no :class:`TemporalLocalizer`, or the weight is negative.
    """

    def __init__(
        self,
        stem: dict,
        atomic: dict,
        complex: dict,  # the name of the task
        atomic_to_complex: bool = True,
        detach: bool = True,
        row_weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        if row_weight < 0:
            raise ValueError(f'row_weight must not be negative, got {row_weight}')
        super().__init__(stem, atomic['num_classes'] + complex['num_classes'], **kwargs)
        width = self.stem.channels
        self.atomic, self.complex = (_detector(config, width, self.min_score) for config in (atomic, complex))
        self.num_atomic = self.atomic.num_classes
        self.detach, self.row_weight = detach, row_weight
        self.rows = MaskedConv1d(width, self.num_atomic, 1) if atomic_to_complex else None
        self.project = MaskedConv1d(self.num_atomic, width, 1) if atomic_to_complex else None
        self.loss_rows: nn.Module = MODELS.build(dict(type='mmdet.FocalLoss', loss_weight=row_weight))

    def sequences(self, base: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the sequence of complex activities, and the logits (N, num_atomic, T) of the rows if there are any."""
        if self.rows is None or self.project is None:
            return base, None
        logits = self.rows(base, mask)
        probabilities = (logits.detach() if self.detach else logits).sigmoid() * mask[:, None].to(base.dtype)
        return base + self.project(probabilities, mask), logits

    def losses(self, base: Tensor, mask: Tensor, truths: list[Truth], parts: list[Tensor]) -> dict[str, Tensor]:
        """Return the losses of both, with ``atomic_`` and ``complex_`` before their names, and ``loss_rows``."""
        other, logits = self.sequences(base, mask)
        told = dict(
            atomic=(self.atomic, base, [self.of_task(truth, True) for truth in truths]),
            complex=(self.complex, other, [self.of_task(truth, False) for truth in truths]),
        )
        losses = {
            f'{task}_{name}': loss
            for task, (detector, sequence, mine) in told.items()
            for name, loss in detector.losses(sequence, mask, mine, [sequence]).items()
        }
        if logits is not None:
            losses['loss_rows'] = self.row_loss(logits, mask, truths)
        return losses

    def of_task(self, truth: Truth, atomic: bool) -> Truth:
        """Return the instances of a task with its own labels."""
        keep = (truth.labels < self.num_atomic) == atomic
        return Truth(truth.segments[keep], truth.labels[keep] - (0 if atomic else self.num_atomic))

    def row_loss(self, logits: Tensor, mask: Tensor, truths: list[Truth]) -> Tensor:
        """Return the focal loss of rows within an instance; what goes on in others nobody has said."""
        place = torch.arange(mask.shape[1], device=mask.device)[:, None]
        targets = torch.zeros_like(logits).transpose(1, 2)
        told = torch.zeros_like(mask)
        for item, truth in enumerate(truths):
            inside = (place >= truth.segments[:, 0]) & (place <= truth.segments[:, 1])  # (T, n)
            told[item] = inside.any(1) & mask[item]
            row, instance = (inside & (truth.labels < self.num_atomic)).nonzero(as_tuple=True)
            targets[item, row, truth.labels[instance]] = 1
        count = targets[told].sum().clamp(min=1)
        return self.loss_rows(logits.transpose(1, 2)[told], targets[told], avg_factor=count)

    def find(self, base: Tensor, mask: Tensor) -> list[Candidates]:
        """Return what both find, complex activities with their labels after those of atomic actions."""
        other, _ = self.sequences(base, mask)
        return [
            Candidates(
                torch.cat([one.segments, two.segments]),
                torch.cat([one.scores, two.scores]),
                torch.cat([one.labels, two.labels + self.num_atomic]),
            )
            for one, two in zip(self.atomic.find(base, mask), self.complex.find(other, mask))
        ]


def _detector(config: dict, channels: int, min_score: float) -> TemporalLocalizer:
    """Build a detector that stands on the stem of another."""
    kind = MODELS.get(config['type'])
    if not (isinstance(kind, type) and issubclass(kind, TemporalLocalizer)):
        raise ValueError(f'{config["type"]} is no temporal detector')
    return MODELS.build({'min_score': min_score, **config, 'stem': dict(type='SharedStem', channels=channels)})
