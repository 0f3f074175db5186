"""Compare two results of tools/evaluate.py --json on the same ground truth.

    python tools/analysis/compare.py A.json B.json [--sort delta] [--csv classes.csv] [--json comparison.json]

Prints the headline numbers of both and the classes side by side, with B - A. Where the results have evidence beside
them (A.evidence.npz), the difference has a confidence interval: the videos (or samples) are drawn with replacement many
times, the same for both runs, and the metric is computed each time. A star marks an interval that leaves out 0. Numbers
are times 100; counts and times are as they are.
"""

from __future__ import annotations

import argparse
import csv
import io
import json

from mmtube.errors import InputError, exit_on_input_error
from mmtube.evaluation.comparison import Comparison, Difference, compare, read_run
from mmtube.evaluation.result import UNITS
from mmtube.fileio import check_writable, write_text

MAX_NAME = 60
SORTS = {
    'delta': lambda row: (row.delta is None, -(row.delta or 0.0), row.name),
    'class': lambda row: row.name,
    'num_gt': lambda row: (-(row.num_gt or 0), row.name),
}


def number(name: str, value: float | None, sign: str = '') -> str:
    """Return a number as the results print it."""
    if value is None:
        return '-'
    if isinstance(value, int):
        return f'{value:{sign},d}'
    return f'{value:{sign}.3f}' if name.endswith(UNITS) else f'{100 * value:{sign}.2f}'


def row(name: str, item: Difference) -> list[str]:
    """Return the cells of a difference; ``name`` says the unit."""
    interval = ''
    if item.low is not None and item.high is not None:
        interval = f'[{number(name, item.low, "+")}, {number(name, item.high, "+")}]'
    cells = [number(name, item.a), number(name, item.b), number(name, item.delta, '+'), interval]
    return [*cells, '*' if item.significant else '']


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Lay out cells in columns: the first to the left, the others to the right; a long name moves only its own line."""
    widths = [max(len(line[column]) for line in [header, *rows]) for column in range(len(header))]
    widths[0] = min(widths[0], MAX_NAME)
    lines = []
    for line in [header, *rows]:
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ]
        lines.append('  '.join(cells).rstrip())
    return lines


def text(found: Comparison, args: argparse.Namespace) -> str:
    """Return what is printed."""
    interval = f'{100 * args.level:g} % of B - A'
    lines = [f'{found.protocol}: {found.convention}', f'A: {args.a}', f'B: {args.b}']
    lines += [f'note: {note}' for note in found.notes]
    header = ['metric', 'A', 'B', 'B - A', interval, '']
    lines += ['', *table(header, [[item.name, *row(item.name, item)] for item in found.headline])]
    if found.classes:
        header = [f'class, by {found.metric}', 'num_gt', 'A', 'B', 'B - A', interval, '']
        rows = [
            [item.name, '-' if item.num_gt is None else f'{item.num_gt:,d}', *row(found.metric, item)]
            for item in found.classes
        ]
        lines += ['', *table(header, rows)]
    return '\n'.join(lines)


def records(items: list[Difference]) -> list[dict]:
    """Return differences as JSON types."""
    names = ('name', 'num_gt', 'a', 'b', 'delta', 'low', 'high', 'significant')
    return [{name: getattr(item, name) for name in names} for item in items]


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('a', metavar='A.json')
    parser.add_argument('b', metavar='B.json')
    parser.add_argument(
        '--metric', metavar='NAME', help='by which classes are compared (default: that of the evidence)'
    )
    parser.add_argument('--replicates', type=int, default=1000, metavar='N', help='samples drawn (default: 1000)')
    parser.add_argument('--seed', type=int, default=0, help='the same seed gives the same intervals (default: 0)')
    parser.add_argument('--level', type=float, default=0.95, help='of the intervals (default: 0.95)')
    parser.add_argument(
        '--sort', choices=SORTS, default='delta', help='order of the classes (default: delta, gains first)'
    )
    parser.add_argument('--force', action='store_true', help='compare results that do not belong together')
    parser.add_argument('--json', metavar='OUT', help='write all numbers')
    parser.add_argument('--csv', metavar='OUT', help='write the classes')
    return parser.parse_args()


def main() -> None:
    """Command line."""
    args = parse_args()
    if args.replicates < 1 or args.seed < 0 or not 0 < args.level < 1:
        raise InputError('--replicates must be at least 1, --seed at least 0, --level between 0 and 1')
    for path in filter(None, (args.json, args.csv)):
        check_writable(path)
    options = {'replicates': args.replicates, 'seed': args.seed, 'level': args.level, 'force': args.force}
    found = compare(read_run(args.a), read_run(args.b), args.metric, **options)
    found.classes.sort(key=SORTS[args.sort])
    print(text(found, args))
    if args.json:
        facts = {'protocol': found.protocol, 'convention': found.convention, 'a': args.a, 'b': args.b, **options}
        facts |= {'notes': found.notes, 'metric': found.metric, 'headline': records(found.headline)}
        write_text(args.json, json.dumps({**facts, 'classes': records(found.classes)}, indent=1) + '\n')
    if args.csv:
        stream = io.StringIO()
        names = ('name', 'num_gt', 'a', 'b', 'delta', 'low', 'high', 'significant')
        writer = csv.DictWriter(stream, names, lineterminator='\n')
        writer.writeheader()
        writer.writerows(records(found.classes))
        write_text(args.csv, stream.getvalue())


if __name__ == '__main__':
    exit_on_input_error(main)
