"""Find the actions of tubes that are on disk with their features: result.json in, result.json with segments out.

    tools/detect_actions.py --tracks linked/ --features features/tsp_t features/slowfast_t --out found/
        --network seal/atomic_tubes atomic.pth --network seal/complex_tubes_two_stream complex.pth

The features are those of tools/extract_features.py for these tubes (as annotations: tools/data/convert.py --from result
--to seal). Each network takes the streams that it was trained on. A bad film is told at the end and the rest is done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmtube.apis import ProgressLine
from mmtube.apis.actions import detect_actions
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import check_writable
from mmtube.models.localizers import TubeletActionDetector
from mmtube.structures.io import read_result_json, write_result_json


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tracks', required=True, type=Path, help='a result (.json), or a folder of them')
    parser.add_argument('--features', required=True, nargs='+', type=Path, metavar='DIR', help='folder of each stream')
    parser.add_argument(
        '--network', required=True, nargs=2, action='append', metavar=('CONFIG', 'CHECKPOINT'), help='may be repeated'
    )
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='folder of results')
    parser.add_argument('--min-score', type=float, default=1e-3, help='lowest score (default: %(default)s)')
    parser.add_argument('--device', default='cpu', help='where the networks run')
    return parser.parse_args()


def main() -> int:
    """Command line; returns 2 if a film could not be used."""
    args = parse_args()
    networks = [dict(config=config, checkpoint=checkpoint) for config, checkpoint in args.network]
    detector = TubeletActionDetector(networks, args.min_score, args.device)
    files = sorted(args.tracks.glob('*.json')) if args.tracks.is_dir() else [args.tracks]
    if not files:
        raise InputError(f'{args.tracks}: has no result (.json)')
    check_writable(args.out / 'x.json')
    bad = []
    with ProgressLine(str(args.out)) as progress:
        for number, file in enumerate(files, 1):
            try:
                result = detect_actions(read_result_json(file), file.stem, args.features, detector)
                write_result_json(result, args.out / file.name)
            except InputError as error:
                bad.append(str(error))
            progress('detect actions', number, len(files))
    for error in bad:
        print(f'error: {error}', file=sys.stderr)
    print(f'{args.out}: {len(files) - len(bad)} of {len(files)} films done')
    return 2 if bad else 0


if __name__ == '__main__':
    exit_on_input_error(main)
