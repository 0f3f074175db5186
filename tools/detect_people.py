"""Find the people in each frame of a film, or of every film in a folder, and write their boxes as MOT text (ID -1).

A folder of films gives a folder with <film>.txt for each. A film whose text is there is not done again, so a run that
was cut off goes on where it was; a film that cannot be used does not end the others and is told at the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

from mmengine.config import Config

from mmtube.apis import (
    ProgressLine,
    StageClock,
    build_stage,
    count_people,
    detect_people,
    list_films,
    load_pipeline,
    pipeline_parser,
)
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.structures.io import write_mot_detections


def detect_film(
    film: Path, output: Path, cfg: Config, detector: Callable, selector: Callable | None, every: int = 1
) -> None:
    """Write the boxes of every n-th frame of one film."""
    with (
        build_stage('frame_source', cfg.frame_source, path=str(film)) as source,
        ProgressLine(film.name) as progress,
    ):
        found = []
        frames = (frame for frame in source if frame.index % every == 0)
        for frame, detections in detect_people(frames, detector, selector, cfg.get('batch_size', 1), StageClock()):
            found.append(detections)
            progress('detect', frame.index + 1, source.info.num_frames or None, count_people(len(detections)))
    write_mot_detections(found, output)
    print(f'{output}: {sum(map(len, found))} boxes in {len(found)} frames', flush=True)


def fault_of(film: Path, *args) -> str:
    """Do one film of a folder and return what is wrong with it, '' if nothing is: it never ends the batch."""
    try:
        detect_film(film, *args)
    except InputError as error:
        return str(error)
    except Exception as error:
        return f'{film}: {type(error).__name__}: {" ".join(str(error).split())}'
    return ''


def texts_of(films: list[Path], folder: Path) -> dict[Path, Path]:
    """Return the text of each film.

    Raises:
        InputError: If two films would have the same.
    """
    texts: dict[Path, Path] = {}
    for film in films:
        text = folder / f'{film.stem}.txt'
        if text in texts.values():
            raise InputError(f'{film.parent}: two films are called {film.stem}, they would have the same text')
        texts[film] = text
    return texts


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = pipeline_parser(__doc__)
    parser.add_argument('video', type=Path, help='film, or a folder of films')
    parser.add_argument('--output', type=Path, required=True, help='MOT text to write; for a folder of films, a folder')
    parser.add_argument('--only', metavar='PATTERN', help="of a folder, films whose names without suffix fit: 'test_*'")
    parser.add_argument('--every', type=int, default=1, metavar='N', help='look at every n-th frame, from the first')
    parser.add_argument('--force', action='store_true', help='do the films of a folder again that have a text')
    parser.add_argument('--device', default='cpu', help='where the detector runs')
    return parser.parse_args()


def main() -> int:
    """Command line; returns 2 if a film of a folder could not be used."""
    args = parse_args()
    is_folder = args.video.is_dir()
    if args.every < 1:
        raise InputError(f'--every must be 1 or more, not {args.every}')
    films = [film for film in list_films(args.video) if fnmatchcase(film.stem, args.only or '*')] if is_folder else []
    if is_folder and not films:
        raise InputError(f'{args.video}: no film of this folder is called {args.only}')
    texts = texts_of(films, args.output) if is_folder else {args.video: args.output}
    if is_folder and args.output.is_file():
        raise InputError(f'{args.output}: is a file, for a folder of films it must be a folder')
    waiting = {film: text for film, text in texts.items() if args.force or not is_folder or not text.is_file()}
    for text in waiting.values():
        check_writable(text)
    cfg = load_pipeline(args.config, args.cfg_options, required=('frame_source', 'detector'))
    detector = build_stage('detector', cfg.detector, device=args.device) if waiting else None
    selector = build_stage('selector', cfg.selector) if cfg.get('selector') else None
    if not is_folder:
        detect_film(args.video, args.output, cfg, detector, selector, args.every)
        return 0
    how = (cfg, detector, selector, args.every)
    bad = [error for film, text in waiting.items() if (error := fault_of(film, text, *how))]
    for error in bad:
        print(f'error: {error}', file=sys.stderr)
    done = len(texts) - len(waiting)
    print(f'{len(waiting) - len(bad)} films done, {done} were done before, {len(bad)} cannot be used')
    return 2 if bad else 0


if __name__ == '__main__':
    exit_on_input_error(main)
