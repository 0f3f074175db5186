"""What people do, second by second, from features that were made for another stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor, nn

from mmtube.errors import InputError
from mmtube.models.device import usable_device
from mmtube.registry import MODELS
from mmtube.structures import Tube, TubeletRows

from .clip_features import ClipFeatures
from .clip_networks import VIDEO, clip_network, load_network
from .clip_windows import boxes_at, key_inds_near, nearest_inds
from .interaction import OBJECT

TOLERANCE_S = 1e-6


@MODELS.register_module()
class RowClipClassifier:
    """Score the actions of every person at regular key times from the rows of the stage ``tubelet_features``.

    The backbone is the costly part of a clip classifier and of the features of tubelets. Where both are the same
    network, trained with the sampling of the features, this stage asks for no pass over the film: at a key time it
    takes the row of the person whose window is centred nearest, which is at most half a row away (1/15 s for
    Slowfast-T), and runs interaction and head on it. Near the ends of a film, where no window is centred, there are no
    scores. Boxes are those of the features: they are not enlarged, and the weights should be trained or tested with
    ``test_enlarge=(0, 0)``.

    Args:
        model (str | dict | Config): Config of a ``ClipActionDetector``, as for
            :class:`~mmtube.models.roi_heads.ClipClassifier`.
        checkpoint (str | None): Its weights, the same file as that of ``tubelet_features``. Defaults to None, those of
            the config.
        label_map (str | list[str] | None): Class names; see :func:`.action_config.name_columns`. Defaults to None.
        stride_s (float): Seconds from one key time to the next, counted from 0. Defaults to 1.
        device (str): Where the head runs. Defaults to 'cpu'.

    Attributes:
        note (str): What a user should know of how it runs, '' if nothing.

    Raises:
        InputError: If config, weights or label map cannot be had or do not fit each other, or the device is not there.
        ValueError: If the stride is not positive.
    """

    reads_rows = True

    def __init__(
        self,
        model: str | dict | Config,
        checkpoint: str | None = None,
        label_map: str | list[str] | None = None,
        stride_s: float = 1.0,
        device: str = 'cpu',
    ) -> None:
        if stride_s <= 0:
            raise ValueError(f'{stride_s=} must be positive')
        self.device = usable_device(device)
        loaded = load_network(model, checkpoint)
        self.name, self._format, network = loaded.name, loaded.clip_format, loaded.network
        self.stride_s = stride_s
        seen_by = clip_network(network)
        if seen_by.background_class or not hasattr(network.roi_head, 'classify'):
            raise InputError(f'{self.name}: is not a ClipActionDetector, whose head can be run alone')
        self.note = seen_by.note
        self._weights_hash = _hash(network)
        self._head = network.roi_head.to(self.device)  # the backbone is not needed and goes
        self._columns = seen_by.num_classes
        self._label_map = loaded.label_map(label_map, self._columns)

    @property
    def label_map(self) -> list[str]:
        """Class name of each column of ``Tube.clip_scores``; empty when nothing names the classes."""
        return list(self._label_map)

    def check(self, meta: Mapping[str, Any]) -> None:
        """Refuse rows that this head cannot read.

        Args:
            meta (Mapping[str, Any]): Of the rows, as ``FeatureMeta`` has it.

        Raises:
            InputError: If they are of another network, other weights, pooled in another way or of clips sampled in
                another way.
        """
        told = f'{self.name}: cannot score from the stage tubelet_features'
        if not meta or not meta.get('window'):
            raise InputError(f'{told}: its rows do not say how they were made')
        if meta.get('checkpoint') and meta['checkpoint'] != self._weights_hash:
            found = f'{meta["checkpoint"]}, those of the head {self._weights_hash}'
            raise InputError(f'{told}: its backbone has other weights, hash {found}; give both the same checkpoint')
        pooled = self._head.roi_extractor.tell()
        if meta.get('roi') and meta['roi'] != pooled:
            raise InputError(f'{told}: people of the features are {meta["roi"]!r}, those of the model {pooled!r}')
        words = str(meta.get('frames', '')).split('-')
        spread = next((int(word[4:]) for word in words if word.startswith('span')), int(meta['window']))
        theirs = spread / float(meta['fps']), int(meta['window'])
        ours = (
            self._format.clip_len * self._format.frame_interval / (self._format.sample_fps or np.nan),
            self._format.clip_len,
        )
        if self._format.span == 'window':
            ours = self._format.window_s, ours[1]
        if not np.allclose(ours, theirs):
            clips = ' and '.join(f'{count} frames over {span_s:.3f} s' for span_s, count in (ours, theirs))
            raise InputError(f'{told}: the model and the features are of clips of {clips}')

    @torch.inference_mode()
    def classify_rows(
        self, tubes: Sequence[Tube], rows: Sequence[TubeletRows], frame_size: tuple[int, int]
    ) -> list[Tube]:
        """Fill in the clip scores of tubes.

        Args:
            tubes (Sequence[Tube]): The people; they are not changed.
            rows (Sequence[TubeletRows]): Their features, in the same order.
            frame_size (tuple[int, int]): Width and height in pixels that the boxes refer to.

        Returns:
            list[Tube]: The tubes in the same order with new ``clip_times_s`` (K,) and ``clip_scores`` (K, C).

        Raises:
            InputError: If the rows are not of this network.
        """
        for found in rows:
            self.check(found.meta)
        owners, keys, places = self._find(tubes, rows, frame_size)
        clips = [self._features(key, keys, owners, places, tubes, rows) for key in np.unique(keys).tolist()]
        memory = None
        if self._head.memory is not None:
            memory = self._head.memory.filled(self._head.entries(clip) for clip in clips)
        logits = [self._head.head.scores(self._head.classify(clip.to(self.device), memory)).cpu() for clip in clips]
        scores = torch.cat([torch.zeros(0, self._columns), *logits]).float().numpy()
        return [
            replace(tube, clip_times_s=keys[owners == index] * self.stride_s, clip_scores=scores[owners == index])
            for index, tube in enumerate(tubes)
        ]

    def _find(
        self, tubes: Sequence[Tube], rows: Sequence[TubeletRows], frame_size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Who is in the clips: tube, key and row within the tube, ordered by key, then by tube."""
        parts = [np.zeros((3, 0), np.int64)]
        for index, (tube, found) in enumerate(zip(tubes, rows)):
            if not len(tube) or not len(found.times_s):
                continue
            near = key_inds_near(tube, self.stride_s)
            key_s = near * self.stride_s
            _, known = boxes_at(tube, key_s, frame_size)
            place = nearest_inds(found.times_s, key_s)
            half_s = found.meta['stride'] / found.meta['fps'] / 2
            known &= (np.abs(found.times_s[place] - key_s) <= half_s + TOLERANCE_S) & found.valid[place]
            parts.append(np.stack([np.full(known.sum(), index), near[known], place[known]]))
        table = np.concatenate(parts, axis=1)
        owners, keys, places = table[:, np.argsort(table[1], kind='stable')]
        return owners, keys, places

    def _features(
        self,
        key: int,
        keys: np.ndarray,
        owners: np.ndarray,
        places: np.ndarray,
        tubes: Sequence[Tube],
        rows: Sequence[TubeletRows],
    ) -> ClipFeatures:
        mine = slice(*np.searchsorted(keys, [key, key + 1]))
        people = list(zip(owners[mine].tolist(), places[mine].tolist()))
        features = torch.from_numpy(np.stack([rows[owner].rows[place] for owner, place in people]))
        key_s = key * self.stride_s
        nearest = [tubes[owner].scores[nearest_inds(tubes[owner].times_s, key_s)] for owner, _ in people]
        objects: tuple[Tensor, Tensor] | tuple[None, None] = None, None
        if self._head.interaction is not None and self._head.interaction.uses(OBJECT):
            slots = self._head.max_objects
            objects = torch.zeros(1, slots, features.shape[1]), torch.zeros(1, slots, dtype=torch.bool)
        boxes, inds = torch.zeros(len(people), 4), torch.zeros(len(people), dtype=torch.int64)
        scores = torch.tensor(np.array(nearest, np.float32))
        return ClipFeatures(features, boxes, scores, inds, [(VIDEO, key_s)], *objects)


def _hash(network: nn.Module) -> str:
    """The hash of the part of a detector that makes features, as the stage of features tells it."""
    from mmtube.models.tubelet_features.network import PARTS, FeatureNetwork

    parts = nn.ModuleDict({name: getattr(network, name) for name in PARTS if getattr(network, name, None) is not None})
    return FeatureNetwork.weights_hash(cast(FeatureNetwork, parts))
