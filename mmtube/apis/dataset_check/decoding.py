"""A few items through the whole pipeline: can films, images and features be read, and do they have what is claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from mmtube.datasets.film_facts import film_record
from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures.io.features_npz import read_features_npz
from mmtube.structures.seal import Finding

from .report import Check

LENGTH_SLACK_S = 0.5
RATE_SLACK = 0.02
SHORT_S = 2.0  # a tubelet hardly longer than a window says little
LEAST_SHARED = 0.5


def decode_check(dataset: Any, config: ConfigDict, count: int, seed: int) -> Check:
    """Run random items through the pipeline and compare their films with what the annotations claim.

    Args:
        dataset (Any): The data set, its annotations read.
        config (ConfigDict): Its config, to build tubelets with the features that the check itself does not need.
        count (int): How many items, 0 for none.
        seed (int): Of their choice.

    Returns:
        Check: With a finding for each item that cannot be read.
    """
    if not count:
        return Check('reading', 'not asked for (--decode 0)', skipped=True)
    if 'features' in config:
        missing = _missing_features(dataset, config)
        if missing:
            return Check('features', f'{missing}: times were checked without features', skipped=True)
        with DefaultScope.overwrite_default_scope('mmtube'):
            try:
                dataset = DATASETS.build({**config, 'lazy_init': False})
            except InputError as error:
                return Check(
                    'features', 'cannot be used', [Finding(str(dataset.ann_file), 'features', 'features', str(error))]
                )
    items = np.random.default_rng(seed).permutation(len(dataset))[:count]
    check = Check('features' if 'features' in config else 'reading', '')
    for index in np.sort(items).tolist():
        info = dataset.get_data_info(index)
        place = str(
            info.get('img_key') or info.get('tid') or info.get('filename') or info.get('img_path') or f'item {index}'
        )
        file = str(info.get('film') or getattr(dataset, 'ann_file', '') or getattr(dataset, 'data_root', ''))
        cause = _unreadable(dataset, index)
        if cause:
            check.findings.append(Finding(file, place, 'unreadable', cause))
            continue
        check.findings += [Finding(file, place, 'film-differs', text) for text in _film_differs(info)]
        check.findings += [Finding(file, place, 'features-elsewhere', text) for text in _rows_elsewhere(info)]
    check.text = f'{len(items)} of {len(dataset):,d} items went through the pipeline'
    return check


def _missing_features(dataset: Any, config: ConfigDict) -> str:
    for stream in config['features']:
        folder = dataset._path(stream['folder'])
        if not any(folder.glob('*.npz')):
            return f'there are no feature files in {folder}'
    return ''


def _unreadable(dataset: Any, index: int) -> str:
    """Why an item does not come through the pipeline, '' if it does."""
    try:
        dataset.prepare_data(index)
    except InputError as error:
        return str(error)
    except Exception as error:  # decoders and transforms of other libraries raise anything
        return f'the pipeline fails with {type(error).__name__}: {error}'
    return ''


def _film_differs(info: dict[str, Any]) -> list[str]:
    """What the container of a film says otherwise than the annotations."""
    if 'film' not in info or 'duration_s' not in info:
        return []
    film, causes = film_record(Path(info['film'])), []
    if abs(film.duration_s - info['duration_s']) > LENGTH_SLACK_S:
        causes.append(f'the film is {film.duration_s:.2f} s long, the annotations say {info["duration_s"]:.2f} s')
    if abs(film.fps / info['fps'] - 1) > RATE_SLACK:
        causes.append(f'the film has {film.fps:g} frames per second, the annotations say {info["fps"]:g}')
    return causes


def _rows_elsewhere(info: dict[str, Any]) -> list[str]:
    """Where the rows of a tubelet's features are at other times than the tubelet."""
    causes = []
    begin, end = info.get('t0_s', 0.0), info.get('t1_s', 0.0)
    for path, demanded in zip(info.get('feature_files', ()), info.get('demanded', ())):
        file = read_features_npz(path, demanded)
        rows, meta = file[info['tid']], file.meta
        half_s = meta.window / meta.fps / 2
        first, last = rows.offset_s - half_s, rows.offset_s + (len(rows.features) - 1) / meta.grid.rate + half_s
        shared, whole = min(last, end) - max(first, begin), max(last, end) - min(first, begin)
        if end - begin > SHORT_S and shared < LEAST_SHARED * whole:
            told = f'{first:.2f} to {last:.2f} s of the film, the tubelet lasts from {begin:.2f} to {end:.2f} s'
            causes.append(f'{path}: its windows cover {told}: another frame rate or offset?')
    return causes
