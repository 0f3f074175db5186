"""A data set whose items are rows of a few large arrays."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmengine.registry import DefaultScope

from mmtube.errors import InputError


class TableDataset(BaseDataset):
    """MMEngine's ``BaseDataset`` without a dict for each item.

    SEAL has 450,000 clips: as pickled dicts they take minutes and gigabytes, as columns seconds and megabytes, which
    worker processes share. A data set fills its columns in :meth:`load_items`, which returns the numbers of its items,
    and makes the dict of one item in :meth:`item`.

    Args:
        ann_file (str): Annotation file, relative to ``data_root``. Defaults to ''.
        hint (str | None): What is said where the data are not there: which files are expected, and how to do without.
            Defaults to None.
        kwargs (Any): Of ``mmengine.dataset.BaseDataset``: ``data_root``, ``data_prefix``, ``pipeline``, ``test_mode``,
            ``lazy_init``, ``indices``, ``metainfo`` and ``max_refetch``.
    """

    def __init__(self, ann_file: str = '', hint: str | None = None, **kwargs: Any) -> None:
        self.hint = hint
        self.items = np.zeros(0, np.int64)
        scope = DefaultScope.get_current_instance()
        # Outside of a runner there is no scope, and names of our transforms in a pipeline would not be found.
        with DefaultScope.overwrite_default_scope('mmtube' if scope is None else scope.scope_name):
            super().__init__(ann_file, **{'serialize_data': False, **kwargs})

    def _path(self, name: str) -> Path:
        return Path(self.data_root or '') / name

    def absent(self, message: str) -> InputError:
        """Return the error of data that are not there, with the hint of the config."""
        return InputError(message if self.hint is None else f'{message}. {self.hint}')

    @abstractmethod
    def load_items(self) -> np.ndarray:
        """Fill the columns and return (M,) int64 numbers of the items in the order in which they are served."""

    @abstractmethod
    def item(self, number: int) -> dict[str, Any]:
        """Return what the pipeline gets of one item."""

    def load_data_list(self) -> list[dict]:
        """Return all items as dicts; for looking at them, nothing here calls it."""
        return [self.get_data_info(index) for index in range(len(self))]

    def full_init(self) -> None:
        """Read the annotations, if that has not been done.

        Raises:
            InputError: If they are not there, or cannot be used.
        """
        if self._fully_initialized:
            return
        if self.ann_file and not Path(self.ann_file).exists():
            raise self.absent(f'{self.ann_file}: no such file')
        self.items = np.asarray(self.load_items(), np.int64)
        if self._indices is not None:
            self.items = self._chosen(self._indices)
        self._fully_initialized = True

    @force_full_init
    def __len__(self) -> int:
        return len(self.items)

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Return what the pipeline gets of the item at ``idx``."""
        index = range(len(self.items))[idx]
        return {**self.item(int(self.items[index])), 'sample_idx': index}

    def _chosen(self, indices: int | Sequence[int]) -> np.ndarray:
        if isinstance(indices, int):
            return self.items[:indices] if indices >= 0 else self.items[indices:]
        return self.items[np.asarray(indices, np.int64)]

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep the first ``indices`` items, the last ``-indices``, or those of a list."""
        self.items = self._chosen(indices)

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> TableDataset:
        """Return a data set of some of the items; columns are shared."""
        other = copy.copy(self)
        other.get_subset_(indices)
        return other
