"""Charts of evaluations: curves, bars and classes over their number of ground truths, as PNG or SVG."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .figure import BLUE, GREEN, GREY, ORANGE, RED, SKY, figure, short_name

SERIES = (BLUE, ORANGE, GREEN, SKY, RED)
LETTERS_PER_INCH = 11  # of a title
MOST_BARS = 40
MOST_LABELS = 12  # of the points of a curve


def set_title(axes: Any, text: str) -> None:
    """Set a title that is broken where the figure ends."""
    width = int(axes.figure.get_figwidth() * LETTERS_PER_INCH)
    axes.figure.suptitle(textwrap.fill(text, width), x=0.01, ha='left', fontsize=11, fontweight='bold')


def draw_curve(path: Path, title: str, curve: Mapping[str, Any]) -> None:
    """Draw a curve; a missing value is a gap.

    Args:
        path (Path): File to write.
        title (str): What it shows.
        curve (Mapping[str, Any]): ``x``, ``y``, ``x_label`` and ``y_label`` as of an evaluation.

    Raises:
        InputError: If the file cannot be written.
    """
    x, y = floats(curve['x']), floats(curve['y'])
    few = len(x) <= 20
    with figure(path, (6.4, 4.0)) as axes:
        axes.plot(x, y, color=BLUE, lw=2, marker='o' if few else None, ms=5)
        if len(x) <= MOST_LABELS:
            finite = np.flatnonzero(np.isfinite(y))
            falls = len(finite) > 1 and y[finite[-1]] < y[finite[0]]
            for place, text in zip(finite, told(y[finite])):
                shift, side = ((3, 5), 'left') if falls else ((-3, 5), 'right')
                axes.annotate(text, (x[place], y[place]), shift, textcoords='offset points', ha=side, fontsize=8)
        axes.set(xlabel=str(curve['x_label']), ylabel=str(curve['y_label']))
        axes.set_ylim(*_span(y))
        low, high = np.nanmin(x, initial=np.inf), np.nanmax(x, initial=-np.inf)
        room = (0.1 if few else 0.03) * (high - low) or 0.5
        if low <= high:
            axes.set_xlim(low - room, high + room)
        if (x % 1 == 0).all():
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        set_title(axes, title)


def draw_classes_over_count(
    path: Path, title: str, names: Sequence[str], counts: np.ndarray, values: np.ndarray, label: str
) -> None:
    """Draw a number of each class over how many ground truths it has, and name the classes at the edges.

    Args:
        path (Path): File to write.
        title (str): What it shows.
        names (Sequence[str]): (C,) class names.
        counts (np.ndarray): (C,) ground truths, at least one.
        values (np.ndarray): (C,) finite numbers.
        label (str): What the numbers are.

    Raises:
        InputError: If the file cannot be written.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    with figure(path, (7.2, 4.8)) as axes:
        axes.axhline(values.mean(), color=GREY, ls=':', lw=1.2)
        axes.plot(counts, values, 'o', ms=5.5, color=BLUE, alpha=0.65, mec='white', mew=0.5)
        wide = counts.max() >= 4 * counts.min()
        if wide:
            axes.set_xscale('log')
            steps = (1, 2, 5) if counts.max() <= 200 * counts.min() else (1,)
            axes.xaxis.set_major_locator(LogLocator(subs=steps))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.xaxis.get_major_locator().set_params(integer=True)
        axes.xaxis.set_major_formatter(_count)
        axes.set(xlabel=f'ground truths of the class{" (logarithmic)" if wide else ""}', ylabel=label)
        low, high = _span(values)
        axes.set_ylim(low - 0.03 * (high - low), high)
        axes.margins(x=0.06)
        axes.grid(alpha=0.3)
        set_title(axes, f'{title}, mean {told(values.mean(keepdims=True))[0]} (dotted)')
        _name_points(axes, names, counts, values)


def _name_points(axes: Any, names: Sequence[str], counts: np.ndarray, values: np.ndarray, each: int = 4) -> None:
    """Name the points at the edges as far as names do not cover one another or leave the axes."""
    chosen: list[int] = []
    for key in (-values, values, -counts, counts):
        chosen += np.lexsort((counts, key))[:each].tolist()
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()  # places are known only now
    renderer = canvas.get_renderer()
    frame, taken = axes.get_window_extent(renderer), []
    points = axes.transData.transform(np.stack([counts, values], axis=1))
    for row in dict.fromkeys(chosen):
        for dx, dy, side in ((6, 0, 'left'), (-6, 0, 'right'), (0, 7, 'center'), (0, -13, 'center'), (6, 7, 'left')):
            note = axes.annotate(
                short_name(names[row]),
                (counts[row], values[row]),
                (dx, dy),
                textcoords='offset points',
                ha=side,
                va='center' if dy == 0 else 'baseline',
                fontsize=7,
                color='#333333',
                bbox={'color': 'white', 'alpha': 0.7, 'pad': 0.4},
            )
            box = note.get_window_extent(renderer).padded(1.5)
            inside = box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
            others = np.delete(points, row, axis=0)
            covers = ((others > (box.x0, box.y0)) & (others < (box.x1, box.y1))).all(axis=1).any()
            if inside and not covers and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            note.remove()


def draw_class_bars(
    path: Path, title: str, names: Sequence[str], counts: np.ndarray | None, values: np.ndarray, label: str
) -> None:
    """Draw a number of each class as bars, the best first; of many classes the best and the worst.

    Args:
        path (Path): File to write.
        title (str): What it shows.
        names (Sequence[str]): (C,) class names.
        counts (np.ndarray | None): (C,) ground truths, written behind the names. None writes nothing.
        values (np.ndarray): (C,) finite numbers.
        label (str): What the numbers are.

    Raises:
        InputError: If the file cannot be written.
    """
    order = np.lexsort((np.arange(len(values)), -values))
    half = MOST_BARS // 2
    parts = [('', order)]
    if len(order) > MOST_BARS:
        parts = [(f'the {half} best of {len(order)}', order[:half]), (f'the {half} worst', order[-half:])]
    rows = max(len(part) for _, part in parts)
    low, high = _span(values)
    with figure(path, (5.6 * len(parts), 1.3 + 0.2 * max(rows, 3)), len(parts)) as axes:
        for axis, (name, part), color in zip(np.atleast_1d(axes), parts, (BLUE, ORANGE)):
            bars = axis.barh(range(len(part)), values[part], 0.78, color=color)
            axis.bar_label(bars, told(values[part]), padding=3, fontsize=7)
            ticks = [short_name(names[row], 30) for row in part]
            if counts is not None:
                ticks = [f'{tick} ({int(counts[row]):,})' for tick, row in zip(ticks, part)]
            axis.set_yticks(range(len(part)), ticks, fontsize=7.5)
            axis.set_ylim(len(part) - 0.4, -0.6)
            axis.set_xlim(low, high)
            axis.grid(axis='x', alpha=0.3)
            axis.set_xlabel(label)
            axis.set_title(name, fontsize=9, fontweight='normal')
        set_title(np.atleast_1d(axes)[0], title + (' (in brackets: ground truths)' if counts is not None else ''))


def draw_bars(
    path: Path, title: str, groups: Sequence[str], series: Mapping[str, np.ndarray], *, x_label: str, y_label: str
) -> None:
    """Draw numbers of groups as bars, lying ones where the names are long or many; a missing value is a gap.

    Args:
        path (Path): File to write.
        title (str): What it shows.
        groups (Sequence[str]): (B,) names of the groups, at least one.
        series (Mapping[str, np.ndarray]): (B,) float64 numbers by what they are, five at most; NaN is missing.
        x_label (str): What the groups are.
        y_label (str): What all the numbers are.

    Raises:
        InputError: If the file cannot be written.
    """
    width, places = 0.82 / len(series), np.arange(len(groups))
    inches = min(max(0.5 + len(groups) * max(0.34 * len(series), 0.62), 5.0), 14.0)
    room = int((inches - 0.8) / len(groups) * 11)
    longest = max(len(word) for group in groups for word in group.split())
    lying = max(map(len, groups)) > 2 * room or longest > max(room, 6) or len(groups) > 16
    size = (7.4, 1.4 + len(groups) * max(0.15 * len(series), 0.22)) if lying else (inches, 4.2)
    with figure(path, size) as axes:
        for number, (name, values) in enumerate(series.items()):
            shift = (number - (len(series) - 1) / 2) * width
            draw = axes.barh if lying else axes.bar
            bars = draw(places + shift, values, width * 0.94, color=SERIES[number], label=name)
            axes.bar_label(bars, told(values), padding=2, fontsize=7 if len(series) < 3 else 6)
        limits = _span(np.concatenate(list(series.values())))
        if lying:
            axes.set_yticks(places, [short_name(group, 68) for group in groups], fontsize=7.5)
            axes.set(xlabel=y_label, ylabel=x_label, xlim=limits, ylim=(len(groups) - 0.4, -0.6))
        else:
            ticks = [textwrap.fill(group, max(room, 6), break_long_words=False) for group in groups]
            axes.set_xticks(places, ticks, fontsize=8)
            axes.set(xlabel=x_label, ylabel=y_label, xlim=(-0.6, len(groups) - 0.4), ylim=limits)
        if limits[0] < 0:
            (axes.axvline if lying else axes.axhline)(0, color=GREY, lw=0.8)
        axes.grid(axis='x' if lying else 'y', alpha=0.3)
        if len(series) > 1:
            axes.figure.legend(loc='outside lower center', ncols=len(series), fontsize=8)
        set_title(axes, title)


def floats(values: Sequence[float | None]) -> np.ndarray:
    """Return numbers as float64 in which None is NaN."""
    return np.array([np.nan if value is None else value for value in values], np.float64)


def told(values: np.ndarray) -> list[str]:
    """Return numbers as text: those up to 1 with three digits behind the point, NaN as nothing."""
    small = np.nanmax(np.abs(values), initial=0) <= 1 and (values % 1 != 0).any()
    return ['' if math.isnan(value) else f'{value:.3f}' if small else f'{value:,.4g}' for value in values.tolist()]


def _count(value: float, _: int) -> str:
    return f'{value:,.0f}'


def _span(values: np.ndarray) -> tuple[float, float]:
    """Return limits of an axis that begins at 0 where nothing is negative, with room for labels above."""
    finite = values[np.isfinite(values)]
    high, low = max(float(finite.max(initial=0)), 0.0), min(float(finite.min(initial=0)), 0.0)
    room = 0.12 * ((high - low) or 1.0)
    return low - (room if low < 0 else 0), high + room
