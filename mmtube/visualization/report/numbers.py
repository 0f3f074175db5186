"""How numbers of results are shown: fractions times 100, counts with commas, seconds and pixels as they are."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

UNITS = {'_s': 's', '_px': 'px', '_per_frame': ''}
NOTHING = '–'
MINUS = '−'
# Numbers between 0 and 1 that are read as they are: what was asked for, not how good it is.
AS_IS = frozenset({'threshold', 'thresholds', 'iou', 'tiou', 'alpha', 'score', 'x1', 'y1', 'x2', 'y2', 'weight'})


@dataclass(frozen=True)
class Style:
    """How the numbers of a column or of a metric are written.

    Args:
        scale (float): What they are multiplied by. Defaults to 1.
        decimals (int): Digits behind the point. Defaults to 0.
        unit (str): Unit behind the number or in the head of the column. Defaults to ''.
    """

    scale: float = 1.0
    decimals: int = 0
    unit: str = ''

    def __call__(self, value: float | None, sign: bool = False) -> str:
        """Return a number as text, ``–`` for None; with ``sign`` a positive one has a plus."""
        if value is None or not math.isfinite(value):
            return NOTHING
        shown = f'{value * self.scale:{"+" if sign else ""},.{self.decimals}f}'
        if not shown.strip('+-0.,'):
            shown = shown.lstrip('+-')
        return shown.replace('-', MINUS)


def is_number(value: object) -> bool:
    """Return whether a value is a number; True and False are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def metric_style(name: str, value: float) -> Style:
    """Return how a headline number is written, as :class:`~mmtube.evaluation.result.EvaluationResult` defines."""
    if isinstance(value, int):
        return Style()
    for suffix, unit in UNITS.items():
        if name.endswith(suffix):
            return Style(decimals=3, unit=unit)
    return Style(100, 2, '%')


def column_style(name: str, values: Sequence, metrics: Collection[str] = ()) -> Style | None:
    """Return how a column of a table is written, None if it is text.

    A column of floats is one of fractions when it has the name of a headline number or lies within [-1, 1], unless its
    name says that it is a threshold, a confidence or a coordinate.

    Args:
        name (str): Name of the column.
        values (Sequence): Its entries: str, int, float or None.
        metrics (Collection[str]): Names of the headline numbers. Defaults to none.
    """
    numbers = [value for value in values if value is not None]
    if not numbers or not all(map(is_number, numbers)):
        return None
    if all(isinstance(value, int) for value in numbers):
        return Style()
    for suffix, unit in UNITS.items():
        if name.endswith(suffix):
            return Style(decimals=2, unit=unit)
    if name.lower() in {'x1', 'y1', 'x2', 'y2'}:
        return Style(decimals=0, unit='px')
    if name.lower() not in AS_IS and (name in metrics or all(abs(value) <= 1 for value in numbers)):
        return Style(100, 2, '%')
    return Style(decimals=3 if max(map(abs, numbers)) < 10 else 2)
