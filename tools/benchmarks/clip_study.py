"""What interactions, memory and boxes over time are worth on SEAL-mini, over several seeds.

For each seed the plain baseline is trained, then each head on the features of its frozen backbone. Every run leaves a
``result.json``; what is there is not run again. The table has the mean over seeds and the standard deviation.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np

from mmtube.engine.cli import build_config, build_runner, make_parser
from mmtube.errors import exit_on_input_error

HEADS = ('head', 'person', 'object', 'memory', 'serial', 'dense', 'parallel', 'head_4fps')
# Classes that move across the picture.
FAST = ('run', 'walk', 'push cart', 'jump', 'bounce ball', 'kick ball')

# What the last test looked at, by backbone and boxes over time.
LOOKED: dict[str, list] = {}


def _shared_loop() -> type:
    """The loop of the tests: heads whose features are the same look at the clips once."""
    from mmtube.engine.loops import TwoPassTestLoop

    class SharedLookLoop(TwoPassTestLoop):
        with_objects = True

        def __init__(self, *args: Any, shared: str, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._shared = shared

        def look(self) -> list:
            if self._shared not in LOOKED:
                LOOKED.clear()
                LOOKED[self._shared] = super().look()
            return LOOKED[self._shared]

    return SharedLookLoop


def train_and_test(name: str, folder: Path, shared: str, options: list[str]) -> None:
    """Train a config of SEAL-mini and write what the test says of its last checkpoint."""
    if (folder / 'result.json').exists():
        return
    from mmengine.config import Config

    # Formatting a config takes longer than training a head.
    Config.pretty_text = property(lambda cfg: '')  # type: ignore[assignment, misc]
    options = [*options, f'test_evaluator.out_file={folder / "result.json"}', 'train_cfg.val_begin=1000']
    arguments = [f'seal_mini/clips_{name}', '--work-dir', str(folder), '--cfg-options', *options]
    cfg = build_config(make_parser(__doc__ or '').parse_args(arguments))
    cfg.test_cfg = dict(type=_shared_loop(), shared=shared)
    runner = build_runner(cfg)
    started = time.perf_counter()
    runner.train()
    (folder / 'seconds.json').write_text(json.dumps({'train_s': time.perf_counter() - started}))
    runner.test()


def numbers(folder: Path) -> dict[str, float]:
    """The numbers of one run, in percent, and the minutes of its training."""
    result = json.loads((folder / 'result.json').read_text())
    metrics, table = result['metrics'], result['tables']['classes']
    classes = {name: ap for name, ap in zip(table['class'], table['ap@0.5']) if ap is not None}
    found = {'mAP': metrics['mAP@0.5'], **{name: metrics[f'mAP_{name}'] for name in ('pose', 'pp', 'po')}}
    found['fast'] = float(np.mean([classes[name] for name in FAST if name in classes]))
    minutes = json.loads((folder / 'seconds.json').read_text())['train_s'] / 60
    return {**{name: 100 * value for name, value in found.items()}, 'minutes': minutes}


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/clip_study'))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--test-data', default='data/seal_mini/', help='folder whose test films are tested')
    parser.add_argument('--heads', nargs='+', default=list(HEADS), choices=HEADS)
    args = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in args.seeds:
        folder = args.work_dir / f'seed_{seed}'
        given = [f'randomness.seed={seed}', f'test_dataloader.dataset.data_root={args.test_data}']
        train_and_test('baseline', folder / 'baseline', f'{folder} baseline', given)
        rows.setdefault('baseline', []).append(numbers(folder / 'baseline'))
        for head in args.heads:
            boxes = '_4fps' if head.endswith('4fps') else ''
            weights, cache = folder / 'baseline' / 'epoch_3.pth', folder / f'features{boxes}.pth'
            options = [*given, f'load_from={weights}', f'train_cfg.cache={cache}']
            train_and_test(head, folder / head, str(cache), options)
            rows.setdefault(head, []).append(numbers(folder / head))
    columns = list(rows['baseline'][0])
    print('| | ' + ' | '.join(columns) + ' |\n|' + '---|' * (len(columns) + 1))
    for name, found in rows.items():
        cells = [np.array([row[column] for row in found]) for column in columns]
        spread = [f'{cell.mean():.1f} ± {cell.std(ddof=1) if len(cell) > 1 else 0:.1f}' for cell in cells]
        print(f'| {name} | ' + ' | '.join(spread) + ' |')


if __name__ == '__main__':
    exit_on_input_error(main)
