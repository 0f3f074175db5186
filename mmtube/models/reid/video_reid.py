"""Video re-identification: the strong baseline on sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import nn

from mmtube.errors import InputError
from mmtube.registry import MODELS

from .center_loss import CenterLoss
from .sequence_preprocessor import SequencePreprocessor

CLASSIFIER_STD = 0.001


@MODELS.register_module()
class VideoReID(BaseModel):
    """Describe a person by the mean over the images of a sequence, through a BNNeck.

    The strong baseline (Luo et al., arXiv 1903.07071) with SEAL's change to sequences (SEAL, Sec. 3.2): the backbone
    sees each image, global average pooling and the mean over the images give ``f_t`` of the sequence, a batch norm
    whose bias stays 0 gives ``f_i``. All losses are of sequences: cross entropy with smoothed labels on a linear
    classifier without bias of ``f_i``, batch-hard triplet and center loss on ``f_t``. In testing ``pred_feature`` of a
    sample is ``f_i`` of all its images, of unit length.

    Args:
        backbone (dict): Config of the backbone; its last feature map is used.
        in_channels (int): Channels of that map, so the length of a feature.
        num_identities (int): Identities in training.
        label_smoothing (float): Share of the target that is spread over all identities. Defaults to 0.1.
        loss_triplet (dict | None): Takes features and labels. Defaults to None: mmdet's batch-hard ``TripletLoss`` of
            margin 0.3. A batch with a single identity has no negatives, and no triplet loss.
        loss_center (dict | None): Options of ``CenterLoss``; ``loss_weight=0`` does without. Defaults to None, its own.
        data_preprocessor (dict | None): Defaults to None, ``SequencePreprocessor`` with ImageNet's mean.
        init_cfg (dict | None): As of any ``BaseModule``. Defaults to None.

    Raises:
        ValueError: If a number is out of range.
    """

    def __init__(
        self,
        backbone: dict,
        in_channels: int,
        num_identities: int,
        label_smoothing: float = 0.1,
        loss_triplet: dict | None = None,
        loss_center: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if in_channels < 1 or num_identities < 1 or not 0 <= label_smoothing < 1:
            raise ValueError(
                'in_channels and num_identities must be positive, label_smoothing in [0, 1), '
                f'got {in_channels}, {num_identities} and {label_smoothing}'
            )
        # Built here: MMEngine itself would look for a name of ours among its own.
        super().__init__(MODELS.build(data_preprocessor or dict(type=SequencePreprocessor)), init_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = nn.BatchNorm1d(in_channels)
        self.neck.bias.requires_grad_(False)
        self.classifier = nn.Linear(in_channels, num_identities, bias=False)
        nn.init.normal_(self.classifier.weight, std=CLASSIFIER_STD)
        self.loss_id = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        self.loss_triplet = MODELS.build(loss_triplet or dict(type='mmdet.TripletLoss', margin=0.3))
        center = dict(type=CenterLoss, num_classes=num_identities, feature_dims=in_channels)
        self.loss_center = MODELS.build({**center, **(loss_center or {})})

    def forward(
        self,
        inputs: torch.Tensor | Sequence[torch.Tensor],
        data_samples: list[ActionDataSample] | None = None,
        mode: str = 'tensor',
    ) -> Any:
        """Run the network on what the preprocessor made.

        Args:
            inputs (torch.Tensor | Sequence[torch.Tensor]): For ``'predict'`` a list of (T, C, H, W) uint8, else
                (N, T, C, H, W) float32.
            data_samples (list[ActionDataSample] | None): Their samples. Defaults to None.
            mode (str): ``'tensor'``, ``'loss'`` or ``'predict'``. Defaults to 'tensor'.

        Returns:
            Any: (N, D) float32 ``f_i``, a dict of losses, or the samples with ``pred_feature``.

        Raises:
            RuntimeError: If the mode is unknown.
        """
        if mode == 'tensor':
            return self.neck(self.sequence_features(inputs))
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise RuntimeError(f'mode must be tensor, loss or predict, got {mode!r}')

    def image_features(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, D) pooled features of (N, C, H, W) normalised images."""
        maps = self.backbone(images)
        last = maps[-1] if isinstance(maps, (tuple, list)) else maps
        return last.mean(dim=(2, 3))

    def sequence_features(self, images: torch.Tensor) -> torch.Tensor:
        """Return ``f_t`` (N, D) of (N, T, C, H, W) normalised images."""
        features = self.image_features(images.flatten(0, 1))
        return features.unflatten(0, images.shape[:2]).mean(dim=1)

    def loss(self, images: torch.Tensor, data_samples: list[ActionDataSample]) -> dict[str, torch.Tensor]:
        """Return the losses of a batch of sequences.

        Args:
            images (torch.Tensor): (N, T, C, H, W) float32, normalised.
            data_samples (list[ActionDataSample]): With ``gt_label``, the identity from 0.

        Returns:
            dict[str, torch.Tensor]: ``loss_id``, ``loss_triplet``, ``loss_center`` and, to look at, ``accuracy``.

        Raises:
            InputError: If an identity has no row in the classifier.
        """
        labels = torch.cat([sample.gt_label.reshape(1) for sample in data_samples]).to(images.device)
        self._check_labels(labels)
        f_t = self.sequence_features(images).float()  # distances of half floats would lose the margin
        logits = self.classifier(self.neck(f_t)).float()
        alone = bool((labels == labels[0]).all())
        return {
            'loss_id': self.loss_id(logits, labels),
            'loss_triplet': f_t.sum() * 0 if alone else self.loss_triplet(f_t, labels),
            'loss_center': self.loss_center(f_t, labels),
            'accuracy': (logits.argmax(dim=1) == labels).float().mean(),
        }

    def _check_labels(self, labels: torch.Tensor) -> None:
        known = self.classifier.out_features
        highest = int(labels.max())
        if highest >= known:
            raise InputError(
                f'an item has identity {highest} (from 0), the model has {known}; '
                'set model.num_identities to the number of identities in training'
            )

    def predict(self, inputs: Sequence[torch.Tensor], data_samples: list[ActionDataSample]) -> list[ActionDataSample]:
        """Add ``pred_feature`` (D,) float32 of unit length to each sample.

        Args:
            inputs (Sequence[torch.Tensor]): Per sample (T, C, H, W) uint8.
            data_samples (list[ActionDataSample]): ``chunks`` says how many images to run at a time; without it, all.
        """
        if all(len(images) == 1 for images in inputs):  # a set of single images: the batch is one pass
            f_t = self.image_features(self.data_preprocessor.normalize(torch.cat(list(inputs)))).float()
        else:
            parts = [self._mean_feature(images, sample.get('chunks')) for images, sample in zip(inputs, data_samples)]
            f_t = torch.stack(parts)
        for sample, feature in zip(data_samples, nn.functional.normalize(self.neck(f_t), dim=1)):
            sample.pred_feature = feature
        return data_samples

    def _mean_feature(self, images: torch.Tensor, chunks: Sequence[int] | None) -> torch.Tensor:
        parts = images.split(list(chunks)) if chunks else [images]
        total = sum(self.image_features(self.data_preprocessor.normalize(part)).float().sum(dim=0) for part in parts)
        return total / len(images)
