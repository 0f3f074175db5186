"""One picture of a film: who is seen when and does what."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.fileio import atomic_path
from mmtube.structures import VideoResult

from .lanes import Lane, lanes, presence, shot_changes_s
from .palette import person_rgb, text_rgb

WIDTH_IN, LEFT_IN, RIGHT_IN, DPI = 14.0, 2.6, 0.9, 100
LANE_IN, GAP_IN, TOP_IN, BOTTOM_IN = 0.19, 0.12, 1.0, 0.75
MAX_PEOPLE, MAX_LANES, MAX_LANES_IN_ALL, MAX_NAME = 100, 10, 150, 34
TICK_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
INK, FAINT = '#22262b', '#7b828a'


def draw_timeline(result: VideoResult, path: str | os.PathLike, min_score: float = 0.1) -> None:
    """Draw the timeline of a film as a PNG; the same result gives the same bytes.

    Each person has a row with a bar where they are seen, pale where boxes were filled in, and below it one row per
    label: the segments, or the clip scores where the film has no segments. Bars are paler for lower scores, complex
    activities are bold and outlined, vertical lines are shot changes. With many people each gets fewer labels; how
    many were left out stands at the right.

    Args:
        result (VideoResult): The film.
        path (str | os.PathLike): The PNG to write.
        min_score (float): Labels with a lower score are left out. Defaults to 0.1.

    Raises:
        InputError: If the file cannot be written.
    """
    import matplotlib  # takes a second; only this picture needs it
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with warnings.catch_warnings(), matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's own settings would make other bytes
        warnings.filterwarnings('ignore', 'Glyph')  # a name in a script that the font lacks is drawn as boxes
        figure = _figure(result, min_score)
        with atomic_path(Path(path)) as temporary:
            FigureCanvasAgg(figure).print_figure(temporary, format='png', dpi=DPI, metadata={'Software': None})


def _figure(result: VideoResult, min_score: float) -> Any:
    from matplotlib.figure import Figure

    people = [tube for tube in result.tubes if len(tube)]
    longest = sorted(people, key=lambda tube: -len(tube))[:MAX_PEOPLE]
    tubes = sorted(longest, key=lambda tube: (tube.start_s, tube.track_id))
    from_segments = any(tube.segments for tube in tubes)
    most = max(1, min(MAX_LANES, MAX_LANES_IN_ALL // max(1, len(tubes))))
    rows = [(tube, *lanes(result, tube, from_segments, most, min_score)) for tube in tubes]
    plot_in = sum((1 + len(found)) * LANE_IN + GAP_IN for _, found, _ in rows) or 1.0
    height_in = TOP_IN + plot_in + BOTTOM_IN
    figure = Figure(figsize=(WIDTH_IN, height_in), facecolor='white')
    box = (LEFT_IN / WIDTH_IN, BOTTOM_IN / height_in, 1 - (LEFT_IN + RIGHT_IN) / WIDTH_IN, plot_in / height_in)
    axes = figure.add_axes(box)
    last_s = max([result.video.duration_s, *(tube.end_s for tube in tubes)])
    axes.set_xlim(0, last_s if last_s > 0 else 1.0)
    axes.set_ylim(plot_in, 0)  # inches from the top
    _time_axis(axes, tall=plot_in > 8)
    _heading(figure, result, len(people), [lane for _, found, _ in rows for lane in found], height_in)
    top_in = 0.0
    for number, (tube, found, more) in enumerate(rows):
        bottom_in = top_in + (1 + len(found)) * LANE_IN + GAP_IN
        if number % 2 == 0:
            axes.axhspan(top_in, bottom_in, color='#f4f5f7', zorder=0, linewidth=0)
        _person(axes, tube, top_in + GAP_IN / 2, more, 1 / result.video.fps if result.video.fps > 0 else 0.0)
        for lane_ind, lane in enumerate(found, start=1):
            _lane(axes, lane, person_rgb(tube.track_id), top_in + GAP_IN / 2 + lane_ind * LANE_IN)
        top_in = bottom_in
    for time_s in shot_changes_s(result):
        axes.axvline(time_s, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.55, zorder=4)
    if not rows:
        axes.text(0.5, 0.5, 'no person found', transform=axes.transAxes, ha='center', va='center', color=FAINT, size=14)
    return figure


def _person(axes: Any, tube: Any, top_in: float, more: int, frame_s: float) -> None:
    rgb = person_rgb(tube.track_id)
    spans_s, observed = presence(tube, frame_s)
    middle_in = top_in + LANE_IN / 2
    axes.plot([spans_s[0, 0], spans_s[-1, 1]], [middle_in] * 2, color='#c3c8ce', linewidth=1, zorder=1)
    colors = _paler(rgb, np.where(observed, 1.0, 0.35))
    _bars(axes, spans_s, middle_in, 0.72 * LANE_IN, colors, _darker(rgb, 0.8), edge_pt=0.4)
    tag = {'boxstyle': 'round,pad=0.25', 'facecolor': np.array(rgb) / 255, 'edgecolor': 'none'}
    ink = np.array(text_rgb(rgb)) / 255
    left = {'transform': axes.get_yaxis_transform(), 'va': 'center', 'clip_on': False}
    axes.text(-0.012, middle_in, f'{tube.track_id}', ha='right', size=8.5, weight='bold', color=ink, bbox=tag, **left)
    if more:
        axes.text(1.006, middle_in, f'+{more} labels', ha='left', size=7.5, color=FAINT, **left)


def _lane(axes: Any, lane: Lane, rgb: tuple[int, int, int], top_in: float) -> None:
    middle_in = top_in + LANE_IN / 2
    colors = _paler(rgb, 0.25 + 0.75 * np.clip(lane.scores, 0, 1))
    edge = _darker(rgb, 0.55) if lane.is_complex else None
    _bars(axes, lane.spans_s, middle_in, 0.5 * LANE_IN, colors, edge)
    name = lane.name if len(lane.name) <= MAX_NAME else f'{lane.name[: MAX_NAME - 1]}…'
    style = {'size': 7.5, 'color': INK, 'weight': 'bold' if lane.is_complex else 'normal', 'parse_math': False}
    transform = axes.get_yaxis_transform()
    axes.text(-0.012, middle_in, name, ha='right', va='center', transform=transform, clip_on=False, **style)


def _darker(rgb: tuple[int, int, int], share: float) -> tuple[float, ...]:
    return tuple(share * value / 255 for value in rgb)


def _paler(rgb: tuple[int, int, int], strengths: np.ndarray) -> np.ndarray:
    """Mix white in, for one color per strength; transparent bars would look stronger where they overlap."""
    return 1 - strengths[:, None] * (1 - np.array(rgb) / 255)


def _bars(
    axes: Any,
    spans_s: np.ndarray,
    middle_in: float,
    thick_in: float,
    colors: np.ndarray,
    edge: tuple[float, ...] | None,
    edge_pt: float = 0.8,
) -> None:
    """Draw all bars of a row at once: a film has thousands of clips."""
    from matplotlib.collections import PolyCollection

    first_s, last_s = axes.get_xlim()
    starts_s = spans_s[:, 0]
    ends_s = np.maximum(spans_s[:, 1], starts_s + 0.0015 * (last_s - first_s))  # an instant stays visible
    x = np.stack([starts_s, ends_s, ends_s, starts_s], axis=1)
    y = np.broadcast_to(middle_in + thick_in / 2 * np.array([-1, -1, 1, 1]), x.shape)
    style = {'edgecolors': 'none' if edge is None else [edge], 'linewidths': 0 if edge is None else edge_pt}
    bars = PolyCollection(np.stack([x, y], axis=2), facecolors=colors, zorder=3, **style)
    axes.add_collection(bars, autolim=False)


def _time_axis(axes: Any, tall: bool) -> None:
    end_s = axes.get_xlim()[1]
    step_s = next((step for step in TICK_STEPS_S if end_s / step <= 14), TICK_STEPS_S[-1])
    times_s = np.arange(0, end_s + 1e-6, step_s)
    axes.set_xticks(times_s, [clock(time_s, decimals=step_s < 1) for time_s in times_s])
    axes.set_yticks([])
    axes.tick_params(axis='x', labelsize=8.5, colors=INK, length=3, labeltop=tall, top=tall)
    axes.grid(axis='x', color='#dfe3e7', linewidth=0.8, zorder=0.5)
    axes.set_axisbelow(True)
    for side in ('left', 'right', 'top'):
        axes.spines[side].set_visible(False)
    axes.spines['bottom'].set_color(FAINT)


def _heading(figure: Any, result: VideoResult, num_people: int, all_lanes: list[Lane], height_in: float) -> None:
    video = result.video
    name = video.name if len(video.name) <= 90 else f'{video.name[:89]}…'
    people = '1 person' if num_people == 1 else f'{num_people} people'
    people += f' (the {MAX_PEOPLE} seen longest are shown)' if num_people > MAX_PEOPLE else ''
    shots = f'{len(result.shots)} shots, ' if len(result.shots) > 1 else ''
    long = clock(video.duration_s, decimals=video.duration_s < 10)
    facts = f'{people}, {shots}{long} long, {video.width} × {video.height}, {video.fps:.4g} fps'
    left = 0.35 / WIDTH_IN
    figure.text(left, 1 - 0.3 / height_in, name, size=13, weight='bold', color=INK, va='center', parse_math=False)
    figure.text(left, 1 - 0.55 / height_in, facts, size=9, color=FAINT, va='center')
    key = ['upper bar: person seen, pale where filled in' if all_lanes else 'bar: person seen, pale where filled in']
    key += ['paler label: lower score'] if all_lanes else []
    key += ['bold: complex activity'] if any(lane.is_complex for lane in all_lanes) else []
    key += ['dashed line: shot change'] if len(result.shots) > 1 else []
    if num_people:
        figure.text(left, 0.22 / height_in, (5 * ' ').join(key), size=8, color=FAINT, va='center')


def clock(time_s: float, decimals: bool = False) -> str:
    """Write a time as ``m:ss``, ``h:mm:ss`` from an hour on, with tenths if asked for."""
    tenths = round(time_s * 10) if decimals else round(time_s) * 10
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f'{rest / 10:04.1f}' if decimals else f'{rest // 10:02d}'
    return f'{hours}:{minutes:02d}:{seconds}' if hours else f'{minutes}:{seconds}'
