"""The part of an action network that makes features: preprocessor, backbone and neck, out of any config."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mmtube.errors import InputError
from mmtube.registry import MODELS

PARTS = ('backbone', 'neck')
HASH_DIGITS = 16
INPUT_FORMATS = ('NCTHW', 'NCHW')


class FeatureNetwork(nn.Module):
    """Clips in, feature maps out.

    Args:
        network (str | dict): ``dict(backbone=..., data_preprocessor=..., neck=...)``, a config with such a ``model``
            (a path, a name below ``configs/`` or ``'package::name'``) or the config itself. Heads are left out.
        input_format (str): ``'NCTHW'`` for networks over clips, ``'NCHW'`` for networks over single frames. Defaults to
            'NCTHW'.

    Raises:
        InputError: If a string names no config of a network with a backbone, or it cannot be built.
        ValueError: If the format is unknown.
    """

    def __init__(self, network: str | dict, input_format: str = 'NCTHW') -> None:
        super().__init__()
        if input_format not in INPUT_FORMATS:
            raise ValueError(f'input_format must be one of {INPUT_FORMATS}, got {input_format!r}')
        self.input_format = input_format
        name, scope = 'the network', 'mmtube'
        if isinstance(network, str):
            from mmtube.config import load_config

            name, cfg = network, load_config(network)
            network, scope = cfg.get('model') or {}, cfg.get('default_scope') or 'mmaction'
        network = network.get('model') or network
        if not isinstance(network.get('backbone'), dict):
            raise InputError(f'{name}: has no backbone')
        scope = network.get('_scope_', scope)
        parts = {part: copy.deepcopy(network.get(part)) for part in (*PARTS, 'data_preprocessor')}
        try:
            with DefaultScope.overwrite_default_scope(scope):
                preprocessor = parts['data_preprocessor'] or dict(type='mmtube.ClipPreprocessor')
                self.data_preprocessor = MODELS.build(preprocessor)
                self.backbone = MODELS.build(parts['backbone'])
                self.neck = None if parts['neck'] is None else MODELS.build(parts['neck'])
        except (KeyError, TypeError) as error:  # an unknown name, or a class that takes other arguments
            raise InputError(f'{name}: cannot be built ({str(error).splitlines()[0]})') from error

    def forward(self, clips: Sequence[Tensor], pad_divisor: int = 1) -> tuple[Tensor, ...]:
        """Return the feature maps of clips.

        Args:
            clips (Sequence[Tensor]): N of (3, T, H, W) uint8 RGB, of one size.
            pad_divisor (int): Height and width are padded with zeros, after normalising, to multiples of it. Defaults
                to 1.

        Returns:
            tuple[Tensor, ...]: Maps (N, C_i, T_i, h, w); (N, C_i) where the network has no map. A network over single
            frames gives T_i = T, or the mean over the frames where it has no map.
        """
        count, length = len(clips), clips[0].shape[1]
        if self.input_format == 'NCHW':
            clips = [clip.transpose(0, 1).contiguous() for clip in clips]  # (T, 3, H, W)
        inputs = self._inputs(list(clips), pad_divisor)
        maps = self._through_neck(self.backbone(inputs.flatten(0, 1) if self.input_format == 'NCHW' else inputs))
        return tuple(self._over_time(features, count, length) for features in maps)

    @property
    def looks_at_frames(self) -> bool:
        """Whether the backbone looks at each frame for itself first, as ``FramesThenTime`` does."""
        return hasattr(self.backbone, 'look')

    def look(self, image: Tensor, pad_divisor: int = 1) -> Tensor:
        """Return the (C, h, w) map of a frame (3, H, W) uint8 RGB, of which :meth:`over_time` makes those of a clip."""
        return self.backbone.look(self._inputs([image[:, None]], pad_divisor)[:, :, 0])[0]

    def over_time(self, frame_maps: Tensor) -> tuple[Tensor, ...]:
        """Return what :meth:`forward` returns, for the maps (N, C, T, h, w) of the frames of clips."""
        return self._through_neck(self.backbone.over_time(frame_maps))

    def _inputs(self, clips: list[Tensor], pad_divisor: int) -> Tensor:
        inputs = self.data_preprocessor({'inputs': list(clips), 'data_samples': None}, False)['inputs']
        below, right = (-inputs.shape[side] % pad_divisor for side in (-2, -1))
        return F.pad(inputs, (0, right, 0, below)) if below or right else inputs

    def _through_neck(self, maps: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if self.neck is not None:
            maps = self.neck(maps)
            maps = maps[0] if isinstance(maps, tuple) and isinstance(maps[0], tuple) else maps
        return tuple(maps) if isinstance(maps, (tuple, list)) else (maps,)

    @staticmethod
    def _over_time(features: Tensor, count: int, length: int) -> Tensor:
        if features.dim() == 4 and len(features) == count * length:
            return features.unflatten(0, (count, length)).transpose(1, 2)
        if features.dim() == 3:  # tokens of a transformer
            features = features.mean(dim=1)
        if features.dim() == 2 and len(features) == count * length:
            return features.unflatten(0, (count, length)).mean(dim=1)
        return features

    def weights_hash(self) -> str:
        """Return the first digits of the SHA-256 of all weights, whatever file they came from."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            digest.update(f'{name} {tuple(tensor.shape)} {tensor.dtype}\n'.encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()[:HASH_DIGITS]
