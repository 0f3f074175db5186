"""Charts of DETAD's error analysis: which errors a temporal detector makes, what they cost and where it fails."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError

from .evaluation_charts import floats, set_title
from .figure import BLUE, GREEN, GREY, ORANGE, RED, SKY, figure

COLORS = (GREEN, SKY, BLUE, ORANGE, RED, '#999999')
BIN_COLORS = (BLUE, ORANGE, GREEN, SKY, RED)
WHAT = {
    'coverage': 'coverage: length / duration of the video',
    'length': 'length',
    'instances': 'instances of the class in the video',
}
KEYS = (
    'kinds',
    'profile',
    'profile_counts',
    'gains_mAP_N',
    'average_mAP_N',
    'average_mAP_N_of_all_predictions',
    'missed_share',
    'characteristics',
)


def detad_charts(analysis: Mapping[str, Any]) -> dict[str, Callable[[Path, str], None]]:
    """Return the charts of an analysis by their titles, as functions of the file and the whole title.

    Args:
        analysis (Mapping[str, Any]): ``details['detad']`` of an evaluation.

    Raises:
        InputError: If something is missing from the analysis.
    """
    if not isinstance(analysis, Mapping):
        raise InputError('details.detad: must be an object')
    for key in KEYS:
        if key not in analysis:
            raise InputError(f'details.detad: {key!r} is missing')
    table = analysis['characteristics']
    for column in ('characteristic', 'bin', 'range', 'num_gt', 'missed', 'average_mAP_N'):
        if column not in table:
            raise InputError(f'details.detad.characteristics: {column!r} is missing')
    kinds = len(analysis['kinds'])
    if len(COLORS) < kinds or any(len(row) != kinds for row in analysis['profile']):
        raise InputError('details.detad.profile: every slice must have one share for each kind')
    try:
        floats([value for row in analysis['profile'] for value in row])
        floats(
            [*analysis['gains_mAP_N'].values(), *analysis['profile_counts'], *table['missed'], *table['average_mAP_N']]
        )
        floats([analysis[key] for key in ('average_mAP_N', 'average_mAP_N_of_all_predictions', 'missed_share')])
    except (TypeError, ValueError, AttributeError):
        raise InputError('details.detad: holds no numbers where it should') from None
    if len(analysis['profile']) != len(analysis['profile_counts']):
        raise InputError('details.detad.profile_counts: every slice must have one')
    charts: dict[str, Callable[[Path, str], None]] = {
        'error profile': lambda path, title: _draw_profile(path, title, analysis),
        'gain by deleting errors': lambda path, title: _draw_gains(path, title, analysis),
    }
    if table['bin']:
        base = analysis['average_mAP_N_of_all_predictions']
        charts['missed ground truth'] = lambda path, title: _draw_bins(
            path, title, table, 'missed', 'share of ground truth missed', analysis['missed_share']
        )
        charts['sensitivity of average mAP_N'] = lambda path, title: _draw_bins(
            path, title, table, 'average_mAP_N', 'average mAP_N', base
        )
    return charts


def _draw_profile(path: Path, title: str, analysis: Mapping[str, Any]) -> None:
    counts = np.asarray(analysis['profile_counts'], np.int64)
    shares = 100 * np.stack([floats(row) for row in analysis['profile']])
    kinds = [str(kind) for kind in analysis['kinds']]
    places = np.arange(len(counts))
    with figure(path, (8.4, 4.6)) as axes:
        bottom = np.zeros(len(counts))
        for number, kind in enumerate(kinds):
            values = np.nan_to_num(shares[:, number])
            bars = axes.bar(
                places, values, 0.86, bottom, color=COLORS[number], label=kind, edgecolor='white', linewidth=0.6
            )
            dark = number in (0, 2, 4)
            texts = [f'{value:.0f}' if value >= 5 else '' for value in values]
            axes.bar_label(bars, texts, label_type='center', fontsize=7, color='white' if dark else 'black')
            bottom += values
        axes.set_xticks(
            places, [f'{place + 1} G\n{count:,}' for place, count in enumerate(counts.tolist())], fontsize=8
        )
        axes.set(xlabel='slice of the ranked predictions of a class with G ground truths, predictions in it')
        axes.set(ylabel='share of predictions in %', ylim=(0, 100), xlim=(-0.6, len(counts) - 0.4))
        axes.figure.legend(*_reversed(axes), loc='outside right center', fontsize=8.5)
        set_title(axes, title)


def _reversed(axes: Any) -> tuple[list, list]:
    handles, labels = axes.get_legend_handles_labels()
    return handles[::-1], labels[::-1]


def _draw_gains(path: Path, title: str, analysis: Mapping[str, Any]) -> None:
    gains = {str(name): value for name, value in analysis['gains_mAP_N'].items()}
    values = 100 * floats(list(gains.values()))
    with figure(path, (6.4, 4.2)) as axes:
        bars = axes.bar(range(len(gains)), values, 0.7, color=COLORS[1 : len(gains) + 1])
        axes.bar_label(bars, [f'+{value:.2f}' for value in values], padding=2, fontsize=8.5)
        axes.set_xticks(range(len(gains)), [textwrap.fill(name, 12) for name in gains])
        axes.set_ylim(
            min(0.0, float(np.nanmin(values, initial=0))), max(float(np.nanmax(values, initial=0)) * 1.14, 0.1)
        )
        axes.set_ylabel('gain of average mAP_N in points')
        axes.set_xlabel(
            f'error whose predictions are deleted (average mAP_N now {100 * analysis["average_mAP_N"]:.2f})'
        )
        axes.grid(axis='y', alpha=0.3)
        set_title(axes, title)


def _draw_bins(path: Path, title: str, table: Mapping[str, Sequence], key: str, label: str, base: float) -> None:
    names = list(dict.fromkeys(table['characteristic']))
    rows = {name: [place for place, other in enumerate(table['characteristic']) if other == name] for name in names}
    bins = max(len(places) for places in rows.values())
    with figure(path, (max(0.78 * sum(map(len, rows.values())), 5.5), 4.0), len(names)) as all_axes:
        top = float(np.nanmax([*floats(table[key]), base], initial=0.0)) or 0.1
        for number, (axes, (name, places)) in enumerate(zip(np.atleast_1d(all_axes), rows.items())):
            values = floats([table[key][place] for place in places])
            bars = axes.bar(range(len(places)), values, 0.78, color=BIN_COLORS[number % len(BIN_COLORS)])
            axes.axhline(base, color=GREY, ls='--', lw=1)
            texts = ['' if np.isnan(value) else f'{value:.2f}' for value in values]
            for text in axes.bar_label(bars, texts, padding=3, fontsize=8):
                text.set_bbox({'color': 'white', 'pad': 0.3, 'alpha': 0.85})
            ticks = [
                f'{table["bin"][place]}\n{_short(str(table["range"][place]))}\n({table["num_gt"][place]:,})'
                for place in places
            ]
            axes.set_xticks(range(len(places)), ticks, fontsize=7.5)
            axes.set_xlim(-0.6, bins - 0.4 if len(names) == 1 else len(places) - 0.4)
            axes.set_ylim(0, top * 1.12)
            axes.set_xlabel(WHAT.get(name, str(name)), fontsize=8.5)
            axes.grid(axis='y', alpha=0.3)
            if number == 0:
                axes.set_ylabel(f'{label}\n(dashed: of all {base:.3f})')
        set_title(np.atleast_1d(all_axes)[0], f'{title} (in brackets: ground truths)')


def _short(text: str) -> str:
    """Return a range as it fits under a bar: 30–60 s for "30 to 60 s"."""
    return text.replace('up to ', '≤ ').replace('over ', '> ').replace(' to ', '–')
