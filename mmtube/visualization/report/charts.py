"""Line charts in the colours of the page, light or dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .markup import Html, join, tag
from .numbers import MINUS, NOTHING

WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 24, 12, 38
MARKED = 24  # a line of so few points shows them
MAX_POINTS = 300
MAX_LINES = 7  # as many colours can be told apart
Series = tuple[Sequence[float], Sequence[float]]
Scale = Callable[[float], float]


def line_chart(title: str, lines: dict[str, Series], x_label: str, note: str = '') -> Html:
    """Return a chart with a legend that tells the last value of each line.

    Args:
        title (str): What it shows.
        lines (dict[str, Series]): By name: x, not decreasing, and y; where y is NaN the line has a gap. At most seven.
        x_label (str): Name and unit of x.
        note (str): A line beside the title. Defaults to ''.

    Returns:
        Html: A figure. A line of more than 300 points is drawn through the means of neighbours, which is said.
    """
    if len(lines) > MAX_LINES:
        raise ValueError(f'a chart has at most {MAX_LINES} lines, got {len(lines)}')
    step = max([1, *(-(-len(x) // MAX_POINTS) for x, _ in lines.values())])
    drawn = {name: _thinned(x, y, step) for name, (x, y) in lines.items()}
    finite = [(x, y) for xs, ys in drawn.values() for x, y in zip(xs, ys) if math.isfinite(y)]
    x_span = _span([x for x, _ in finite])
    x_ticks = [tick for tick in _ticks(x_span, whole=True) if x_span[0] <= tick <= x_span[1]]
    y_ticks = _ticks(_span([y for _, y in finite]))
    x_of = _scale(x_span, LEFT, WIDTH - RIGHT)
    y_of = _scale((y_ticks[0], y_ticks[-1]), HEIGHT - BOTTOM, TOP)
    grid = [tag('line', x1=LEFT, x2=WIDTH - RIGHT, y1=y_of(tick), y2=y_of(tick)) for tick in y_ticks]
    names = [tag('text', _short(tick), x=LEFT - 7, y=y_of(tick), dy='.32em', text_anchor='end') for tick in y_ticks]
    names += [tag('text', _short(tick), x=x_of(tick), y=HEIGHT - BOTTOM + 16, text_anchor='middle') for tick in x_ticks]
    names.append(tag('text', x_label, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 4, text_anchor='middle'))
    paths = [_line(xs, ys, x_of, y_of, number) for number, (xs, ys) in enumerate(drawn.values())]
    chart = tag(
        'svg',
        tag('g', *grid, class_='grid'),
        tag('g', *names, class_='ticks'),
        *paths,
        viewBox=f'0 0 {WIDTH} {HEIGHT}',
        role='img',
        aria_label=f'{title} over {x_label}',
    )
    legend = [
        tag('li', tag('i', class_=f'line-{number}'), name, ' ', tag('b', _last(y)))
        for number, (name, (_, y)) in enumerate(lines.items())
    ]
    told = '; '.join(
        [*([note] if note else []), *([f'each point is the mean of {step} logged ones'] if step > 1 else [])]
    )
    caption = tag(
        'figcaption', tag('span', title, class_='name'), tag('span', f' {told}', class_='aside') if told else None
    )
    return tag('figure', caption, chart, tag('ul', join(legend), class_='legend'), class_='chart')


def _thinned(x: Sequence[float], y: Sequence[float], step: int) -> Series:
    """Put the means of ``step`` neighbours in place of points; one value that is no number makes a gap of them."""
    if step == 1:
        return x, y
    xs, ys = [], []
    for start in range(0, len(x), step):
        places, values = x[start : start + step], y[start : start + step]
        xs.append(sum(places) / len(places))
        ys.append(sum(values) / len(values))
    return xs, ys


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = 0.0 if low < high else abs(low) / 2 or 0.5
    return low - room, high + room


def _ticks(span: tuple[float, float], whole: bool = False) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(*span).tolist()


def _scale(span: tuple[float, float], start: float, end: float) -> Scale:
    factor = (end - start) / (span[1] - span[0])
    return lambda value: round(start + (value - span[0]) * factor, 1)


def _line(xs: Sequence[float], ys: Sequence[float], x_of: Scale, y_of: Scale, number: int) -> Html:
    """Return a path with gaps; a point without neighbours is a dot, and so are all of a short line."""
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys):
        if math.isfinite(y):
            parts[-1].append((x_of(x), y_of(y)))
        elif parts[-1]:
            parts.append([])
    drawn = ''.join('M' + 'L'.join(f'{x:g},{y:g}' for x, y in part) for part in parts if len(part) > 1)
    dots = [point for part in parts if len(part) == 1 or len(xs) <= MARKED for point in part]
    path = tag('path', d=drawn, class_=f'line-{number}') if drawn else None
    return join([path, *(tag('circle', cx=x, cy=y, r=3, class_=f'line-{number}') for x, y in dots)])


def _short(value: float) -> str:
    return f'{value:,.0f}' if abs(value) >= 1000 and value == round(value) else f'{value:.4g}'.replace('-', MINUS)


def _last(values: Sequence[float]) -> str:
    value = next((value for value in reversed(values) if math.isfinite(value)), None)
    return NOTHING if value is None else f'{value:.4g}'.replace('-', MINUS)
