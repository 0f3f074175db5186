"""The stage ``tubelet_detector``: from rows of features to segments on tubes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmtube.config import load_config
from mmtube.errors import InputError, MissingCheckpointError
from mmtube.registry import FUNCTIONS, MODELS, TRANSFORMS
from mmtube.structures import Segment, Tube, TubeletRows
from mmtube.structures.tube import TASKS

from ..checkpoint import load_weights
from ..device import usable_device
from ..interfaces import BaseTubeletDetector

LOADING = 'LoadTubeletFeatures'
LAST_FRAME_S = 0.04  # how long the last frame of a tube with a single one lasts
TUBELETS_PER_PASS = 16


@dataclass
class _Found:
    """A network that finds the actions of some tasks.

    Args:
        name (str): Its config, for messages.
        network (Any): The :class:`~mmtube.models.localizers.base.TemporalLocalizer`.
        pipeline (Compose): From rows to what it takes.
        streams (list[dict]): What the features must say of themselves, stream by stream.
        label_maps (dict[str, list[str]]): Class names by task, in the order in which the labels count on.
    """

    name: str
    network: Any
    pipeline: Compose
    streams: list[dict]
    label_maps: dict[str, list[str]]


@MODELS.register_module()
class TubeletActionDetector(BaseTubeletDetector):
    """Find actions on tubes with trained temporal detectors, one for each task or one for both.

    Each network gets the rows by the test pipeline of its own config, and of several streams those that it was trained
    on: what its config demands of feature files is demanded of the rows. Class names come out of the checkpoint.

    Args:
        networks (Sequence[dict]): ``dict(config=..., checkpoint=...)`` for each: a config such as
            ``'mmtube::seal/atomic_tubes.py'`` and its weights.
        min_score (float): Segments with a lower score are left out. Defaults to 0.05; what a metric wants is lower.
        device (str): Where the networks run. Defaults to 'cpu'.

    Raises:
        MissingCheckpointError: If a network has no weights.
        InputError: If a config, weights or the device cannot be used, or two networks find the same task.
        ValueError: If no network is given.
    """

    def __init__(self, networks: Sequence[dict], min_score: float = 0.05, device: str = 'cpu') -> None:
        if not networks:
            raise ValueError('no network is given')
        self.device = usable_device(device)
        self.min_score = min_score
        self._found = [self._load(**network) for network in networks]
        self.label_maps: dict[str, list[str]] = {}
        for found in self._found:
            twice = set(found.label_maps) & set(self.label_maps)
            if twice:
                raise InputError(f'{found.name}: finds {twice.pop()} actions, and so does another network')
            self.label_maps.update(found.label_maps)

    def _load(self, config: str | dict | Config, checkpoint: str | None = None) -> _Found:
        cfg = load_config(config) if isinstance(config, str) else Config(dict(config))
        name = config if isinstance(config, str) else getattr(config, 'filename', None) or 'the temporal detector'
        checkpoint = checkpoint or cfg.get('load_from')
        if checkpoint is None:
            raise MissingCheckpointError(f'{name}: has no weights, give checkpoint=FILE')
        try:
            dataset = cfg.test_dataloader.dataset
            with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmtube'):
                network = MODELS.build(cfg.model)
                steps = [TRANSFORMS.build(step) for step in dataset.pipeline if step['type'] != LOADING]
        except (KeyError, TypeError, AttributeError) as error:
            cause = str(error.args[0] if error.args else error).splitlines()[0]
            raise InputError(f'{name}: is not the config of a temporal detector ({cause})') from None
        meta = load_weights(network, checkpoint)
        names = list((meta.get('dataset_meta') or {}).get('classes') or ())
        if len(names) != network.num_classes:
            told = f'{len(names)} class names, the network has {network.num_classes} classes'
            raise InputError(f'{checkpoint}: has {told}')
        tasks = TASKS if dataset.task == 'joint' else (dataset.task,)
        first = getattr(network, 'num_atomic', len(names))
        parts = dict(zip(tasks, (names[:first], names[first:])))
        streams = [{key: value for key, value in one.items() if key != 'folder'} for one in dataset.features]
        return _Found(name, network.to(self.device).eval(), Compose(steps), streams, parts)

    def detect(self, tubes: list[Tube], features: list[TubeletRows]) -> list[Tube]:
        """Return the tubes with the segments of all tasks, best first.

        Args:
            tubes (list[Tube]): The people; they are not changed.
            features (list[TubeletRows]): Their rows, in the same order.

        Raises:
            InputError: If the rows are not those that a network was trained on.
        """
        segments: list[list[Segment]] = [[] for _ in tubes]
        owners = [owner for owner, rows in enumerate(features) if len(rows.times_s)]
        for found in self._found:
            for at in range(0, len(owners), TUBELETS_PER_PASS):
                some = owners[at : at + TUBELETS_PER_PASS]
                items = [found.pipeline(_results(tubes[owner], _chosen(found, features[owner]))) for owner in some]
                batch = FUNCTIONS.get('tubelet_collate')(items)
                batch['inputs'] = {key: value.to(self.device) for key, value in batch['inputs'].items()}
                for owner, sample in zip(some, found.network(**batch, mode='predict')):
                    segments[owner] += self._segments(found, sample.pred_segments)
        ordered = [sorted(some, key=lambda segment: -segment.score) for some in segments]
        return [replace(tube, segments=found_here) for tube, found_here in zip(tubes, ordered)]

    def _segments(self, found: _Found, predicted: Any) -> list[Segment]:
        times_s, scores = predicted.segments_s.cpu().numpy(), predicted.scores.cpu().numpy()
        result = []
        for (start_s, end_s), score, label in zip(times_s.tolist(), scores.tolist(), predicted.labels.tolist()):
            if score < self.min_score:
                continue
            for task, names in found.label_maps.items():
                if label < len(names):
                    result.append(Segment(start_s, end_s, label, min(score, 1.0), task))
                    break
                label -= len(names)
        return result


def _chosen(found: _Found, rows: TubeletRows) -> TubeletRows:
    """Return rows of the streams that a network was trained on.

    Raises:
        InputError: If a stream is not there, or was made in another way.
    """
    told = rows.meta.get('streams', [rows.meta])
    ends = np.cumsum([meta['dim'] for meta in told])
    columns, first = [], None
    for demanded in found.streams:
        name = demanded.get('stream')
        place = next((place for place, meta in enumerate(told) if name in (None, meta['stream'])), None)
        if place is None:
            there = ' and '.join(meta['stream'] for meta in told)
            raise InputError(f'{found.name}: was trained on features {name!r}, the rows are {there}')
        for key, value in demanded.items():
            if told[place].get(key) != value:
                raise InputError(f'{found.name}: {key} of {name} is {told[place].get(key)!r}, trained on {value!r}')
        columns.append(rows.rows[:, ends[place] - told[place]['dim'] : ends[place]])
        first = first or told[place]
    return replace(rows, rows=np.concatenate(columns, 1), meta=first)


def _results(tube: Tube, rows: TubeletRows) -> dict[str, Any]:
    """What ``LoadTubeletFeatures`` makes of a file, of rows in memory."""
    none, no_labels = np.zeros((0, 2)), np.zeros(0, np.int64)
    last_s = tube.times_s[-1] - tube.times_s[-2] if len(tube) > 1 else LAST_FRAME_S
    return dict(
        tid=str(tube.track_id),
        video_id='',
        person_id=tube.track_id,
        t0_s=tube.start_s,
        t1_s=tube.end_s + float(last_s),
        features=rows.rows,
        valid=rows.valid,
        offset_s=float(rows.times_s[0]),
        rate=rows.meta['fps'] / rows.meta['stride'],
        num_rows=len(rows.rows),
        segments=none.astype(np.float32),
        segments_s=none,
        labels=no_labels,
        gt_segments_s=none,
        gt_labels=no_labels,
    )
