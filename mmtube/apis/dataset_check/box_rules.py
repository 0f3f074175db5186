"""Boxes in another unit, another order or another picture than the format says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmtube.structures.seal import Finding

from .columns import Boxes

FRACTION_LIMIT = 1.5  # no person is seen within one and a half pixels, and no fraction is larger
EDGE_SHARE = 0.02  # boxes of annotators and trackers reach over the edge by rounding
EDGE_PX = 2.0
FEWEST_FOR_HINT = 20


def box_findings(column: Boxes) -> Iterator[Finding]:
    """Find boxes that cannot be meant as they stand, and say how they may be meant.

    A box is told by the first rule that it breaks: not finite, wrong unit, wrong corner order or width and height for
    the second corner, swapped axes, of a larger picture, outside of the picture, without area.

    Yields:
        Finding: One for each rule that is broken, for its first row, with the share of rows.
    """
    boxes = np.asarray(column.boxes)
    total = len(boxes)
    if not total:
        return
    x1, y1, x2, y2 = (boxes[:, number].astype(np.float64) for number in range(4))
    width, height = (column.sizes[:, number].astype(np.float64) for number in range(2))
    unit_w, unit_h = (np.ones(total), np.ones(total)) if column.fractions else (width, height)
    edge = EDGE_SHARE if column.fractions else EDGE_PX
    open_ = np.isfinite(boxes).all(axis=1)

    def within(right: np.ndarray, bottom: np.ndarray, w: np.ndarray, h: np.ndarray, slack: float) -> np.ndarray:
        """Whether corners lie in a picture; one of unknown size holds all."""
        with np.errstate(invalid='ignore'):
            fits_w = ~(right > w * (1 + EDGE_SHARE) + slack)
            return fits_w & ~(bottom > h * (1 + EDGE_SHARE) + slack) & (right > 0) & (bottom > 0)

    def tell(mask: np.ndarray, rule: str, cause: str) -> Finding:
        row = int(np.argmax(mask))
        box = ', '.join(f'{value:.6g}' for value in boxes[row])
        size = '' if np.isnan(width[row]) else f' in a picture of {width[row]:g}x{height[row]:g}'
        count = int(mask.sum())
        share = f'{count:,d} of {total:,d} boxes, {100 * count / total:.3g} %'
        return Finding(column.file, column.place(row), rule, f'the box ({box}){size} {cause} ({share})')

    if not open_.all():
        yield tell(~open_, 'box-not-a-number', 'has a coordinate that is not a finite number')
    unit, rule, cause = _wrong_unit(column, boxes, x2, y2, within)
    unit &= open_
    if unit.any():
        yield tell(unit, rule, cause)
    open_ &= ~unit
    reversed_ = open_ & ((x2 < x1) | (y2 < y1))
    if reversed_.any():
        if within(x1 + x2, y1 + y2, unit_w, unit_h, edge)[reversed_].all():
            cause = 'ends before it begins, but fits as x, y, width, height where x1, y1, x2, y2 is needed'
            yield tell(reversed_, 'xywh-for-xyxy', cause)
        else:
            yield tell(reversed_, 'box-reversed', 'ends before it begins')
    open_ &= ~reversed_
    with np.errstate(invalid='ignore'):
        beyond = open_ & ((x2 > unit_w * (1 + EDGE_SHARE) + edge) | (y2 > unit_h * (1 + EDGE_SHARE) + edge))
    if beyond.any() and column.from_widths:
        corners = beyond & (x2 > 2 * x1) & (y2 > 2 * y1) & within(x2 - x1, y2 - y1, unit_w, unit_h, edge)
        if corners.all(where=beyond):
            cause = 'reaches over the edge, but x1, y1, x2, y2 fits where the format has x, y, width, height'
            yield tell(beyond, 'xyxy-for-xywh', cause)
            open_ &= ~beyond
            beyond &= ~beyond
    if beyond.any():
        swapped = beyond & within(y2, x2, unit_w, unit_h, edge)
        if swapped.sum() >= 0.9 * beyond.sum() and within(y2, x2, unit_w, unit_h, edge)[open_].mean() > 0.9:
            yield tell(
                swapped,
                'swapped-axes',
                'fits only with x and y swapped: boxes, or sizes of films, as height before width',
            )
            open_ &= ~swapped
            beyond &= ~swapped
        large_w, large_h = (
            np.nanmax((side / unit)[open_ | beyond], initial=0) for side, unit in ((x2, unit_w), (y2, unit_h))
        )
        if beyond.sum() >= 0.1 * total and min(large_w, large_h) > 1.2:
            reach = f'{large_w:.3g} times its width and {large_h:.3g} times its height'
            cause = f'is beyond the picture, boxes reach to {reach}: was the film made smaller?'
            yield tell(beyond, 'box-of-larger-picture', cause)
            open_ &= ~beyond
    with np.errstate(invalid='ignore'):
        outside = open_ & ((x1 >= unit_w) | (y1 >= unit_h) | (x2 <= 0) | (y2 <= 0)) & ((x2 > x1) & (y2 > y1))
    if outside.any():
        yield tell(outside, 'box-outside-picture', 'shares nothing with the picture')
    flat = open_ & ((x2 == x1) | (y2 == y1))
    if flat.any():
        yield tell(flat, 'box-without-area', 'has no area: no detection overlaps it')
    yield from _wide(column, open_ & ~flat & ~outside, x2 - x1, y2 - y1, tell)


def _wrong_unit(
    column: Boxes, boxes: np.ndarray, x2: np.ndarray, y2: np.ndarray, within
) -> tuple[np.ndarray, str, str]:
    """(N,) bool boxes that are in the other unit, the rule and the cause."""
    with np.errstate(invalid='ignore'):
        small = (np.abs(boxes) <= FRACTION_LIMIT).all(axis=1) & (np.abs(boxes) > 0).any(axis=1)
        if not column.fractions:
            cause = 'is in fractions of the picture, pixels are needed: multiply by its width and height'
            return small, 'normalised-for-pixel', cause
        large = ~small & ((x2 > FRACTION_LIMIT) | (y2 > FRACTION_LIMIT))
    cause = 'is in pixels, fractions of the picture (0 to 1) are needed: divide by its width and height'
    if large.any() and not within(x2, y2, column.sizes[:, 0], column.sizes[:, 1], EDGE_PX)[large].all():
        cause = 'is no fraction of the picture (0 to 1), and beyond it in pixels too'
    return large, 'pixel-for-normalised', cause


def _wide(column: Boxes, rows: np.ndarray, wide: np.ndarray, tall: np.ndarray, tell) -> Iterator[Finding]:
    """A hint where nearly all people are wider than tall: in fractions, swapped axes fit the picture all the same."""
    width, height = column.sizes[:, 0].astype(np.float64), column.sizes[:, 1].astype(np.float64)
    known = rows & ~np.isnan(width)
    if known.sum() < FEWEST_FOR_HINT:
        return
    wide, tall = (wide * width, tall * height) if column.fractions else (wide, tall)
    lying = known & (wide > tall)
    if lying.sum() >= 0.9 * known.sum():
        yield tell(lying, 'people-lying-down', 'is wider than tall, as nearly all: are x and y swapped?')
