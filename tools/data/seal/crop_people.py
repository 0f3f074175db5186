"""Make re-identification data, in the layout of MARS, of films with annotated people.

A sequence is an appearance: a stretch in which a person is visible without a hole, within one shot. The identities of
--train are learned; of each person of --test with two appearances or more the first is the query, and the rest of the
test split is the gallery. People of different films are different people. The "camera" of a sequence is the number of
the appearance of its person: an appearance is then never its own answer, and every other one of the person is.

The number of training identities is printed: a config gets it as model.num_identities.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmtube.apis import ProgressLine
from mmtube.datasets.appearances import Appearance, find_appearances
from mmtube.datasets.mars_writer import write_mars
from mmtube.errors import InputError, exit_on_input_error
from mmtube.structures.seal import SEALAnnotations, read_seal_json


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--train', nargs='*', default=[], metavar='FILE.json', help='annotations of the people to learn'
    )
    parser.add_argument('--test', nargs='*', default=[], metavar='FILE.json', help='annotations of the people to find')
    parser.add_argument('--videos', required=True, type=Path, metavar='DIR', help='folder of the films')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='a new folder')
    parser.add_argument('--films', nargs='+', metavar='ID', help='only these films (default: all)')
    parser.add_argument('--max-gap', type=int, default=1, help='frames from box to box in an appearance (default: 1)')
    parser.add_argument('--min-height-px', type=float, default=32, help='of a box that is used (default: 32)')
    parser.add_argument(
        '--max-hidden', type=float, default=0.5, help="most of a box that another's box covers (default: 0.5)"
    )
    parser.add_argument('--min-images', type=int, default=4, help='shorter appearances are dropped (default: 4)')
    parser.add_argument('--max-images', type=int, default=32, help='evenly spaced ones are kept (default: 32)')
    parser.add_argument('--queries-per-person', type=int, default=1, help='at most (default: 1)')
    parser.add_argument('--png', action='store_true', help='crops without loss (default: JPEG of quality 95)')
    return parser.parse_args()


def appearances_of(files: Sequence[SEALAnnotations], args: argparse.Namespace) -> list[Appearance]:
    """Return the appearances of some annotations."""
    options = dict(max_gap=args.max_gap, min_height_px=args.min_height_px, max_hidden=args.max_hidden)
    found = []
    for people in files:
        try:
            here = find_appearances(people, min_images=args.min_images, max_images=args.max_images, **options)
        except ValueError as error:
            raise InputError(f'options: {error}') from None
        found += [item for item in here if args.films is None or item.vid in args.films]
    return found


def main() -> None:
    """Command line."""
    args = parse_args()
    if not args.train and not args.test:
        raise InputError('--train, --test or both must be given')
    if args.queries_per_person < 1:
        raise InputError(f'--queries-per-person must be positive, got {args.queries_per_person}')
    read = {file: read_seal_json(file) for file in dict.fromkeys([*args.train, *args.test])}
    for film in args.films or ():
        if not any(film in people.videos for people in read.values()):
            raise InputError(f'--films: no annotations have a film {film!r}')
    given = {part: [read[file] for file in getattr(args, part)] for part in ('train', 'test')}
    parts = {part: appearances_of(files, args) for part, files in given.items() if files}
    shared = {item.vid for item in parts.get('train', ())} & {item.vid for item in parts.get('test', ())}
    if shared:
        print(
            f'note: {len(shared)} films are in --train and --test ({min(shared)}): their people are learned and found'
        )
    options = dict(queries_per_person=args.queries_per_person, suffix='.png' if args.png else '.jpg')
    with ProgressLine(args.out.name) as progress:
        counts = write_mars(args.out, parts, args.videos, on_frame=partial(progress, 'crop'), **options)
    for part in parts:
        identities, tracklets, images = (counts[f'{part}_{name}'] for name in ('identities', 'tracklets', 'images'))
        print(f'{part}: {identities} identities, {tracklets} appearances, {images} crops')
    print(f'{args.out}: {counts["queries"]} queries')


if __name__ == '__main__':
    exit_on_input_error(main)
