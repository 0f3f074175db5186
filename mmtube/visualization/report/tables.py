"""Tables of results as HTML: numbers to the right, a head that stays, ready to be sorted and filtered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..figure import readable
from .markup import Html, join, tag
from .numbers import NOTHING, Style, column_style

MAX_CELLS = 30_000  # about 1 MB
FILTER_ROWS = 9  # so many rows are worth a filter


def data_table(
    caption: str,
    columns: Mapping[str, Sequence],
    *,
    metrics: Collection[str] = (),
    bars: bool = False,
    note: str | None = None,
) -> Html:
    """Return columns as a table.

    The page's script makes it sortable, and gives a filter to long ones; without the script it is a plain table.

    Args:
        caption (str): What it shows.
        columns (Mapping[str, Sequence]): Columns of one length: str, int, float or None.
        metrics (Collection[str]): Names of headline numbers, which say what columns are fractions. Defaults to none.
        bars (bool): Whether fractions have a bar behind them. Defaults to False.
        note (str | None): A line beside the caption. Defaults to None.

    Returns:
        Html: The table in a box that scrolls. Rows beyond 30,000 cells are left out, and the note says so.
    """
    styles = {name: column_style(name, values, metrics) for name, values in columns.items()}
    rows = len(next(iter(columns.values()), ()))
    shown = min(rows, max(MAX_CELLS // max(len(columns), 1), 1))
    notes = [note] if note else []
    if shown < rows:
        notes.append(f'the first {shown:,d} of {rows:,d} rows, all are in the file')
    told = f'{rows:,d} row{"" if rows == 1 else "s"}' if rows >= FILTER_ROWS else None
    head = [_head(name, styles[name]) for name in columns]
    first = next(iter(columns), None)
    body = [
        tag('tr', *(_cell(values[row], styles[name], bars, name == first) for name, values in columns.items()))
        for row in range(shown)
    ]
    label = tag('span', '; '.join([*([told] if told else []), *notes]), class_='aside') if told or notes else None
    table = tag(
        'table',
        tag('caption', tag('span', caption, class_='name'), ' ' if label else None, label),
        tag('thead', tag('tr', *head)),
        tag('tbody', *body),
        class_='data',
        data_filter=rows >= FILTER_ROWS,
        data_sort=rows > 1,
    )
    return tag('div', table, class_='scroll high', tabindex='0', role='region', aria_label=caption)


def _head(name: str, style: Style | None) -> Html:
    unit = tag('span', f'\u2009{style.unit}', class_='unit') if style and style.unit else None
    return tag('th', readable(name, units=False), unit, scope='col', class_='number' if style else None)


def _cell(value: object, style: Style | None, bars: bool, heads_row: bool) -> Html:
    name, scope = ('th', 'row') if heads_row else ('td', None)
    if style is None:
        return tag(name, NOTHING if value is None else value, scope=scope)
    bar = None
    if bars and style.unit == '%' and value is not None and 0 <= value <= 1:
        bar = f'--bar:{100 * value:.1f}%'
    return tag(name, style(value), scope=scope, class_='number bar' if bar else 'number', style=bar)


def pairs_table(caption: str, rows: Sequence[tuple[object, ...]], heads: Sequence[str], numbers: bool = False) -> Html:
    """Return a small table whose first column names the rows.

    Args:
        caption (str): What it shows.
        rows (Sequence[tuple[object, ...]]): Entries as they are to be shown, text or :class:`Html`.
        heads (Sequence[str]): Names of the columns.
        numbers (bool): Whether the entries are numbers. Defaults to False.
    """
    kind = 'number' if numbers else None
    head = [tag('th', name, scope='col', class_=kind if place else None) for place, name in enumerate(heads)]
    body = [
        tag('tr', tag('th', row[0], scope='row'), *(tag('td', entry, class_=kind) for entry in row[1:])) for row in rows
    ]
    table = tag(
        'table',
        tag('caption', tag('span', caption, class_='name')),
        tag('thead', tag('tr', *head)),
        tag('tbody', join(body)),
        class_='data',
    )
    return tag('div', table, class_='scroll', tabindex='0', role='region', aria_label=caption)
