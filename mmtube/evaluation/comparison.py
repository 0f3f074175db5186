"""Two results of one protocol on one ground truth, side by side, with how sure the differences are."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.errors import InputError

from .evidence import Evidence, read_evidence
from .paired import class_mean, evidence_values, min_units, paired_intervals, same_classes, same_units
from .result import read_document

TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Run:
    """A written result.

    Args:
        path (str): Its file.
        document (dict[str, Any]): What the file says.
        evidence (Evidence | None): What lies beside it.
    """

    path: str
    document: dict[str, Any]
    evidence: Evidence | None


@dataclass(frozen=True)
class Difference:
    """One number of two runs.

    Args:
        name (str): Metric or class.
        a (float | None): Value of the first run, None where it has none.
        b (float | None): Of the second.
        num_gt (int | None): Ground truths of the class. Defaults to None.
        low (float | None): Lower end of the interval of ``b - a``, None where there is no interval. Defaults to None.
        high (float | None): Upper end.
    """

    name: str
    a: float | None
    b: float | None
    num_gt: int | None = None
    low: float | None = None
    high: float | None = None

    @property
    def delta(self) -> float | None:
        """``b - a``, None where one of them has no value."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def significant(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Comparison:
    """Two runs.

    Args:
        protocol (str): Protocol of the first run.
        convention (str): Its convention.
        metric (str): What the classes are compared by.
        headline (list[Difference]): All headline numbers.
        classes (list[Difference]): Classes that have ground truth.
        notes (list[str]): What to tell the reader.
    """

    protocol: str
    convention: str
    metric: str
    headline: list[Difference]
    classes: list[Difference]
    notes: list[str]


def read_run(path: str | os.PathLike) -> Run:
    """Read a result and the evidence beside it.

    Raises:
        InputError: If a file is missing, is no result, or the evidence is of another result.
    """
    document = read_document(path)
    if 'evidence' not in document:
        return Run(str(path), document, None)
    beside = Path(path).with_name(Path(str(document['evidence'])).name)
    if not beside.exists():
        document.setdefault('notes', []).append(f'{beside.name} is not beside it: no confidence intervals')
        return Run(str(path), document, None)
    evidence = read_evidence(beside)
    if not evidence.units:
        raise InputError(f'{beside}: has no units')
    stated = document['metrics'].get(evidence.metric)
    mean = float(class_mean(evidence_values(evidence, np.ones((1, len(evidence.units)), np.int32)))[0])
    if stated is None or not abs(mean - stated) <= TOLERANCE:
        raise InputError(f'{beside}: is of another result: it gives {evidence.metric} {mean:.6f}, {path} {stated}')
    return Run(str(path), document, evidence)


def compare(
    a: Run,
    b: Run,
    metric: str | None = None,
    *,
    replicates: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    force: bool = False,
) -> Comparison:
    """Compare two runs.

    Args:
        a (Run): The first.
        b (Run): The second.
        metric (str | None): Headline metric, or column of the classes, by which classes are compared. Defaults to None:
            the metric of the evidence, else the first that there is.
        replicates (int): Samples of the units. Defaults to 1000.
        seed (int): The same seed gives the same intervals. Defaults to 0.
        level (float): Of the intervals. Defaults to 0.95.
        force (bool): Whether runs that do not belong together are compared all the same. Defaults to False.

    Returns:
        Comparison: Side by side.

    Raises:
        InputError: If the runs are not of one protocol, convention, ground truth and set of units, or the metric is
            unknown.
    """
    notes = _check_comparable(a, b, force)
    notes += [f'{name}: {note}' for name, run in (('A', a), ('B', b)) for note in run.document['notes']]
    sure = a.evidence is not None and b.evidence is not None and a.evidence.metric == b.evidence.metric
    if not sure:
        notes.append('there is no evidence of one metric beside both results: differences without intervals')
    evident = a.evidence.metric if sure and a.evidence is not None else None
    columns = [name for name in _number_columns(a) if name in _number_columns(b)]
    chosen = metric or evident or next(iter(columns), '')
    shared = [name for name in a.document['metrics'] if name in b.document['metrics']]
    if metric is not None and metric not in (*shared, *columns):
        known = ', '.join(dict.fromkeys([*shared, *columns]))
        raise InputError(f'--metric: both runs have no {metric!r}; there is {known}')
    one_sided = sorted(set(a.document['metrics']) ^ set(b.document['metrics']))
    if one_sided:
        notes.append(f'only one of the runs has {", ".join(one_sided)}')
    headline = [Difference(name, a.document['metrics'][name], b.document['metrics'][name]) for name in shared]
    classes: list[Difference] = []
    if evident is not None and a.evidence is not None and b.evidence is not None:
        mean, by_class = _with_intervals(a.evidence, b.evidence, replicates, seed, level, force, notes)
        low, high = map(_number, mean)
        headline = [replace(item, low=low, high=high) if item.name == evident else item for item in headline]
        if chosen == evident:
            classes = [replace(item, num_gt=_num_gt(a).get(item.name)) for item in by_class]
    if not classes:
        classes = _from_tables(a, b, chosen, notes)
    return Comparison(a.document['protocol'], a.document['convention'], chosen, headline, classes, notes)


def _class_columns(run: Run) -> dict[str, list]:
    return run.document['tables'].get('classes', {})


def _number_columns(run: Run) -> list[str]:
    """Return the columns of the classes that can be subtracted and are no counts of rows."""
    return [
        name
        for name, values in _class_columns(run).items()
        if name not in ('class', 'num_gt', 'num_pred')
        and all(value is None or isinstance(value, (int, float)) for value in values)
    ]


def _num_gt(run: Run) -> dict[str, int]:
    table = _class_columns(run)
    return dict(zip(table.get('class', []), table.get('num_gt', [])))


def _check_comparable(a: Run, b: Run, force: bool) -> list[str]:
    """Return what the runs differ in although they should not, or refuse."""
    facts = [run.document['inputs'].get('gt', {}) for run in (a, b)]
    pairs = {
        'protocol': (a.document['protocol'], b.document['protocol']),
        'convention': (a.document['convention'], b.document['convention']),
        'ground truth': tuple(fact.get('sha256') for fact in facts),
    }
    causes = []
    for what, (first, second) in pairs.items():
        if first is not None and second is not None and first != second:
            told = (f'{first[:12]}...', f'{second[:12]}...') if what == 'ground truth' else (first, second)
            causes.append(f'another {what}: {told[0]!r} and {told[1]!r}')
    if causes and not force:
        raise InputError(f'{a.path} and {b.path} have {"; ".join(causes)} (--force compares them all the same)')
    if None in pairs['ground truth']:
        causes.append('the ground truth of one of the results is not known by its hash, it is taken to be the same')
    return causes


def _with_intervals(
    a: Evidence, b: Evidence, replicates: int, seed: int, level: float, force: bool, notes: list[str]
) -> tuple[tuple[float, float], list[Difference]]:
    a, b, left_out = same_units(*same_classes(a, b), force=force)
    if left_out:
        notes.append(
            f'{len(left_out)} units are in one run only: intervals and classes are of the {len(a.units)} others'
        )
    found = paired_intervals(a, b, replicates=replicates, seed=seed, level=level)
    rows = [
        Difference(name, _number(first), _number(second), None, _number(low), _number(high))
        for name, first, second, low, high in zip(found.classes, *found.values, found.low, found.high)
        if not (math.isnan(first) and math.isnan(second))
    ]
    fewest = min_units(level)
    if math.isnan(found.mean_low):
        notes.append(f'there is ground truth in fewer than {fewest} units: no interval')
    if found.classes == ['all']:
        return (found.mean_low, found.mean_high), []
    tested = sum(row.low is not None for row in rows)
    if tested < len(rows):
        notes.append(
            f'classes without an interval, with ground truth in fewer than {fewest} units: {len(rows) - tested}'
        )
    if tested:
        marked = sum(row.significant for row in rows)
        notes.append(
            f'{marked} of {tested} classes differ at the level of {100 * level:g} %; '
            f'{tested * (1 - level):.1f} would do so by chance alone'
        )
    return (found.mean_low, found.mean_high), rows


def _from_tables(a: Run, b: Run, column: str, notes: list[str]) -> list[Difference]:
    tables = [_class_columns(run) for run in (a, b)]
    if not all(column in table for table in tables):
        if column and any(tables):
            notes.append(f'the classes have no {column}: there is {", ".join(tables[0])}')
        return []
    values = [dict(zip(table['class'], table[column])) for table in tables]
    counts = _num_gt(b) | _num_gt(a)
    return [
        Difference(name, values[0].get(name), values[1].get(name), counts.get(name))
        for name in dict.fromkeys([*tables[0]['class'], *tables[1]['class']])
        if counts.get(name) != 0
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
