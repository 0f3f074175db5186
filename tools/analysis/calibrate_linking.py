"""Find the linking threshold that keeps the rate of wrong merges at a wanted value, and write it as a config.

The tubelets of annotated films are linked once with a high threshold; each merge is right or wrong by the person that
its two tubelets show. Printed are merges, wrong merges and recall against the threshold, with the upper bound of the
rate of wrong merges (one-sided, Clopper and Pearson). The threshold that is written makes most right merges among those
whose bound is at most the wanted rate. Described boxes are kept in --cache, so that another call takes seconds.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from mmtube.apis import load_pipeline, pipeline_parser
from mmtube.apis.link_calibration import calibrate, calibrated_config, described_film
from mmtube.apis.linking import FilmLinker, film_beside, tubelet_films
from mmtube.errors import InputError, exit_on_input_error
from mmtube.evaluation.functional.link_threshold import ThresholdCurve
from mmtube.evaluation.readers.track_scope import only_videos, shots_of, split_at_shots
from mmtube.evaluation.readers.tracks import read_truth
from mmtube.fileio import check_writable, write_text
from mmtube.visualization.figure import figure

ROWS = 14


def base_of(config: str, output: str) -> str:
    """Return how the config that is written names the one it inherits."""
    if Path(config).is_file():
        return os.path.relpath(Path(config).absolute(), Path(output).absolute().parent)
    return config if '::' in config else f'mmtube::{config.removesuffix(".py")}.py'


def draw(curve: ThresholdCurve, chosen: int, wrong_rate: float, path: str) -> None:
    """Draw the rate of wrong merges and recall against the threshold."""
    with figure(path, (9, 3.6), columns=2) as (left, right):
        left.plot(curve.thresholds, 100 * curve.rate, label='measured')
        left.plot(curve.thresholds, 100 * curve.bound, '--', label=f'upper bound at {curve.confidence:.0%}')
        left.axhline(100 * wrong_rate, color='grey', linewidth=0.8)
        left.set(xlabel='threshold', ylabel='wrong merges in %', ylim=(0, 10 * max(100 * wrong_rate, 0.5)))
        left.legend()
        right.plot(curve.thresholds, 100 * curve.recall)
        right.set(xlabel='threshold', ylabel='merges made of those needed, in %', ylim=(0, 100))
        for axes in (left, right):
            axes.axvline(curve.thresholds[chosen], color='grey', linewidth=0.8)


def main() -> None:
    """Command line."""
    parser = pipeline_parser(__doc__)
    parser.add_argument('--gt', required=True, help='people, SEAL schema (.json); IDs end at shot changes')
    parser.add_argument('--tubelets', required=True, help='tubelets: SEAL schema (.json) or a folder of results')
    parser.add_argument('--videos', required=True, help='folder of the films')
    parser.add_argument('--only', nargs='+', metavar='NAME', help="these films only; names or 'train_???[0-35-8]'")
    parser.add_argument('--wrong-rate', type=float, default=0.01, help='wanted rate of wrong merges')
    parser.add_argument('--confidence', type=float, default=0.95, help='of the upper bound of that rate')
    parser.add_argument('--cache', metavar='DIR', help='where described boxes are kept')
    parser.add_argument('--output', metavar='CONFIG', help='config (.py) to write')
    parser.add_argument('--plot', metavar='PNG', help='draw both curves')
    args = parser.parse_args()
    if not (0 < args.wrong_rate < 1 and 0 < args.confidence < 1):
        raise InputError('--wrong-rate and --confidence must lie between 0 and 1')
    if not Path(args.videos).is_dir():
        raise InputError(f'{args.videos}: there is no such folder of films')
    for path in filter(None, (args.output, args.plot)):
        check_writable(path)
    if args.output and Path(args.output).suffix != '.py':
        raise InputError(f'{args.output}: a config ends in .py')
    cfg = load_pipeline(args.config, args.cfg_options, required=('linker', 'frame_source', 'appearance'))
    truth = split_at_shots(read_truth(args.gt), shots_of(args.gt))
    if args.only:
        truth, _ = only_videos(truth, truth, args.only)
    linker, known, films = FilmLinker(cfg), set(truth.videos), []
    sources = [(name, read) for name, read in tubelet_films(args.tubelets) if name in known]
    if not sources:
        raise InputError(f'{args.tubelets}: has no film of {args.gt}')
    for number, (name, read) in enumerate(sources, start=1):
        films.append(described_film(linker, name, read(), film_beside(args.videos, name), args.cache))
        print(f'described {number} of {len(sources)}: {name}', file=sys.stderr)
    truth, _ = only_videos(truth, truth, [film.name for film in films], literal=True)
    curve = calibrate(cfg, films, truth, args.confidence)
    if not len(curve.thresholds):
        raise InputError(f'{args.tubelets}: nothing is ever merged, there is no threshold to find')
    print(f'{len(films)} films; a merge is wrong if its two tubelets show two people')
    print(f'{"threshold":>9} {"merges":>7} {"wrong":>6} {"rate %":>7} {"bound %":>8} {"recall %":>9}')
    rows = np.unique(np.linspace(0, len(curve.thresholds) - 1, ROWS).astype(int))
    try:
        chosen, refusal = curve.choose(args.wrong_rate), None
    except InputError as error:  # the table tells why
        chosen, refusal = int(rows[-1]), error
    for row in np.unique(np.append(rows, chosen)):
        merges = curve.right[row] + curve.wrong[row]
        shares = f'{100 * curve.rate[row]:>7.2f} {100 * curve.bound[row]:>8.2f} {100 * curve.recall[row]:>9.1f}'
        print(
            f'{curve.thresholds[row]:>9.4f} {merges:>7} {curve.wrong[row]:>6} {shares}'
            + (' <' if row == chosen and not refusal else '')
        )
    if refusal:
        raise refusal
    max_cost = float(np.ceil(curve.thresholds[chosen] * 1e6) / 1e6)  # the merge at the threshold is made
    told = (
        f'{curve.wrong[chosen]} of {curve.right[chosen] + curve.wrong[chosen]} merges wrong, at most '
        f'{100 * curve.bound[chosen]:.2f} % with confidence {args.confidence:g}; '
        f'recall {100 * curve.recall[chosen]:.1f} %'
    )
    print(f'max_cost = {max_cost:g}: {told}')
    if args.output:
        notes = [f'Calibrated for {100 * args.wrong_rate:g} % wrong merges on {len(films)} films:', f'{told}.']
        write_text(
            args.output, calibrated_config(base_of(args.config, args.output), args.cfg_options or {}, max_cost, notes)
        )
        print(args.output)
    if args.plot:
        draw(curve, chosen, args.wrong_rate, args.plot)
        print(args.plot)


if __name__ == '__main__':
    exit_on_input_error(main)
