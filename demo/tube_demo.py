"""Find the people of a film (or of every film in a folder): who, where, when, and what they do.

Writes result.json, tubes.mot.txt, subtitles.vtt, timeline.png, annotated.mp4 and viewer.html, and where browsers do not
play the film itself, viewer.mp4 for the viewer.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmtube.apis import (
    ProgressLine,
    TubeInferencer,
    build_stage,
    count_people,
    list_films,
    load_pipeline,
    pipeline_parser,
)
from mmtube.apis.outputs import check_outputs, write_outputs
from mmtube.errors import InputError, exit_on_input_error
from mmtube.models.roi_heads.action_config import SLOWFAST_AVA
from mmtube.structures import Tube, VideoResult


def top_actions(tube: Tube, result: VideoResult, count: int = 3) -> str:
    """Name what the person does most: the best segments, or else the labels with the highest mean clip score."""
    if tube.segments:
        best = sorted(tube.segments, key=lambda segment: -segment.score)[:count]
        return ', '.join(f'{result.label_name(s.task, s.label)} {s.start_s:.1f}-{s.end_s:.1f} s' for s in best)
    if not len(tube.clip_times_s):
        return ''
    mean = tube.clip_scores.mean(axis=0)
    return ', '.join(f'{result.label_name("clip", label)} {mean[label]:.2f}' for label in (-mean).argsort()[:count])


def print_result(result: VideoResult, files: list[Path], console: Console) -> None:
    """Print the tubes as a table, the stages that did not run, and where the files are."""
    table = Table(title=escape(f'{result.video.name}: {count_people(len(result.tubes))}'), title_justify='left')
    for heading in ('ID', 'from', 'to', 'boxes', 'mean score'):
        table.add_column(heading, justify='right')
    actions = {tube.track_id: top_actions(tube, result) for tube in result.tubes}
    if any(actions.values()):
        table.add_column('actions')
    for tube in result.tubes:
        times = f'{tube.start_s:.2f} s', f'{tube.end_s:.2f} s'
        row = str(tube.track_id), *times, str(len(tube)), f'{tube.mean_score:.2f}', escape(actions[tube.track_id])
        table.add_row(*row[: len(table.columns)])
    console.print(table if result.tubes else escape(f'{result.video.name}: no person found'))
    for stage in result.stages:
        if stage.reason and stage.reason != 'not in the config':
            console.print(f'{stage.name} {stage.state}: {stage.reason}', highlight=False, markup=False, soft_wrap=True)
    console.print(f'written: {", ".join(str(path) for path in files)}', highlight=False, markup=False, soft_wrap=True)


def run(film: Path, out_dir: Path, inferencer: TubeInferencer, console: Console) -> VideoResult:
    """Process one film."""
    check_outputs(out_dir, film)
    with ProgressLine(film.name) as progress:
        result = inferencer(film, progress)
        with inferencer.open(film) as frames:
            files = write_outputs(result, frames, out_dir, progress, film)
    print_result(result, files, console)
    return result


def main() -> int:
    """Command line; returns 1 if a stage failed, 2 if a film of a folder could not be used."""
    parser = pipeline_parser(__doc__)
    parser.add_argument('video', type=Path, help='a film, or a folder of films')
    parser.add_argument('--out-dir', type=Path, default=Path('demo_out'), help='where the files go')
    parser.add_argument('--device', default='cpu', help='where the networks run')
    parser.add_argument(
        '--actions', default=SLOWFAST_AVA, help="MMAction2 RoI detection config or zoo name, or 'none' for tubes alone"
    )
    parser.add_argument('--actions-checkpoint', help="its checkpoint; by default the zoo's")
    args = parser.parse_args()
    is_folder = args.video.is_dir()
    films = list_films(args.video) if is_folder else [args.video]
    if not is_folder:
        check_outputs(args.out_dir, args.video)
    cfg = load_pipeline(args.config, args.cfg_options)
    if args.actions != 'none' and cfg.get('clip_classifier') is None:
        cfg.clip_classifier = dict(type='ClipClassifier', model=args.actions, checkpoint=args.actions_checkpoint)
    elif args.actions_checkpoint:
        raise InputError('--actions-checkpoint is not used: no --actions, or the config has its own')
    if not is_folder:
        build_stage('frame_source', cfg.frame_source, path=str(args.video))  # a bad film is told at once
    inferencer, console = TubeInferencer(cfg, args.device), Console()
    bad, failed = [], False
    for film in films:
        out_dir = args.out_dir / film.name if is_folder else args.out_dir
        try:
            result = run(film, out_dir, inferencer, console)
            failed |= any(stage.state == 'failed' for stage in result.stages)
        except InputError as error:
            if not is_folder:
                raise
            bad.append(str(error))
        except Exception as error:  # one film never ends a batch; alone, it shows where the fault lies
            if not is_folder:
                raise
            bad.append(f'{film}: {type(error).__name__}: {" ".join(str(error).split())}')
    for error in bad:
        print(f'error: {error}', file=sys.stderr)
    if is_folder:
        print(f'{len(films) - len(bad)} of {len(films)} films done')
    return 2 if bad else int(failed)


if __name__ == '__main__':
    exit_on_input_error(main)
