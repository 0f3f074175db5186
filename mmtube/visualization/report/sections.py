"""The parts of the page: what is told of one result, how results compare, how a training went."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..figure import readable
from .charts import MAX_LINES, Series, line_chart
from .figures import figure
from .markup import Html, breakable, join, slug, tag, text
from .numbers import MINUS, NOTHING, is_number, metric_style
from .run import Run
from .tables import data_table, pairs_table
from .thumbnails import Picture
from .training import Training

MAX_CARDS = 12
MAX_JSON = 4000  # letters of details that are shown
SHORT_HASH = 12
Part = tuple[str, str, Html]  # id, heading, content


def run_parts(run: Run, key: str) -> list[Part]:
    """Return the parts of a result that have something to show.

    Args:
        run (Run): The result.
        key (str): What the IDs of its parts begin with.

    Raises:
        InputError: If a figure is no SVG.
    """
    tables = run.part('tables')
    metrics = set(run.part('metrics'))
    figures = join(figure(svg, f'{key}-f{number}', title) for number, (title, svg) in enumerate(run.figures.items()))
    rest = [name for name in tables if name not in ('classes', 'worst')]
    parts = {
        'Numbers': join([headline(run), counts(run), notes(run), more_numbers(run)]),
        'Figures': tag('div', figures, class_='figures') if figures else Html(''),
        'Classes': data_table('Classes', tables['classes'], metrics=metrics, bars=True) if 'classes' in tables else '',
        'Tables': join(data_table(_title(name), tables[name], metrics=metrics, bars=True) for name in rest),
        'Worst': worst(run),
        'Details': details(run.part('details')),
        'Files': files(run),
    }
    return [(f'{key}-{slug(name)}', name, content) for name, content in parts.items() if content]


def _title(name: str) -> str:
    name = readable(name, units=False)
    return name[:1].upper() + name[1:]


def headline(run: Run) -> Html | None:
    """Return the first dozen headline numbers as cards, the first one large."""
    cards = []
    for name, value in list(run.part('metrics').items())[:MAX_CARDS]:
        style = metric_style(name, value)
        number = tag('dd', style(value), tag('span', style.unit, class_='unit') if style.unit else None)
        cards.append(tag('div', tag('dt', breakable(name)), number, title=f'{value!r}' if style.unit == '%' else None))
    return tag('dl', *cards, class_='cards') if cards else None


def more_numbers(run: Run) -> Html | None:
    """Return the headline numbers that have no card."""
    rows = [(name, _with_unit(name, value)) for name, value in list(run.part('metrics').items())[MAX_CARDS:]]
    return pairs_table('More numbers', rows, ('number', 'value'), numbers=True) if rows else None


def _with_unit(name: str, value: float) -> str:
    style = metric_style(name, value)
    return f'{style(value)} {style.unit}'.strip()


def counts(run: Run) -> Html | None:
    """Return what went in."""
    told = run.part('counts').items()
    items = [
        tag('li', tag('b', f'{value:,d}' if isinstance(value, int) else value), ' ', _count_name(name))
        for name, value in told
    ]
    return tag('ul', *items, class_='counts', aria_label='What was counted') if items else None


def _count_name(name: str) -> str:
    return name.replace('_', ' ')


def notes(run: Run) -> Html | None:
    """Return what was left out or looks odd."""
    items = [tag('li', note) for note in run.part('notes')]
    return tag('ul', *items, class_='notes', aria_label='Notes') if items else None


def worst(run: Run) -> Html:
    """Return the worst tubes: pictures grouped by what went wrong, then all as a table."""
    if not any(map(len, run.worst.values())):
        return Html('')
    groups: dict[str, list[Html]] = {}
    missing: dict[str, list[int]] = {}
    for row, picture in sorted(run.pictures.items()):
        kind, _, rest = str(run.worst['text'][row]).partition(':')
        if isinstance(picture, Picture):
            groups.setdefault(kind if rest else 'others', []).append(_picture(run, row, picture, rest.strip() or kind))
        else:
            missing.setdefault(picture, []).append(row + 1)
    pictures = []
    for kind, cards in groups.items():
        heading = tag('h4', _title(kind)) if len(groups) > 1 or kind != 'others' else None
        pictures.append(join([heading, tag('ul', *cards, class_='pictures')]))
    reasons = [tag('li', f'no picture of {_numbers(rows)}: {reason}') for reason, rows in missing.items()]
    note = tag('ul', *reasons, class_='notes', aria_label='Missing pictures') if reasons else None
    if not run.pictures:
        note = tag('p', 'No pictures: no folder of films was given (--videos).', class_='aside')
    columns = {'#': list(range(1, len(run.worst['text']) + 1)), 'text': run.worst['text']}
    columns |= {
        name: values for name, values in run.worst.items() if name != 'text' and any(v is not None for v in values)
    }
    told = '# is the number under the picture' if pictures else None
    return join([note, *pictures, data_table('Worst', columns, note=told)])


def _numbers(rows: Sequence[int]) -> str:
    return ', '.join(f'#{row}' for row in rows)


def _picture(run: Run, row: int, picture: Picture, told: str) -> Html:
    video, time_s = run.worst['video'][row], run.worst['time_s'][row]
    when = f'{time_s:.2f} s' if is_number(time_s) else 'time unknown'
    source = Html('data:image/jpeg;base64,' + b64encode(picture.jpeg).decode('ascii'))
    alt = f'{told}, {video} at {when}'
    image = tag('img', src=source, width=picture.width, height=picture.height, alt=alt)
    where = tag('small', f'#{row + 1} · {video} · {when}', f' · {picture.note}' if picture.note else None)
    return tag('li', tag('figure', image, tag('figcaption', told, where)))


def details(values: Mapping[str, Any]) -> Html:
    """Return what only this protocol has: single values as a table, the rest as JSON that can be opened."""
    single = [(name, _plain(value)) for name, value in values.items() if not isinstance(value, (dict, list))]
    parts = [pairs_table('Details', single, ('name', 'value'))] if single else []
    for name, value in values.items():
        if isinstance(value, (dict, list)):
            written = json.dumps(value, ensure_ascii=False, indent=1)
            if len(written) > MAX_JSON:
                written = json.dumps(value, ensure_ascii=False, separators=(', ', ': '))
            cut = len(written) - MAX_JSON
            told = f' … {cut:,d} more characters are in the file' if cut > 0 else ''
            opened = tag('summary', name, tag('span', f' {len(value):,d} entries', class_='aside'))
            parts.append(tag('details', opened, tag('pre', written[:MAX_JSON], told, tabindex='0')))
    return join(parts)


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f'{value:.6g}'.replace('-', MINUS)
    return NOTHING if value is None else str(value)


def files(run: Run) -> Html:
    """Return the files and options that made the result."""
    found: dict[str, dict[str, Any]] = {'result': {'path': run.path, **run.facts}}
    options: list[tuple[object, ...]] = []
    for name, value in run.part('inputs').items():
        if isinstance(value, dict) and 'path' in value:
            found[readable(name, units=False)] = value
        elif isinstance(value, dict):
            options += [(key, _option(entry)) for key, entry in value.items()]
        else:
            options.append((name, _option(value)))
    keys = list(dict.fromkeys(key for facts in found.values() for key in facts))
    rows = [(name, *(_fact(key, facts.get(key)) for key in keys)) for name, facts in found.items()]
    tables = [pairs_table('Files', rows, ('file', *(readable(key, units=False) for key in keys)))]
    return join([*tables, pairs_table('Options', options, ('option', 'value')) if options else None])


def _fact(name: str, value: object) -> Html:
    told = NOTHING if value is None else str(value)
    if name == 'sha256' and value is not None:
        return tag('code', told[:SHORT_HASH], tag('span', told[SHORT_HASH:], class_='rest'), class_='hash')
    return tag('code', told, class_='path') if name == 'path' else text(told)


def _option(value: object) -> Html:
    if value is None:
        return tag('span', 'not given', class_='aside')
    return tag('code', value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def comparison(runs: Sequence[Run]) -> Html:
    """Return one table for each protocol that several results have: the numbers they share and the differences.

    What makes the numbers differ for another reason than the predictions, another convention or another ground truth,
    is told above the table.
    """
    parts = []
    alone = []
    for protocol, headline in dict.fromkeys((run.protocol, next(iter(run.part('metrics')), '')) for run in runs):
        group = [run for run in runs if run.protocol == protocol and next(iter(run.part('metrics')), '') == headline]
        shared = [name for name in group[0].part('metrics') if all(name in run.part('metrics') for run in group)]
        if len(group) < 2 or not shared:
            alone += group
            continue
        rows = [(name, *_compared(name, [run.part('metrics')[name] for run in group])) for name in shared]
        warnings = [tag('li', warning) for warning in _warnings(group)]
        parts.append(tag('ul', *warnings, class_='warnings', aria_label='Warnings') if warnings else None)
        heads = ('number', *(run.title for run in group))
        parts.append(pairs_table(f'{protocol}: differences are to {group[0].title}', rows, heads, numbers=True))
    if len(alone) == len(runs):
        return tag('p', 'Every result is of another protocol or has other numbers: nothing to compare.', class_='aside')
    if alone:
        names = ', '.join(f'{run.title} ({run.protocol})' for run in alone)
        parts.append(tag('p', f'No other result has the same protocol and numbers: {names}.', class_='aside'))
    return join(parts)


def _compared(name: str, values: Sequence[float]) -> Iterable[Html]:
    style = metric_style(name, next((value for value in values if isinstance(value, float)), values[0]))
    yield text(f'{style(values[0])} {style.unit}'.strip())
    for value in values[1:]:
        change = value - values[0]
        kind = 'same' if not change else 'up' if change > 0 else 'down'
        sign = {'same': '=', 'up': '▲', 'down': '▼'}[kind]
        shown = sign if kind == 'same' else f'{sign} {style(change, sign=True)}'
        yield join([f'{style(value)} {style.unit}'.strip(), ' ', tag('span', shown, class_='change')])


def _warnings(group: Sequence[Run]) -> Iterable[str]:
    first = group[0]
    for run in group[1:]:
        if run.document.get('convention') != first.document.get('convention'):
            yield f'{run.title} was computed in another way than {first.title}; see what is said above their numbers'
        truths = [_hash(other) for other in (first, run)]
        if truths[0] != truths[1]:
            yield f'{run.title} has another ground truth than {first.title}: the files are not the same'
        elif truths[0] is None:
            yield f'whether {run.title} and {first.title} have the same ground truth is not known: no hash was kept'


def _hash(run: Run) -> str | None:
    truth = run.part('inputs').get('gt')
    return truth.get('sha256') if isinstance(truth, dict) else None


def training_charts(training: Training) -> Html:
    """Return the charts of a training: losses, then what was validated, then the rest."""
    charts: dict[str, dict[str, Series]] = {}
    for name, series in training.series.items():
        group, _, rest = name.rpartition('/')
        title = group or ('Loss' if 'loss' in name.lower() else {'lr': 'Learning rate'}.get(name, name))
        charts.setdefault(title, {})[rest if group else name] = series
    rank = {'Loss': 0, **{name.rpartition('/')[0]: 1 for name in training.series if '/' in name}}
    order = sorted(charts, key=lambda title: rank.get(title, 2))
    drawn = []
    for title in order:
        lines = sorted(charts[title].items(), key=lambda line: line[0] != 'loss')
        for start in range(0, len(lines), MAX_LINES):
            told = f'{title} ({start // MAX_LINES + 1})' if len(lines) > MAX_LINES else title
            drawn.append(line_chart(told, dict(lines[start : start + MAX_LINES]), 'iteration'))
    left_out = [tag('li', note) for note in training.notes]
    told = tag('ul', *left_out, class_='notes', aria_label='Notes') if left_out else None
    empty = None if drawn else tag('p', 'The log has no numbers.', class_='aside')
    return join([told, empty, tag('div', *drawn, class_='charts') if drawn else None])
