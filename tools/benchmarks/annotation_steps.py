"""What the corrector of ID switches and the proxy for visible heads are worth on SEAL-mini, where the truth is known.

    python tools/benchmarks/annotation_steps.py data/seal_mini --split test

A box is wrong if it shows another person than most boxes of its tubelet do. Boxes are paired with people frame by
frame, for the largest sum of IoUs of at least 0.5.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from mmtube.apis.annotation.tables import BoxColumns, shots_of_boxes
from mmtube.errors import exit_on_input_error
from mmtube.models.trackers import IDSwitchCorrector
from mmtube.ops import box_iou
from mmtube.ops.heads import heads_in_sight
from mmtube.structures.seal import HEAD_VISIBLE, read_seal_json

MATCH_IOU = 0.5


def people_of_boxes(found: BoxColumns, truth: BoxColumns) -> np.ndarray:
    """Return (N,) int64 the person that each box shows, as a number of a tubelet of the truth; -1 for nobody."""
    person = np.full(len(found.tubelet), -1)
    pictures, theirs = found.pictures(), truth.pictures()
    order = np.argsort(pictures, kind='stable')
    truth_order = np.argsort(theirs, kind='stable')
    for rows in np.split(order, np.flatnonzero(np.diff(pictures[order])) + 1):
        low = np.searchsorted(theirs[truth_order], pictures[rows[0]], 'left')
        high = np.searchsorted(theirs[truth_order], pictures[rows[0]], 'right')
        others = truth_order[low:high]
        iou = box_iou(found.boxes_px[rows], truth.boxes_px[others])
        one, other = linear_sum_assignment(-np.where(iou >= MATCH_IOU, iou, 0))
        near = iou[one, other] >= MATCH_IOU
        person[rows[one[near]]] = truth.tubelet[others[other[near]]]
    return person


def owners(ids: np.ndarray, person: np.ndarray) -> np.ndarray:
    """Return (K,) int64 the person whom most boxes of each ID show, -1 for nobody."""
    known = person >= 0
    pairs, counts = np.unique(np.stack([ids[known], person[known]]), axis=1, return_counts=True)
    owner = np.full(ids.max(initial=-1) + 1, -1)
    order = np.argsort(counts, kind='stable')  # the most frequent is written last
    owner[pairs[0, order]] = pairs[1, order]
    return owner


def measure_switches(folder: Path, split: str) -> None:
    """Print how many wrong boxes are put right and how many right ones are spoiled."""
    coarse = read_seal_json(folder / 'annotations' / f'coarse_{split}.json')
    columns = BoxColumns.of(coarse)
    person = people_of_boxes(columns, BoxColumns.of(read_seal_json(folder / 'annotations' / f'people_{split}.json')))
    shots = shots_of_boxes(coarse, columns)
    start = time.perf_counter()
    new, changes = IDSwitchCorrector().correct(columns.frame_inds, shots, columns.tubelet, columns.boxes_px)
    seconds = time.perf_counter() - start
    known, ids = person >= 0, columns.tubelet
    before = known & (owners(ids, person)[ids] != person)
    after = known & (owners(new, person)[new] != person)
    kinds = {kind: sum(change.kind == kind for change in changes) for kind in ('relabel', 'exchange', 'split')}
    right, spoiled = int((before & ~after).sum()), int((after & ~before).sum())
    print(f'SEAL-mini {split}: {len(coarse.videos)} films, {len(ids)} boxes, corrected in {seconds:.2f} s')
    print(f'  changes: {", ".join(f"{count} {kind}" for kind, count in kinds.items())}')
    print(f'  wrong boxes before: {before.sum()} ({before.sum() / max(known.sum(), 1):.3%})')
    print(f'  put right: {right} ({right / max(before.sum(), 1):.1%})')
    print(f'  spoiled: {spoiled} ({spoiled / max((known & ~before).sum(), 1):.3%} of the right ones)')


def measure_heads(folder: Path, split: str) -> None:
    """Print how often the proxy for a visible head agrees with what the camera sees."""
    people = read_seal_json(folder / 'annotations' / f'people_{split}.json')
    columns = BoxColumns.of(people)
    head = (columns.flags & HEAD_VISIBLE) > 0
    guess = heads_in_sight(columns.boxes_px, columns.pictures())
    count = np.bincount(columns.tubelet)
    share, guessed = (np.bincount(columns.tubelet, values) / count for values in (head, guess))
    print(f'  heads visible: {head.mean():.2%} of {len(head)} boxes, by the proxy {guess.mean():.2%}')
    print(f'  the proxy agrees on {(guess == head).mean():.2%} of the boxes')
    print(f'  hidden heads that it finds: {(~guess & ~head).sum() / max((~head).sum(), 1):.1%}; ', end='')
    print(f'of those it calls hidden are so: {(~guess & ~head).sum() / max((~guess).sum(), 1):.1%}')
    same = ((share >= 1 / 3) == (guessed >= 1 / 3)).mean()
    print(f'  people for whom the rule of a third comes out alike: {same:.1%} of {len(share)}', end='; ')
    print(f'share of frames differs by {np.abs(share - guessed).mean():.3f} on average')


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='SEAL-mini, as tools/data/seal_mini/render.py makes it')
    parser.add_argument('--split', nargs='+', default=['test'], help='splits to measure (default: test)')
    args = parser.parse_args()
    for split in args.split:
        measure_switches(args.folder, split)
        measure_heads(args.folder, split)


if __name__ == '__main__':
    exit_on_input_error(main)
