"""Center loss with centres that learn at their own pace."""

from __future__ import annotations

import torch
from mmengine.dist import all_reduce
from torch import nn

from mmtube.registry import MODELS


@MODELS.register_module()
class CenterLoss(nn.Module):
    """Pull features to the centre of their identity (Wen et al., ECCV 2016), as the strong baseline uses it.

    The loss is ``loss_weight`` times the mean over the batch of the squared distance of a feature to its centre. The
    centres follow by a plain SGD step on the loss without its weight: the strong baseline (arXiv 1903.07071, Sec. 3.6)
    gives them an optimiser of their own with rate 0.5 and multiplies their gradients by ``1 / loss_weight`` first.

    A plain SGD step has a closed form, so the centres need no optimiser: they are a buffer that moves in each training
    pass by ``lr * 2 / N * sum(feature - centre)``. They are saved and resumed with the model, and neither the schedule,
    the gradient clipping, the weight decay nor the loss scale of the network's optimiser reach them. The loss of a pass
    is of the centres before their step. With several ranks they move by the mean of the ranks' gradients.

    Args:
        num_classes (int): Identities.
        feature_dims (int): Length of a feature.
        loss_weight (float): Weight of the loss in what the network learns from. Defaults to 0.0005.
        lr (float): Learning rate of the centres. Defaults to 0.5.

    Raises:
        ValueError: If an argument is out of range.
    """

    centers: torch.Tensor

    def __init__(self, num_classes: int, feature_dims: int, loss_weight: float = 0.0005, lr: float = 0.5) -> None:
        super().__init__()
        if num_classes < 1 or feature_dims < 1 or loss_weight < 0 or lr < 0:
            raise ValueError(
                'num_classes and feature_dims must be positive, loss_weight and lr not negative, '
                f'got {num_classes}, {feature_dims}, {loss_weight} and {lr}'
            )
        self.loss_weight = loss_weight
        self.lr = lr
        self.register_buffer('centers', torch.randn(num_classes, feature_dims))

    def forward(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss; in training the centres move, too.

        Args:
            features (torch.Tensor): (N, D) float.
            labels (torch.Tensor): (N,) int64 identities.

        Returns:
            torch.Tensor: () float32.
        """
        offsets = features.float() - self.centers[labels]
        loss = offsets.square().sum(dim=1).mean()
        if self.training:
            self._step(offsets.detach(), labels)
        return self.loss_weight * loss

    @torch.no_grad()
    def _step(self, offsets: torch.Tensor, labels: torch.Tensor) -> None:
        # A product with one-hot rows adds up in a fixed order on a GPU too; index_add_ does not.
        owners = nn.functional.one_hot(labels, len(self.centers)).to(offsets.dtype)
        gradient = owners.T @ offsets * (-2 / len(labels))
        all_reduce(gradient, op='mean')
        self.centers -= self.lr * gradient
