"""Render SEAL-mini: little films of people who act, with annotations in the schema of SEAL."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import cv2

from mmtube.apis import ProgressLine
from mmtube.datasets.synthetic import SPLITS, SetOptions, contact_sheet, direct, render_films, write_annotations
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path, check_writable


def number_of_films(text: str, default: tuple[int, int, int]) -> tuple[int, int, int]:
    """Parse ``train=84,val=18``; splits that are not named have no films.

    Raises:
        InputError: If it is not of this form.
    """
    if not text:
        return default
    counts = dict.fromkeys(SPLITS, 0)
    for part in text.split(','):
        split, _, number = part.partition('=')
        if split.strip() not in counts or not number.strip().isdecimal():
            raise InputError(f'--films {text}: {part!r} is not a split with a number, such as train=84')
        counts[split.strip()] = int(number)
    return tuple(counts.values())


def parse_args() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', default='data/seal_mini', help='folder of the set (default: %(default)s)')
    parser.add_argument('--smoke', action='store_true', help='eight films of a few seconds, to see that all works')
    parser.add_argument('--seed', type=int, default=0, help='seed of the set (default: %(default)s)')
    parser.add_argument(
        '--workers', type=int, default=len(os.sched_getaffinity(0)), help='processes (default: all cores)'
    )
    parser.add_argument('--films', default='', help='number of films, such as train=84,val=18,test=18 (the default)')
    parser.add_argument(
        '--seconds', type=float, nargs=2, metavar=('MIN', 'MAX'), help='length of a film (default: 20 60)'
    )
    parser.add_argument('--size', type=int, nargs=2, metavar=('W', 'H'), help='of the picture, 4:3 (default: 320 240)')
    parser.add_argument('--zipf', type=float, default=1.0, help='long tail of the activities, 0 is none (default: 1)')
    parser.add_argument('--look-alike', type=float, help='0 clothes of their own to 1 all alike (default: a mixture)')
    parser.add_argument('--shake', type=float, default=1.0, help='shake of the camera, 0 is a tripod (default: 1)')
    parser.add_argument('--crf', type=int, default=SetOptions.crf, help='quality of the films (default: %(default)s)')
    parser.add_argument('--preset', default=SetOptions.preset, help='speed of x264 (default: %(default)s)')
    parser.add_argument('--force', action='store_true', help='make films again that are there')
    parser.add_argument('--preview', metavar='PNG', help='write a sheet of activities, and nothing else')
    return parser.parse_args()


def options_of(args: argparse.Namespace) -> SetOptions:
    """Return the options that the command line gives.

    Raises:
        InputError: If one is out of range.
    """
    names = ('seed', 'zipf', 'look_alike', 'shake', 'crf', 'preset')
    given = {name: getattr(args, name) for name in names}
    given |= {name: tuple(getattr(args, name)) for name in ('seconds', 'size') if getattr(args, name)}
    base = SetOptions.smoke() if args.smoke else SetOptions()
    given['films'] = number_of_films(args.films, base.films)
    try:
        return SetOptions.smoke(**given) if args.smoke else SetOptions(**given)
    except ValueError as error:
        raise InputError(str(error)) from None


def write_preview(options: SetOptions, path: Path) -> None:
    """Write the contact sheet as PNG.

    Raises:
        InputError: If the file is no PNG or cannot be written.
    """
    if path.suffix != '.png':
        raise InputError(f'--preview {path}: must end in .png')
    check_writable(path)
    sheet = contact_sheet(options)
    with atomic_path(path) as temporary:
        temporary.write_bytes(cv2.imencode('.png', sheet)[1].tobytes())
    print(f'{path}: {sheet.shape[1]}x{sheet.shape[0]}')


def main() -> None:
    """Command line."""
    args = parse_args()
    options = options_of(args)
    if args.workers < 1:
        raise InputError(f'--workers must be positive, got {args.workers}')
    if args.preview:
        write_preview(options, Path(args.preview))
        return
    names = options.film_names()
    if not names:
        raise InputError('--films: there must be at least one film')
    started, made, frames = time.monotonic(), 0, 0
    total = sum(direct(options, split, number).num_frames for _, split, number in names)
    with ProgressLine(str(args.out)) as progress:
        for done, report in enumerate(render_films(options, args.out, args.workers, force=args.force), 1):
            made += report.total_s > 0
            frames += report.frames
            progress('render', frames, total, f'{done} of {len(names)} films')
    subjects = write_annotations(options, args.out, 'python ' + shlex.join([Path(__file__).name, *sys.argv[1:]]))
    actions, activities = (sum(len(p.instances(task)) for p in subjects.values()) for task in ('atomic', 'complex'))
    print(
        f'{args.out}: {len(names)} films, {made} of them made now in {time.monotonic() - started:.0f} s; '
        f'{frames} frames, {actions} atomic actions, {activities} complex activities'
    )


if __name__ == '__main__':
    exit_on_input_error(main)
