"""Figures of annotation statistics, after those of the SEAL paper."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .figure import BLUE, GREEN, GREY, ORANGE, RED, SKY, figure, short_name

MOST_FREQUENT = 100  # of the complex activities in Fig. 2b
GROUP_NAMES = {'pose': 'pose', 'pp': 'person-person', 'po': 'person-object', '': 'action'}
GROUP_COLORS = {'pose': BLUE, 'pp': RED, 'po': GREEN, '': SKY}


def draw_class_lengths(
    path: str | os.PathLike,
    mean_s: np.ndarray,
    names: Sequence[str],
    groups: Sequence[str] | None = None,
    *,
    title: str,
    max_classes: int = 200,
) -> None:
    """Draw the mean length of each class, longest first, coloured by group (Fig. 2).

    Args:
        path (str | os.PathLike): PNG to write.
        mean_s (np.ndarray): (C,) seconds; NaN for classes that are left out.
        names (Sequence[str]): (C,) class names.
        groups (Sequence[str] | None): (C,) groups of atomic classes. Defaults to None, no groups.
        title (str): What it shows.
        max_classes (int): At most this many, the longest. Defaults to 200.

    Raises:
        InputError: If the file cannot be written.
    """
    order = np.argsort(-np.nan_to_num(mean_s, nan=-1), kind='stable')[: int(np.isfinite(mean_s).sum())][:max_classes]
    told = np.array([groups[label] if groups is not None else '' for label in order], str)
    with figure(path, (11, 4.2)) as axes:
        places = np.arange(len(order))
        for group in [group for group in GROUP_COLORS if (told == group).any()]:
            mine = told == group
            label = f'{GROUP_NAMES[group]} ({mine.sum()})' if groups is not None else None
            axes.bar(places[mine], mean_s[order[mine]], 0.9, color=GROUP_COLORS[group], label=label)
        _class_axis(axes, [names[label] for label in order])
        axes.set_ylabel('mean length in seconds')
        if len(order):
            span = f'{mean_s[order[-1]]:.1f} to {mean_s[order[0]]:.1f} s'
            axes.set_title(f'{title}: {span}, {len(order)} classes')
            axes.grid(axis='y', alpha=0.3)
        if groups is not None and len(order):
            axes.legend(loc='upper right')


def _class_axis(axes: Any, names: Sequence[str]) -> None:
    """Name the classes along x as far as there is room."""
    step = -(-len(names) // 60) or 1
    axes.set_xlim(-0.8, max(len(names), 1) - 0.2)
    axes.set_xticks(
        range(0, len(names), step),
        [short_name(name) for name in names[::step]],
        rotation=90,
        fontsize=6.5 if step > 1 else 7,
    )
    axes.set_xlabel('class' if step == 1 else f'class (every {_ordinal(step)} one is named)')


def _ordinal(number: int) -> str:
    return {2: 'second', 3: 'third', 4: 'fourth', 5: 'fifth'}.get(number, f'{number}th')


def draw_frequencies(
    path: str | os.PathLike,
    counts: np.ndarray,
    names: Sequence[str],
    groups: Sequence[str],
    fit: Mapping[str, float],
    *,
    title: str,
) -> None:
    """Draw how often each class occurs, most frequent first, and on logarithmic axes with Zipf's law (Fig. 3).

    Args:
        path (str | os.PathLike): PNG to write.
        counts (np.ndarray): (C,) occurrences.
        names (Sequence[str]): (C,) class names.
        groups (Sequence[str]): (C,) groups.
        fit (Mapping[str, float]): ``slope``, ``intercept`` and ``r2`` of the fit to log10 of counts and ranks.
        title (str): What it shows.

    Raises:
        InputError: If the file cannot be written.
    """
    order = np.argsort(-counts, kind='stable')[: int((counts > 0).sum())]
    told = np.array([groups[label] for label in order], str)
    with figure(path, (12, 4.2), columns=2) as (left, right):
        ranks = np.arange(1, len(order) + 1)
        for group in [group for group in GROUP_COLORS if (told == group).any()]:
            mine = told == group
            label = f'{GROUP_NAMES[group]} ({mine.sum()})'
            left.bar(ranks[mine] - 1, counts[order[mine]], 0.9, color=GROUP_COLORS[group], label=label)
            right.plot(ranks[mine], counts[order[mine]], 'o', ms=4, color=GROUP_COLORS[group])
        _class_axis(left, [names[label] for label in order])
        left.set_ylabel('person-clips')
        left.yaxis.set_major_formatter(_thousands)
        left.set_title(title)
        left.grid(axis='y', alpha=0.3)
        if len(order):
            left.legend(loc='upper right')
            right.loglog()
        if np.isfinite(fit['slope']):
            line = 10 ** (fit['intercept'] + fit['slope'] * np.log10(ranks))
            right.plot(ranks, line, color=GREY, label=f'slope {fit["slope"]:.2f}, R² {fit["r2"]:.3f}')
            right.legend(loc='lower left')
        right.set(xlabel='rank', ylabel='person-clips')
        right.set_title('Over rank (Zipf: a line of slope -1)')
        right.grid(which='both', alpha=0.2)


def draw_histograms(
    path: str | os.PathLike, lengths_s: Mapping[str, np.ndarray], per_tube: Mapping[str, np.ndarray]
) -> None:
    """Draw how long instances are and how many a tubelet has, of both tasks (Fig. 4).

    Args:
        path (str | os.PathLike): PNG to write.
        lengths_s (Mapping[str, np.ndarray]): Seconds of the instances of ``'atomic'`` and ``'complex'``.
        per_tube (Mapping[str, np.ndarray]): Instances of each tubelet of both.

    Raises:
        InputError: If the file cannot be written.
    """
    tasks = (('atomic', 'atomic actions', BLUE), ('complex', 'complex activities', ORANGE))
    with figure(path, (10, 6), columns=2, rows=2) as axes:
        longest = max((float(np.quantile(values, 0.99)) for values in lengths_s.values() if len(values)), default=1.0)
        most = max((int(np.quantile(values, 0.995)) for values in per_tube.values() if len(values)), default=1)
        for row, (task, name, color) in enumerate(tasks):
            values, counts = lengths_s[task], per_tube[task]
            left, right = axes[row]
            left.hist(np.minimum(values, longest), np.linspace(0, longest, 41), color=color)
            mean = f', mean {values.mean():.2f} s' if len(values) else ''
            left.set_title(f'Length of {name}{mean}')
            left.set(xlabel=f'seconds (the last bin holds all beyond {longest:.0f})', ylabel='instances')
            right.hist(np.minimum(counts, most), np.arange(-0.5, most + 1.5), rwidth=0.85, color=color)
            mean = f', mean {counts.mean():.2f}' if len(counts) else ''
            right.set_title(f'{name.capitalize()} per tubelet{mean}')
            right.set(xlabel=f'instances (the last bar holds {most} and more)', ylabel='tubelets')
            right.xaxis.get_major_locator().set_params(integer=True)
            for axis in (left, right):
                axis.grid(axis='y', alpha=0.3)
                axis.yaxis.get_major_locator().set_params(integer=True)
                axis.yaxis.set_major_formatter(_thousands)


def _thousands(value: float, _: int) -> str:
    return f'{value:,.0f}'


def draw_box_sizes(path: str | os.PathLike, counts: np.ndarray, told: Mapping[str, float]) -> None:
    """Draw how large the boxes are beside their frame (Fig. 5a).

    Args:
        path (str | os.PathLike): PNG to write.
        counts (np.ndarray): (H, W) boxes by height and width as shares of the frame.
        told (Mapping[str, float]): ``mean_width``, ``mean_height`` and ``full_height`` as shares.

    Raises:
        InputError: If the file cannot be written.
    """
    from matplotlib.colors import LogNorm

    with figure(path, (6.2, 5.2)) as axes:
        shown = np.ma.masked_equal(counts, 0)
        norm = LogNorm(1, max(int(counts.max()), 2))
        image = axes.imshow(shown, origin='lower', extent=(0, 1, 0, 1), cmap='viridis', norm=norm, aspect='equal')
        axes.figure.colorbar(image, ax=axes, label='boxes', shrink=0.85)
        axes.plot(told['mean_width'], told['mean_height'], 'x', color=RED, ms=9, mew=2, label='mean')
        axes.set(xlabel='box width / frame width', ylabel='box height / frame height')
        axes.set_title(f'Box sizes: {told["full_height"]:.1%} as high as the frame')
        axes.legend(loc='lower right')


def draw_offsets(
    path: str | os.PathLike, offsets_px: np.ndarray, offsets_share: np.ndarray, over_px: float = 50
) -> None:
    """Draw how far people move within a second (Fig. 5b).

    Args:
        path (str | os.PathLike): PNG to write.
        offsets_px (np.ndarray): (N,) pixels of each box.
        offsets_share (np.ndarray): (N,) the same as shares of the frame's diagonal.
        over_px (float): Where SEAL has half of its boxes. Defaults to 50.

    Raises:
        InputError: If the file cannot be written.
    """
    with figure(path, (10, 3.8), columns=2) as (left, right):
        for axes, values, unit in ((left, offsets_px, 'pixels'), (right, offsets_share, 'frame diagonals')):
            limit = float(np.quantile(values, 0.995)) if len(values) else 1.0
            limit = max(limit, 1e-3)
            weights = np.full(len(values), 1 / max(len(values), 1))
            shown = np.minimum(values, limit)
            axes.hist(shown, np.linspace(0, limit, 61), weights=weights, color=SKY)
            axes.set(xlabel=f'largest distance of two centres within 1 s, in {unit}', ylabel='share of boxes')
            axes.grid(axis='y', alpha=0.3)
            if len(values):
                axes.axvline(float(np.median(values)), color=GREY, ls=':', label=f'median {np.median(values):.3g}')
        share = float((offsets_px > over_px).mean()) if len(offsets_px) else 0.0
        left.axvline(over_px, color=RED, label=f'{share:.1%} move more than {over_px:g}\n(SEAL: 50 %)')
        left.set_title('How far people move in pixels')
        right.set_title('How far people move, of the frame diagonal')
        left.legend(loc='upper right')
        if len(offsets_share):
            right.legend(loc='upper right')


def draw_pairs(
    path: str | os.PathLike,
    same_person: Sequence[tuple[int, int, int]],
    different_people: Sequence[tuple[int, int, int]],
    names: Sequence[str],
) -> None:
    """Draw the pairs of classes that occur together most often (Table 2).

    Args:
        path (str | os.PathLike): PNG to write.
        same_person (Sequence[tuple[int, int, int]]): Class, class, count for one person.
        different_people (Sequence[tuple[int, int, int]]): The same for two people.
        names (Sequence[str]): Class names.

    Raises:
        InputError: If the file cannot be written.
    """
    sides = (
        ('One person does both', same_person, ' + ', BLUE),
        ('Two people do one each', different_people, ' / ', ORANGE),
    )
    with figure(path, (11, 4), columns=2) as axes:
        for axis, (title, pairs, sign, color) in zip(axes, sides):
            labels = [short_name(f'{short_name(names[a])}{sign}{short_name(names[b])}', 44) for a, b, _ in pairs]
            bars = axis.barh(range(len(pairs)), [count for _, _, count in pairs], color=color)
            axis.bar_label(bars, labels=[f'{count:,}' for _, _, count in pairs], padding=3, fontsize=8)
            axis.set_yticks(range(len(pairs)), labels)
            axis.invert_yaxis()
            axis.margins(x=0.15)
            axis.set_title(title)
            axis.set_xlabel('key frames')


def draw_statistics(statistics: Any, folder: Path) -> None:
    """Draw all figures.

    Args:
        statistics (Any): ``mmtube.datasets.statistics.Statistics``.
        folder (Path): Where ``figure_2a.png`` to ``figure_5b.png`` and ``table_2.png`` go.

    Raises:
        InputError: If a file cannot be written.
    """
    names, mean_s = statistics.names, statistics.mean_s
    draw_class_lengths(
        folder / 'figure_2a.png', mean_s['atomic'], names['atomic'], statistics.groups, title='Atomic actions'
    )
    frequent = mean_s['complex'].copy()
    frequent[(-statistics.instances['complex']).argsort(kind='stable')[MOST_FREQUENT:]] = float('nan')
    draw_class_lengths(folder / 'figure_2b.png', frequent, names['complex'], title='Most frequent complex activities')
    draw_frequencies(
        folder / 'figure_3.png',
        statistics.clip_counts,
        names['atomic'],
        statistics.groups,
        statistics.zipf,
        title=f'Atomic actions in the clips of {statistics.name}',
    )
    draw_histograms(folder / 'figure_4.png', statistics.lengths_s, statistics.per_tube)
    draw_box_sizes(folder / 'figure_5a.png', statistics.sizes, statistics.size_told)
    draw_offsets(folder / 'figure_5b.png', statistics.offsets_px, statistics.offsets_share)
    draw_pairs(folder / 'table_2.png', statistics.same_person, statistics.different_people, names['atomic'])
