"""Time temporal detectors: a training step beside MMAction2's BMN, and testing on the tubelets of a film of one hour.

Both run on random features on one thread, in CPU seconds. A step is forward and backward of 16 sequences, with two
instances each; the ratio is that of the medians of steps that take turns. BMN needs 12 GB and, at 100 rows, minutes for
a step. The film has 50 tubelets of 3.6 minutes, 1,620 rows each: atomic actions (172) on Slowfast-T in windows, complex
activities (200) on TSP-T and Slowfast-T, stretched to 128 rows.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import torch
from mmaction.registry import MODELS as MMACTION_MODELS
from mmaction.structures import ActionDataSample
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmtube.config import load_config
from mmtube.datasets.collate import tubelet_collate
from mmtube.datasets.transforms import PackTubelet, TubeletRescale
from mmtube.datasets.transforms.tubelet import set_rows
from mmtube.registry import MODELS

BATCH = 16
TUBELETS, ROWS, RATE = 50, 1620, 7.5
BMN = dict(
    type='BMN',
    boundary_ratio=0.5,
    num_samples=32,
    num_samples_per_bin=3,
    soft_nms_alpha=0.4,
    soft_nms_low_threshold=0.5,
    soft_nms_high_threshold=0.9,
    post_process_top_k=100,
)


def tubelet(rng: np.random.Generator, rows: int, dims: int, classes: int, instances: int = 2) -> dict:
    """Return what the data set's transforms have of a tubelet, with noise as features."""
    times = np.sort(rng.uniform(0, rows / RATE, (instances, 2)), 1)
    labels = rng.integers(0, classes, instances)
    results = dict(segments_s=times, gt_segments_s=times, labels=labels, gt_labels=labels, tid='a', video_id='a')
    features = rng.standard_normal((rows, dims), np.float32)
    set_rows(results, features, np.ones(rows, bool), 0.0, RATE)
    return results


def seconds(*steps: Callable[[], None], repeats: int) -> list[float]:
    """Return the median seconds of several steps that take turns, after one turn to warm up."""
    taken: list[list[float]] = [[] for _ in steps]
    for turn in range(repeats + 1):
        for step, times in zip(steps, taken):
            started = time.process_time()
            step()
            if turn:
                times.append(time.process_time() - started)
    return [median(times) for times in taken]


def training(name: str, rows: int, dims: int, repeats: int) -> None:
    """Print the seconds of a training step of a detector and of BMN."""
    rng = np.random.default_rng(0)
    cfg = load_config(name).model
    cfg.stem.dims = [dims]
    with DefaultScope.overwrite_default_scope('mmtube'):
        ours = MODELS.build(cfg)
    with DefaultScope.overwrite_default_scope('mmaction'):
        bmn = MMACTION_MODELS.build(dict(BMN, temporal_dim=rows, feat_dim=dims))
    items = [PackTubelet().transform(tubelet(rng, rows, dims, cfg.num_classes)) for _ in range(BATCH)]
    batch = tubelet_collate(items)
    samples = []
    for item in items:
        sample = ActionDataSample()
        segments = item['data_samples'].gt_instances.segments
        sample.gt_instances = InstanceData(gt_bbox=(segments + 0.5) / rows)
        samples.append(sample)

    def step() -> None:
        losses = ours(**batch, mode='loss')
        sum(losses.values()).backward()

    def bmn_step() -> None:
        bmn(list(batch['inputs']['features']), samples, mode='loss')['loss'].backward()

    mine, theirs = seconds(step, bmn_step, repeats=repeats)
    told = f'{mine:.2f} s, BMN {theirs:.2f} s, {theirs / mine:.1f} times as long'
    print(f'{name}: training step, {BATCH} x {rows} rows of {dims}: {told}', flush=True)


def testing(name: str, rescale: int | None) -> float:
    """Print and return the seconds that the tubelets of a film take a detector that has seen nothing."""
    rng = np.random.default_rng(0)
    cfg = load_config(name).model
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmtube'):
        model = MODELS.build(cfg).eval()
    total = 0.0
    for _ in range(TUBELETS):
        results = tubelet(rng, ROWS, sum(cfg.stem.dims), cfg.num_classes)
        started = time.process_time()
        if rescale is not None:
            results = TubeletRescale(rescale).transform(results)
        model(**tubelet_collate([PackTubelet().transform(results)]), mode='predict')
        total += time.process_time() - started
    print(f'{name}: testing, {TUBELETS} tubelets of {ROWS} rows: {total:.1f} s')
    return total


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--configs', nargs='+', default=['seal/complex_tubes.py'], help='detectors beside BMN')
    parser.add_argument('--rows', nargs='+', type=int, default=[100, 128], help='lengths of training sequences')
    parser.add_argument('--dims', type=int, default=512, help='channels of training sequences')
    parser.add_argument('--repeats', type=int, default=3, help='steps of each, after one to warm up')
    parser.add_argument('--atomic', default='seal/atomic_tubes.py', help='detector of atomic actions to test')
    parser.add_argument('--complex', default='seal/complex_tubes_two_stream.py', help='of complex activities')
    parser.add_argument('--only', choices=['training', 'testing'], help='one of the two')
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.only != 'testing':
        for name in args.configs:
            for rows in args.rows:
                training(name, rows, args.dims, args.repeats)
    if args.only != 'training':
        total = testing(args.atomic, None) + testing(args.complex, 128)
        print(f'both: {total:.1f} s')


if __name__ == '__main__':
    main()
