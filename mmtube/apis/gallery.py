"""Re-identification data described by an appearance component of the pipeline."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from mmtube.datasets.appearances import evenly_spaced
from mmtube.errors import InputError


def describe_gallery(
    data_root: str, appearance: Callable, *, layout: str = 'mars', max_images: int | None = None
) -> dict[str, np.ndarray]:
    """Describe the sequences of a query and a gallery as the pipeline describes tubelets.

    A crop is a frame whose box is the whole of it; a sequence is the mean of its crops' descriptors, of unit length.

    Args:
        data_root (str): Data in the layout of MARS or Market-1501.
        appearance (Callable): Describes boxes, see ``ColorHistogram``.
        layout (str): ``'mars'`` or ``'market'``. Defaults to 'mars'.
        max_images (int | None): Crops of a sequence, evenly spaced. Defaults to None, all.

    Returns:
        dict[str, np.ndarray]: What ``tools/evaluate.py reid`` reads as list and as features: ``names`` (N,) str,
        ``features`` (N, D) float32, ``ids`` (N,) int64, ``cameras`` (N,) int64, ``roles`` (N,) str.

    Raises:
        InputError: If a list, a folder or a crop cannot be read, or the component does not describe boxes.
    """
    from mmtube.datasets import MARSSequences

    _check_describes(appearance)
    rows: list[tuple[str, np.ndarray, int, int, str]] = []
    for split in ('query', 'gallery'):
        dataset = MARSSequences(split=split, layout=layout, data_root=data_root, test_mode=True)
        for index in range(len(dataset)):
            item = dataset.get_data_info(index)
            paths = item['img_paths']
            chosen = [paths[place] for place in evenly_spaced(len(paths), max_images or len(paths))]
            total = np.sum([_describe(path, appearance) for path in chosen], axis=0, dtype=np.float64)
            feature = (total / np.linalg.norm(total)).astype(np.float32)
            rows.append((f'{split} {item["tracklet"]:08d}', feature, item['pid'], item['camid'], split))
    if not rows:
        raise InputError(f'{data_root}: has neither a query nor a gallery')
    names, features, ids, cameras, roles = zip(*rows)
    columns = (np.array(names), np.stack(features), np.array(ids), np.array(cameras), np.array(roles))
    return dict(zip(('names', 'features', 'ids', 'cameras', 'roles'), columns))


def _check_describes(appearance: Callable) -> None:
    """Let a component describe a grey box: what is built for another stage fails in its own way, or returns no row."""
    told = f'{type(appearance).__name__}: does not describe boxes, as the stage appearance does'
    try:
        found = appearance(np.full((16, 8, 3), 128, np.uint8), np.array([[0, 0, 8, 16]], np.float32))
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise InputError(f'{told} ({" ".join(str(error).split())})') from error
    if not isinstance(found, np.ndarray) or found.ndim != 2 or len(found) != 1:
        raise InputError(f'{told} (one box needs an array of one row)')


def _describe(path: str, appearance: Callable) -> np.ndarray:
    crop = cv2.imread(path, cv2.IMREAD_COLOR)
    if crop is None:
        raise InputError(f'{path}: is no image that can be read')
    height, width = crop.shape[:2]
    return appearance(crop, np.array([[0, 0, width, height]], np.float32))[0]
