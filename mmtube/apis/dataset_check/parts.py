"""Which readers and which predictions belong to which data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from mmtube.datasets.film_facts import film_record
from mmtube.datasets.film_folder import list_films
from mmtube.engine.cli import readable_errors
from mmtube.errors import InputError
from mmtube.fileio import read_text
from mmtube.registry import DATASETS
from mmtube.structures.label_files import read_label_file
from mmtube.structures.seal import Finding, SEALAnnotations, VideoRecord, read_label_map, read_seal_json
from mmtube.structures.seal.convert import read_videos
from mmtube.structures.seal.label_map import LabelMap
from mmtube.structures.tube import TASKS

from . import list_sources, samples, sources
from .columns import Column, Labels

MOST_FILMS = 200
SEALRead = tuple[SEALAnnotations, list[Finding], dict[str, LabelMap]]
METRIC_FOR = {
    'boxes': "dict(type='FrameMAP')",
    'segments': "dict(type='TubeletMAP')",
    'proposals': "dict(type='ProposalRecall')",
    'scores': "dict(type='RecognitionMetric')",
    'features': "dict(type='ReIDMetric')",
    'detections': "dict(type='mmdet.CocoMetric', ann_file=..., metric='bbox')",
}


class Part(NamedTuple):
    """A data set of a config; a ``ConcatDataset`` has several.

    Args:
        dataset (Any): Built, its annotations not read yet.
        kind (str): What its model emits, a key of ``METRIC_FOR``.
        columns (Callable): Returns the columns of its files.
        samples (Callable): Returns its perfect samples.
        files (tuple[str, ...]): Annotation files.
        seal (Callable | None): Returns the annotations where they are in the SEAL schema, what reading them found, and
            the label map by task. Defaults to None.
    """

    dataset: Any
    kind: str
    columns: Callable[[Any], list[Column]]
    samples: Callable[[Any], samples.Perfect]
    files: tuple[str, ...]
    seal: Callable[[], SEALRead] | None = None


def build_parts(cfg: Config, split: str, name: str) -> list[Part]:
    """Build the data sets of a split; annotations are read later.

    Args:
        cfg (Config): The config.
        split (str): ``'train'``, ``'val'`` or ``'test'``.
        name (str): What to call the config in messages.

    Raises:
        InputError: If the config has no such loader, an argument does not fit, or there is no way to check such a set.
    """
    loader = cfg.get(f'{split}_dataloader')
    if not loader or 'dataset' not in loader:
        raise InputError(f'{name}: has no {split}_dataloader with a dataset')
    parts = []
    for config in unwrapped(loader['dataset']):
        if 'type' not in config:
            raise InputError(f'{name}: {split}_dataloader.dataset has no type: is _base_ missing?')
        options = {**config, 'lazy_init': True}
        # Rows come from feature files; the ground truth does not.
        options.update({key: value for key, value in (('features', ()), ('window_rows', None)) if key in config})
        with readable_errors(name), DefaultScope.overwrite_default_scope('mmtube'):
            try:
                dataset = DATASETS.build(options)
            except InputError:
                raise
            except (TypeError, ValueError, AssertionError) as error:  # an argument that does not fit
                raise InputError(f'{name}: {split}_dataloader.dataset: {error}') from None
        parts.append(_part(dataset, cfg, name))
    return parts


def unwrapped(config: ConfigDict) -> list[ConfigDict]:
    """Return the configs of data sets within wrappers such as ``ConcatDataset`` and ``RepeatDataset``."""
    inner = config.get('datasets') or ([config['dataset']] if 'dataset' in config else None)
    return [config] if inner is None else [part for item in inner for part in unwrapped(item)]


def _part(dataset: Any, cfg: Config, name: str) -> Part:
    names = [base.__name__ for base in type(dataset).__mro__]
    for known, make in KINDS.items():
        if known in names:
            return make(dataset, cfg)
    raise InputError(f'{name}: there is no check for {type(dataset).__name__}, only for {", ".join(KINDS)}')


def _read_seal(dataset: Any) -> SEALRead:
    """Return the annotations of a data set in the SEAL schema with what reading them found, and its label map."""
    task = task_of(dataset)
    if task not in TASKS:
        raise InputError(f'{dataset.ann_file}: is checked for one task at a time, set task and label_map of one')
    found: list[Finding] = []
    annotations = read_seal_json(dataset.ann_file, findings=found)
    maps = {} if dataset.label_map is None else {task: read_label_map(dataset._path(dataset.label_map), task)}
    return annotations, found, maps


def task_of(dataset: Any) -> str:
    """Return ``'atomic'`` or ``'complex'``."""
    return getattr(dataset, 'task', None) or dataset.options['task']


def _seal(dataset: Any, kind: str, perfect: Callable[[Any, SEALAnnotations], samples.Perfect]) -> Part:
    read = cache(lambda: _read_seal(dataset))

    def columns(dataset: Any) -> list[Column]:
        annotations, found, maps = read()
        names = dict(enumerate(next(iter(maps.values())).names)) if maps else None
        return sources.seal_columns(annotations, task_of(dataset), names, found)

    return Part(dataset, kind, columns, lambda dataset: perfect(dataset, read()[0]), (dataset.ann_file,), read)


def _clips(dataset: Any, cfg: Config) -> Part:
    return _seal(dataset, 'boxes', lambda dataset, annotations: samples.clip_samples(dataset))


def _tubes(dataset: Any, cfg: Config) -> Part:
    def perfect(dataset: Any, annotations: SEALAnnotations) -> samples.Perfect:
        return samples.tubelet_samples(dataset, {vid: video.fps for vid, video in annotations.videos.items()})

    return _seal(dataset, 'segments', perfect)


def _ava_style(dataset: Any, cfg: Config) -> Part:
    def columns(dataset: Any) -> list[Column]:
        films = getattr(dataset, 'films', None)
        if films is None:
            known = dataset.videos_file
            films = read_videos(dataset._path(known)) if known else _film_facts(dataset.data_prefix.get('video'))
        names = read_label_file(dataset._path(dataset.label_file), dataset.first_label)
        found = sources.ava_columns(dataset.ann_file, names, films, dataset.time_offset_s)
        if dataset.unlisted_labels == 'drop':
            found = [column for column in found if not isinstance(column, Labels)]
        return found

    return Part(dataset, 'boxes', columns, samples.clip_samples, (dataset.ann_file,))


def _film_facts(folder: str | None) -> dict[str, VideoRecord]:
    """What the containers of a folder say, of the first films of it: enough to see in what unit times are."""
    films: dict[str, VideoRecord] = {}
    if folder is None or not Path(folder).is_dir():
        return films
    for path in list_films(folder)[:MOST_FILMS]:
        with suppress(InputError):  # the data set itself says which film cannot be read
            films[path.stem] = film_record(path)
    return films


def _action_tubes(dataset: Any, cfg: Config) -> Part:
    def columns(dataset: Any) -> list[Column]:
        return sources.act_columns(dataset.ann_file)

    return Part(dataset, 'boxes', columns, samples.tube_samples, (dataset.ann_file,))


def _ava(dataset: Any, cfg: Config) -> Part:
    def columns(dataset: Any) -> list[Column]:
        names = {label: f'class {label}' for label in range(1, dataset.num_classes)}
        return sources.ava_columns(dataset.ann_file, names, {})

    return Part(dataset, 'boxes', columns, samples.ava_samples, (dataset.ann_file,))


def _activitynet(dataset: Any, cfg: Config) -> Part:
    def columns(dataset: Any) -> list[Column]:
        return list_sources.activitynet_columns(dataset.ann_file, read_document(dataset.ann_file))

    return Part(dataset, 'proposals', columns, samples.proposal_samples, (dataset.ann_file,))


def num_classes_of(dataset: Any, cfg: Config) -> int | None:
    """Return how many classes a data set, or the model of its config, has."""
    if getattr(dataset, 'num_classes', None):
        return int(dataset.num_classes)
    head = (cfg.get('model') or {}).get('cls_head') or {}
    return int(head['num_classes']) if head.get('num_classes') else None


def _recognition(dataset: Any, cfg: Config) -> Part:
    count = num_classes_of(dataset, cfg)
    names = None if count is None else {label: f'class {label}' for label in range(count)}
    frames = 'RawframeDataset' in [base.__name__ for base in type(dataset).__mro__]
    first = (3 if dataset.with_offset else 2) if frames else 1

    def columns(dataset: Any) -> list[Column]:
        if not frames and not hasattr(dataset, 'delimiter'):
            return []  # no list: the labels are looked at in the round trip
        delimiter = None if frames else dataset.delimiter
        return list_sources.list_columns(dataset.ann_file, names, lambda row: row[first:], delimiter)

    def perfect(dataset: Any) -> samples.Perfect:
        return samples.score_samples(dataset, count)

    return Part(dataset, 'scores', columns, perfect, (dataset.ann_file,))


def _sequences(dataset: Any, cfg: Config) -> Part:
    return Part(dataset, 'features', lambda dataset: [], samples.sequence_samples, (f'{dataset.data_root}',))


def _coco(dataset: Any, cfg: Config) -> Part:
    def columns(dataset: Any) -> list[Column]:
        classes = tuple(dataset.metainfo.get('classes', ()))
        return list_sources.coco_columns(dataset.ann_file, read_document(dataset.ann_file), classes)

    return Part(dataset, 'detections', columns, samples.detection_samples, (dataset.ann_file,))


def read_document(path: str) -> Any:
    """Read a JSON.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        return json.loads(read_text(Path(path)))
    except json.JSONDecodeError as error:
        raise InputError(f'{path}:{error.lineno}: is not JSON ({error.msg})') from None


# By the name of the class or of one that it inherits; the first that fits.
KINDS: dict[str, Callable[[Any, Config], Part]] = {
    'SEALClips': _clips,
    'SEALTubes': _tubes,
    'AVAStyle': _ava_style,
    'ActionTubes': _action_tubes,
    'MARSSequences': _sequences,
    'CocoDataset': _coco,
    'AVADataset': _ava,
    'AVAKineticsDataset': _ava,
    'ActivityNetDataset': _activitynet,
    'BaseActionDataset': _recognition,
}
