"""Show results of tools/evaluate.py on one HTML page that needs nothing else: no server, no network, no other file.

tools/analysis/report.py RUN.json [MORE.json ...] --out report.html [--videos DIR] [--title T] [--log-dir WORKDIR]

The page has the headline numbers, what was counted, figures, tables to sort and filter, the worst tubes as pictures
(with --videos) and, for several results, a comparison. The same files always make the same page.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from mmtube.datasets.film_folder import FILM_SUFFIXES, find_film
from mmtube.datasets.window_reader import WindowReader
from mmtube.errors import InputError, exit_on_input_error
from mmtube.evaluation.result import read_document
from mmtube.fileio import check_writable, write_text
from mmtube.visualization.evaluation import draw_result
from mmtube.visualization.report import (
    Picture,
    Run,
    build_page,
    read_training,
    run_titles,
    thumbnail,
    worst_rows,
)

MAX_PICTURES = 24  # of all results together: a page stays below 3 MB


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results', nargs='+', metavar='RUN.json', help='what tools/evaluate.py --json wrote')
    parser.add_argument('--out', required=True, metavar='FILE.html', help='the page')
    parser.add_argument('--videos', type=Path, metavar='DIR', help='films, <name>.mp4 or another kind, for pictures')
    parser.add_argument('--title', metavar='T', help='heading; default: the names of the results')
    parser.add_argument('--log-dir', nargs='+', default=[], metavar='WORKDIR', help='trainings, to draw their curves')
    return parser.parse_args()


def facts(path: str) -> dict[str, str]:
    """Return when a result was written and its hash."""
    written = datetime.fromtimestamp(Path(path).stat().st_mtime, tz=timezone.utc)
    return {'written': f'{written:%Y-%m-%d %H:%M} UTC', 'sha256': hashlib.sha256(Path(path).read_bytes()).hexdigest()}


def figures(document: dict[str, Any], path: str) -> dict[str, str]:
    """Return the figures of a result as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            drawn = draw_result(document, folder, suffix='.svg')
        except InputError as error:
            raise InputError(f'{path}: {error}') from None
        return {title: Path(path).read_text(encoding='utf-8') for title, path in drawn.items()}


def picture(row: dict[str, Any], films: Path, reader: WindowReader) -> Picture | str:
    """Return the picture of a worst tube, or why there is none."""
    if not isinstance(row['time_s'], (int, float)):
        return 'no time is known'
    name = str(row['video'])
    name = Path(name).stem if Path(name).suffix.lower() in FILM_SUFFIXES else name
    corners = [row[corner] for corner in ('x1', 'y1', 'x2', 'y2')]
    box_px = None if None in corners else np.array(corners, np.float64)
    try:
        (frame,), end_s = reader(find_film(films, name)).read(np.array([row['time_s']], np.float64), None, 'bgr')
    except InputError as error:
        return str(error).replace(f'{films}: ', '').replace(f'{films}/', '')
    if row['time_s'] > end_s:
        return f'the film ends at {end_s:.2f} s'
    return thumbnail(frame, box_px)


def pictures(document: dict[str, Any], films: Path, limit: int) -> dict[int, Picture | str]:
    """Return the pictures of the worst tubes by row; each film is opened once."""
    reader = WindowReader(max_open=1)
    rows = sorted(worst_rows(document, limit), key=lambda row: (str(row['video']), row['row']))
    try:
        return {row['row']: picture(row, films, reader) for row in rows}
    finally:
        reader.close()


def main() -> None:
    """Command line."""
    args = parse_args()
    check_writable(args.out)
    if args.videos is not None and not args.videos.is_dir():
        raise InputError(f'{args.videos}: is no folder of films')
    trainings = [read_training(folder) for folder in args.log_dir]
    # All are read before the first is drawn, which takes a while.
    runs = [
        Run(title, read_document(path), path, facts(path))
        for path, title in zip(args.results, run_titles(args.results))
    ]
    limit = max(MAX_PICTURES // len(runs), 1)
    for number, run in enumerate(runs):
        shown = pictures(run.document, args.videos, limit) if args.videos is not None else {}
        runs[number] = replace(run, figures=figures(run.document, run.path), pictures=shown)
    page = build_page(runs, args.title or ', '.join(run.title for run in runs), trainings)
    write_text(args.out, page)
    drawn = [picture for run in runs for picture in run.pictures.values()]
    told = f', {sum(isinstance(one, Picture) for one in drawn)} of {len(drawn)} pictures' if drawn else ''
    print(f'{args.out}: {len(runs)} result{"s" if len(runs) > 1 else ""}{told}, {len(page.encode()) / 1e6:.2f} MB')


if __name__ == '__main__':
    exit_on_input_error(main)
