"""Describe the query and the gallery of re-identification data by any appearance component, for tools/evaluate.py reid.

Every crop is described as the pipeline describes a box, and a sequence by the mean of its crops, of unit length, as a
tubelet of the pipeline is. Components are so compared on the same crops, by what a linker would see:

    tools/extract_reid.py --data-root DIR --appearance ColorHistogram --out color.npz
    tools/evaluate.py reid --gt color.npz --pred color.npz

The npz has names, features, ids, cameras and roles; that of one component can be the list (--gt) for all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmtube.apis import build_stage, describe_gallery
from mmtube.config import load_config
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path, check_writable


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data-root', required=True, metavar='DIR', help='data in the layout of MARS or Market-1501')
    parser.add_argument('--layout', choices=('mars', 'market'), default='mars', help='default: mars')
    parser.add_argument(
        '--appearance',
        required=True,
        metavar='TYPE|CONFIG',
        help="a type such as ReIDAppearance, or a pipeline config whose stage 'appearance' is taken",
    )
    parser.add_argument('--max-images', type=int, help='of a sequence, evenly spaced (default: all)')
    parser.add_argument('--device', default='cpu', help='where a network runs')
    parser.add_argument('--out', required=True, type=Path, metavar='FILE.npz')
    return parser.parse_args()


def stage_config(name: str) -> Config:
    """Return the config of the component that a type or a pipeline config names."""
    if name.isidentifier():
        return Config(dict(type=name))
    stage = load_config(name).get('appearance')
    if stage is None:
        raise InputError(f"{name}: has no stage 'appearance'")
    return stage


def main() -> None:
    """Command line."""
    args = parse_args()
    if args.out.suffix != '.npz':
        raise InputError(f'{args.out}: the name must end in .npz')
    if args.max_images is not None and args.max_images < 1:
        raise InputError(f'--max-images must be positive, got {args.max_images}')
    check_writable(args.out)
    appearance = build_stage('appearance', stage_config(args.appearance), device=args.device)
    columns = describe_gallery(args.data_root, appearance, layout=args.layout, max_images=args.max_images)
    with atomic_path(args.out) as temporary:
        np.savez(temporary, **columns)
    queries = int((columns['roles'] == 'query').sum())
    rest, length = len(columns['roles']) - queries, columns['features'].shape[1]
    print(f'{args.out}: {queries} queries, {rest} in the gallery, features of length {length}')


if __name__ == '__main__':
    exit_on_input_error(main)
