"""The page as one file that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from mmtube.fileio import read_text

from .markup import Html, join, tag
from .run import Run
from .sections import Part, comparison, run_parts, training_charts
from .training import Training

ASSETS = Path(__file__).parents[2] / 'assets'


def build_page(runs: Sequence[Run], title: str, trainings: Sequence[Training] = ()) -> str:
    """Return a page that shows results of evaluations.

    Nothing is loaded from anywhere: styles, the script, figures and pictures are in the page, and its content security
    policy forbids the rest, also to what hides in a name. Equal arguments give equal text.

    Args:
        runs (Sequence[Run]): The results, in the order in which they are shown.
        title (str): Heading of the page.
        trainings (Sequence[Training]): Logs of trainings. Defaults to none.

    Returns:
        str: HTML.

    Raises:
        InputError: If a figure of a run is no SVG.
        ValueError: If there is no run.
    """
    if not runs:
        raise ValueError('a report needs a result')
    chapters: list[tuple[str, str, Html | None, list[Part]]] = []
    if len(runs) > 1:
        chapters.append(('comparison', 'Comparison', comparison(runs), []))
    for number, run in enumerate(runs, start=1):
        chapters.append((f'run-{number}', run.title, _lead(run), run_parts(run, f'run-{number}')))
    for number, training in enumerate(trainings, start=1):
        told = 'Training' if len(trainings) == 1 else f'Training {training.title}'
        chapters.append((f'training-{number}', told, training_charts(training), []))
    style, script = (Html(read_text(ASSETS / name)) for name in ('report.css', 'report.js'))
    digest = b64encode(sha256(script.encode()).digest()).decode('ascii')
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    )
    head = tag(
        'head',
        tag('meta', charset='utf-8'),
        tag('meta', http_equiv='Content-Security-Policy', content=policy),
        tag('meta', name='viewport', content='width=device-width, initial-scale=1'),
        tag('meta', name='color-scheme', content='light dark'),
        tag('title', title),
        tag('link', rel='icon', href='data:,'),
        tag('style', style),
    )
    body = tag(
        'body',
        tag('a', 'To the numbers', href='#main', class_='skip'),
        tag('header', tag('h1', title), tag('p', _summary(runs), class_='aside'), class_='top'),
        _contents(chapters),
        tag('main', *(_chapter(*chapter) for chapter in chapters), id='main'),
        tag('footer', tag('p', 'Made by mmtube, tools/analysis/report.py')),
        tag('script', script),
    )
    return f'<!DOCTYPE html>\n{tag("html", head, body, lang="en")}\n'


def _summary(runs: Sequence[Run]) -> str:
    protocols = ', '.join(dict.fromkeys(run.protocol for run in runs))
    dates = sorted({run.facts['written'] for run in runs if 'written' in run.facts})
    when = f', {dates[0]}' if len(dates) == 1 else f', {dates[0]} to {dates[-1]}' if dates else ''
    return f'{len(runs)} result{"s" if len(runs) > 1 else ""}: {protocols}{when}'


def _lead(run: Run) -> Html:
    return tag(
        'p', tag('span', run.protocol, class_='protocol'), ' ', run.document.get('convention', ''), class_='lead'
    )


def _contents(chapters: Sequence[tuple[str, str, Html | None, list[Part]]]) -> Html:
    items = []
    for key, heading, _, parts in chapters:
        inner = tag('ul', *(tag('li', tag('a', name, href=f'#{part}')) for part, name, _ in parts)) if parts else None
        items.append(tag('li', tag('a', heading, href=f'#{key}'), inner))
    return tag('nav', tag('ul', *items), aria_label='Contents')


def _chapter(key: str, heading: str, lead: Html | None, parts: Sequence[Part]) -> Html:
    inner = (
        tag('section', tag('h3', name, id=f'{part}-h'), content, id=part, aria_labelledby=f'{part}-h')
        for part, name, content in parts
    )
    return tag(
        'section',
        tag('h2', heading, id=f'{key}-h'),
        lead,
        join(inner),
        id=key,
        class_='chapter',
        aria_labelledby=f'{key}-h',
    )
