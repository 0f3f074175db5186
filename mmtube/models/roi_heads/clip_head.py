"""From the features of a person to the scores of actions."""

from __future__ import annotations

from itertools import pairwise

import torch
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmtube.registry import MODELS

LAST_STD = 0.01


@MODELS.register_module()
class ClipActionHead(nn.Module):
    """Hidden layers with ReLU, dropout and a linear classifier (AlphAction, Tang et al., 2020).

    Args:
        in_channels (int): Of the features. Defaults to 2304.
        channels (int): Of the hidden layers. Defaults to 1024.
        num_classes (int): Classes. Defaults to 172, SEAL's.
        num_hidden (int): Hidden layers. Defaults to 2.
        dropout (float): Before the classifier. Defaults to 0.2.
        loss (dict | None): Loss of logits and labels; ``GroupedFocalLoss`` or any that returns a scalar or a dict of
            scalars. Defaults to None, ``GroupedFocalLoss`` of one group.

    Raises:
        ValueError: If the loss has another number of classes.
    """

    def __init__(
        self,
        in_channels: int = 2304,
        channels: int = 1024,
        num_classes: int = 172,
        num_hidden: int = 2,
        dropout: float = 0.2,
        loss: dict | None = None,
    ) -> None:
        super().__init__()
        widths = [in_channels, *[channels] * num_hidden]
        self.hidden = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(widths))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(widths[-1], num_classes)
        for layer in self.hidden:
            nn.init.kaiming_uniform_(layer.weight, a=1)
            nn.init.zeros_(layer.bias)
        nn.init.normal_(self.classifier.weight, std=LAST_STD)
        nn.init.zeros_(self.classifier.bias)
        self.num_classes = num_classes
        self.loss_cls = MODELS.build(loss or dict(type='GroupedFocalLoss', groups=[num_classes], names=['action']))
        expected = getattr(self.loss_cls, 'num_classes', num_classes)
        if expected != num_classes:
            raise ValueError(f'the loss is of {expected} classes, the head has {num_classes}')

    def forward(self, features: Tensor) -> Tensor:
        """Return (n, num_classes) logits of (n, in_channels) features."""
        for layer in self.hidden:
            features = layer(features).relu()
        return self.classifier(self.dropout(features))

    def loss(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Return the losses, each divided by the number of people, which is averaged over ranks.

        Args:
            logits (Tensor): (n, num_classes).
            labels (Tensor): (n, num_classes) of 0 and 1.
        """
        people = torch.tensor(float(len(logits)), device=logits.device)
        all_reduce(people, 'mean')
        found = self.loss_cls(_single(logits), labels, avg_factor=people.clamp(min=1))
        return found if isinstance(found, dict) else {'loss_action': found}

    def scores(self, logits: Tensor) -> Tensor:
        """Return (n, num_classes) probabilities."""
        activate = getattr(self.loss_cls, 'scores', torch.sigmoid)
        return activate(_single(logits))


def _single(logits: Tensor) -> Tensor:
    # A sum over hundreds of terms loses its digits in half precision, and probabilities near 1 become the same.
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
