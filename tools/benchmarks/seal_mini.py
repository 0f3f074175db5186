"""How fast SEAL-mini is made on one core, and which part takes how long."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

from mmtube.datasets.synthetic import SetOptions, make_film


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--films', type=int, default=4, help='training films to make (default: %(default)s)')
    parser.add_argument('--seconds', type=float, help='length of a film (default: 20 to 60, as in the set)')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    length = {'seconds': (args.seconds, args.seconds)} if args.seconds else {}
    options = SetOptions(seed=args.seed, **length)
    with tempfile.TemporaryDirectory() as folder:
        reports = [make_film(options, 'train', number, folder) for number in range(args.films)]
        size = sum(path.stat().st_size for path in Path(folder).rglob('*.mp4'))
    frames, total_s = sum(r.frames for r in reports), sum(r.total_s for r in reports)
    print(f'{args.films} films, {frames} frames, {total_s:.1f} s: {frames / total_s:.0f} frames/s on one core')
    for part in ('script', 'body', 'truth', 'draw', 'encode'):
        seconds = sum(getattr(r, f'{part}_s') for r in reports)
        print(
            f'{part:>8}: {seconds:6.2f} s, {100 * seconds / total_s:4.1f} %, {1000 * seconds / frames:.2f} ms a frame'
        )
    longest = max(r.body_s + r.truth_s for r in reports)
    print(f'bodies and truth of one film: at most {longest:.2f} s; films: {size / frames / 1000:.2f} kB a frame')


if __name__ == '__main__':
    main()
