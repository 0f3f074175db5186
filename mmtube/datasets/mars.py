"""Sequences of images of persons: MARS, and Market-1501 as sequences of one image."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from mmtube.errors import InputError
from mmtube.fileio import read_text
from mmtube.registry import DATASETS

from .table_dataset import TableDataset

SPLITS = ('train', 'query', 'gallery')
JUNK = -1
MARKET_FOLDERS = {'train': 'bounding_box_train', 'query': 'query', 'gallery': 'bounding_box_test'}
MARKET_NAME = re.compile(r'(-?\d+)_c(\d+)')


@DATASETS.register_module()
class MARSSequences(TableDataset):
    """Tracklets of MARS: ``bbox_train/<pid>/<image>``, ``bbox_test/<pid>/<image>`` and the lists in ``info/``.

    The dict of an item has ``img_paths`` (list of str, in the order of time), ``pid`` (as in the set), ``camid`` (from
    0), ``tracklet`` (its row in the list) and ``gt_label``: in training the identity from 0 without gaps, else the pid.
    The junk tracklets (pid -1) are dropped; pid 0 of the gallery are distractors and stay. The gallery is all of the
    test list that is no query, as the evaluation protocol of MARS has it.

    Args:
        split (str): ``'train'``, ``'query'`` or ``'gallery'``. Defaults to 'train'.
        layout (str): ``'mars'``, or ``'market'`` for the folders of Market-1501, each image a sequence of its own.
            Defaults to 'mars'.
        min_images (int): Shorter tracklets are dropped. Defaults to 1.
        kwargs (Any): Of MMEngine's ``BaseDataset``: ``data_root``, ``pipeline``, ``test_mode``, ``lazy_init``,
            ``indices``.

    Raises:
        InputError: If a list or folder is missing or of another form.
        ValueError: If an argument is out of range.
    """

    def __init__(self, split: str = 'train', layout: str = 'mars', min_images: int = 1, **kwargs: Any) -> None:
        if split not in SPLITS or layout not in ('mars', 'market') or min_images < 1:
            raise ValueError(f'split must be one of {SPLITS}, layout mars or market: {split}, {layout}, {min_images}')
        self.split = split
        self.layout = layout
        self.min_images = min_images
        super().__init__('', **kwargs)

    def load_items(self) -> np.ndarray:
        """Read the lists."""
        root = Path(self.data_root or '.')
        self.names, self.folder, tracks = self._market(root) if self.layout == 'market' else self._mars(root)
        keep = (tracks[:, 2] != JUNK) & (tracks[:, 1] - tracks[:, 0] >= self.min_images)
        self.tracklets = np.flatnonzero(keep)
        self.spans, self.pids, self.camids = tracks[keep, :2], tracks[keep, 2], tracks[keep, 3] - 1
        classes, contiguous = np.unique(self.pids, return_inverse=True)
        self.labels = contiguous if self.split == 'train' else self.pids
        self.num_identities = len(classes)
        return np.arange(len(self.pids))

    def _mars(self, root: Path) -> tuple[list[str], Path, np.ndarray]:
        part = 'train' if self.split == 'train' else 'test'
        list_file, names_file = root / 'info' / f'tracks_{part}_info.mat', root / 'info' / f'{part}_name.txt'
        tracks = self._matrix(list_file, f'track_{part}_info')
        names = read_text(names_file).split()
        if tracks.shape[1] != 4 or (len(tracks) and (tracks[:, 0].min() < 1 or tracks[:, 1].max() > len(names))):
            raise InputError(f'{list_file}: must be rows of first image, last image, pid, camera, within {names_file}')
        tracks = tracks - np.array([1, 0, 0, 0])  # the list counts from 1 and its ends are included
        if self.split != 'train':
            file = root / 'info' / 'query_IDX.mat'
            query = self._matrix(file, 'query_IDX').reshape(-1) - 1
            if len(query) and (query.min() < 0 or query.max() >= len(tracks)):
                raise InputError(f'{file}: row {query.max() + 1} is not in {list_file}, which has {len(tracks)}')
            out = np.ones(len(tracks), bool)
            out[query] = False
            tracks[out if self.split == 'query' else ~out, 2] = JUNK
        return names, root / f'bbox_{part}', tracks

    def _matrix(self, path: Path, name: str) -> np.ndarray:
        if not path.is_file():
            raise InputError(f'{path}: no such file')
        try:
            content = scipy.io.loadmat(path)
        except OSError as error:
            raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
        except Exception as error:  # scipy raises nearly anything on a damaged file
            raise InputError(f'{path}: is no MATLAB file, or is damaged ({error})') from None
        if name not in content or content[name].dtype.kind not in 'iuf':
            raise InputError(f'{path}: has no numbers {name!r}')
        return np.atleast_2d(content[name]).astype(np.int64)

    def _market(self, root: Path) -> tuple[list[str], Path, np.ndarray]:
        folder = root / MARKET_FOLDERS[self.split]
        if not folder.is_dir():
            raise InputError(f'{folder}: there is no such folder')
        names = sorted(path.name for path in folder.glob('*.jpg'))
        matches = [MARKET_NAME.match(name) for name in names]
        for name, match in zip(names, matches):
            if match is None:
                raise InputError(f'{folder / name}: must be named like 0002_c1s1_000451_03.jpg')
        numbers = [(row, row + 1, int(match[1]), int(match[2])) for row, match in enumerate(matches) if match]
        return names, folder, np.array(numbers, np.int64).reshape(-1, 4)

    def identities(self) -> np.ndarray:
        """Return (M,) int64 labels of the items, for samplers."""
        self.full_init()
        return self.labels[self.items]

    def item(self, number: int) -> dict[str, Any]:
        """Return a tracklet."""
        names = self.names[slice(*self.spans[number])]
        below = [] if self.layout == 'market' else [names[0][:4]]
        return dict(
            img_paths=[str(self.folder.joinpath(*below, name)) for name in names],
            pid=int(self.pids[number]),
            camid=int(self.camids[number]),
            tracklet=int(self.tracklets[number]),
            role=self.split,
            gt_label=int(self.labels[number]),
        )
