"""A picture of what a model takes for what."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from .figure import BLUE, ORANGE, RED, figure, short_name


def draw_confusion(
    path: str | os.PathLike,
    rates: np.ndarray,
    pairs: Sequence[tuple[int, int, float]],
    names: Sequence[str],
    *,
    merge_above: float = 0.4,
    max_classes: int = 24,
) -> None:
    """Draw the confusion of the classes that are confused most, and the most confused pairs.

    Args:
        path (str | os.PathLike): PNG to write.
        rates (np.ndarray): (C, C) share of the samples of a class (row) that are taken for another (column).
        pairs (Sequence[tuple[int, int, float]]): Class, class and symmetric confusion, the most confused first.
        names (Sequence[str]): (C,) class names.
        merge_above (float): Where a merge is suggested. Defaults to 0.4.
        max_classes (int): Classes in the matrix: those of the pairs first, then the most confused. Defaults to 24.

    Raises:
        InputError: If the file cannot be written.
    """
    rest = np.argsort(-(rates + rates.T).sum(axis=1), kind='stable').tolist()
    order = list(dict.fromkeys([*(label for pair in pairs for label in pair[:2]), *rest]))[:max_classes]
    with figure(path, (13, 5.8), columns=2) as (left, right):
        if order:
            shown = rates[np.ix_(order, order)]
            image = left.imshow(shown, cmap='Blues', vmin=0, vmax=max(float(shown.max()), 0.01), aspect='auto')
            left.figure.colorbar(image, ax=left, label='share of the true class')
        ticks = [short_name(names[label]) for label in order]
        left.set_xticks(range(len(order)), ticks, rotation=90, fontsize=7)
        left.set_yticks(range(len(order)), ticks, fontsize=7)
        left.set(xlabel='predicted on top', ylabel='true and not predicted')
        left.set_title(f'The {len(order)} most confused of {len(names)} classes')
        rate = [pair[2] for pair in pairs]
        bars = right.barh(range(len(pairs)), rate, color=[ORANGE if value > merge_above else BLUE for value in rate])
        right.bar_label(bars, labels=[f'{value:.2f}' for value in rate], padding=3)
        right.axvline(merge_above, color=RED, ls=':')
        right.set_yticks(range(len(pairs)), [f'{short_name(names[a])}\n{short_name(names[b])}' for a, b, _ in pairs])
        right.invert_yaxis()
        right.set_xlim(0, max([*rate, merge_above]) * 1.15)
        right.set(xlabel='symmetric confusion')
        right.set_title(f'Most confused pairs; above {merge_above:g} they may be one class')
