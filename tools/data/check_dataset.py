"""Check a data set before the first training: the ground truth, given to the metrics as predictions, must score 100.

    python tools/data/check_dataset.py CONFIG [--split train|val|test] [--decode N]

Reads the annotation files of the config's data set and looks for what lets a loss fall and all scores stay at 0:
labels that count from another number, boxes in fractions where pixels are needed or with x and y swapped, seconds for
frames, rows that stand twice, boxes and segments that nothing can overlap. Then turns the ground truth into the output
of a perfect model and runs the config's own evaluator over it. The first line is the verdict; below it is a table of
checks with the faulty rows. Exit code: 0 all well, 1 something found or not 100, 2 a file or the config cannot be used.
"""

from __future__ import annotations

import argparse

from mmengine.config import DictAction
from mmengine.registry import init_default_scope

from mmtube.apis.dataset_check import check_dataset
from mmtube.config import load_config
from mmtube.engine.cli import readable_errors
from mmtube.errors import InputError, exit_on_input_error


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config with a data set and an evaluator')
    parser.add_argument('--split', default='val', choices=['train', 'val', 'test'], help='which loader (default: val)')
    parser.add_argument('--decode', type=int, default=3, metavar='N', help='items to read whole (default: 3; 0: none)')
    parser.add_argument('--seed', type=int, default=0, help='of the choice of these items (default: 0)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='overrides')
    args = parser.parse_args()
    if args.decode < 0:
        raise InputError(f'--decode must not be negative, got {args.decode}')
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmtube'))
    with readable_errors(args.config):
        report = check_dataset(cfg, args.split, decode=args.decode, seed=args.seed, name=args.config)
    print(report.text())
    return int(not report.ok)


if __name__ == '__main__':
    exit_on_input_error(main)
