"""Compare the operators of ``mmtube.compat`` with those of a compiled mmcv on random input.

Run it in an environment that has compiled mmcv. It prints the largest difference per operator and mode. Exit code 0:
all within tolerance, 1: some are not, 2: mmcv is not compiled here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from types import ModuleType

import torch
from torch import Tensor

import mmtube
from mmtube.compat import mmcv_nms, mmcv_roi_align

METHODS = ('naive', 'linear', 'gaussian')
Case = tuple[str, float]


def random_boxes(count: int, ties: bool, generator: torch.Generator, size_px: float = 100.0) -> tuple[Tensor, Tensor]:
    """Boxes with many overlaps, some twins, some without area; scores all different, or with many ties.

    The order that mmcv's ``nms`` and ``nms_match`` give to equal scores is that of an unstable sort, which no two
    builds need share. So only Soft-NMS, which does not sort, is compared on ties.
    """
    centers = torch.rand(count, 2, generator=generator) * size_px
    sizes = torch.rand(count, 2, generator=generator) * size_px / 3
    boxes = torch.cat([centers - sizes / 2, centers + sizes / 2], dim=1)
    boxes[1::7] = boxes[: len(boxes[1::7])]
    boxes[3::31, 2] = boxes[3::31, 0]
    scores = (torch.randperm(count, generator=generator) + 1) / (count + 1)
    return boxes, (scores * 50).round() / 50 if ties else scores


def compare_nms(ext: ModuleType, generator: torch.Generator) -> Iterator[Case]:
    for count, threshold, offset in product((0, 1, 17, 300, 2500), (0.0, 0.3, 0.5, 0.7), (0, 1)):
        boxes, scores = random_boxes(count, False, generator)
        ours = mmcv_nms.nms(boxes, scores, iou_threshold=threshold, offset=offset)
        theirs = ext.nms(boxes, scores, iou_threshold=threshold, offset=offset)
        yield f'nms offset={offset}', 0.0 if torch.equal(ours, theirs) else float('inf')


def compare_nms_match(ext: ModuleType, generator: torch.Generator) -> Iterator[Case]:
    for count, threshold in product((1, 17, 300, 1500), (0.0, 0.3, 0.7)):
        boxes, scores = random_boxes(count, False, generator)
        dets = torch.cat([boxes, scores[:, None]], dim=1)
        same = mmcv_nms.nms_match(dets, iou_threshold=threshold) == ext.nms_match(dets, iou_threshold=threshold)
        yield 'nms_match', 0.0 if same else float('inf')


def compare_softnms(ext: ModuleType, generator: torch.Generator) -> Iterator[Case]:
    for count, threshold, method, offset in product((0, 1, 17, 400), (0.2, 0.6), range(3), (0, 1)):
        boxes, scores = random_boxes(count, True, generator)
        settings = {'iou_threshold': threshold, 'sigma': 0.5, 'min_score': 1e-3, 'method': method, 'offset': offset}
        dets = [boxes.new_zeros(count, 5) for _ in range(2)]
        inds = [
            function(boxes, scores, out, **settings) for function, out in zip((mmcv_nms.softnms, ext.softnms), dets)
        ]
        name = f'softnms {METHODS[method]} offset={offset}'
        if not torch.equal(*inds):
            yield name, float('inf')
        else:
            ours, theirs = (out[: len(inds[0])] for out in dets)
            yield name, (ours - theirs).abs().max().item() if len(ours) else 0.0


def compare_roi_align(ext: ModuleType, generator: torch.Generator) -> Iterator[Case]:
    shapes = ((1, 1, 1, 1), (2, 3, 13, 17), (2, 16, 40, 32))
    sizes, ratios, scales = ((7, 7), (1, 1), (3, 5)), (0, 1, 2, 3), (1.0, 0.25, 1 / 3)
    modes = product(('max', 'avg'), (False, True), (torch.float32, torch.float64))
    for (mode, aligned, dtype), shape, size, ratio, scale in product(list(modes), shapes, sizes, ratios, scales):
        maps = torch.randn(shape, generator=generator, dtype=dtype)
        corners = (torch.rand(9, 2, 2, generator=generator) * 1.6 - 0.3) * torch.tensor(shape[:1:-1]) / scale
        boxes = torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=1)
        boxes[0, 2:] = boxes[0, :2]
        rois = torch.cat([torch.arange(len(boxes))[:, None] % shape[0], boxes], dim=1).to(dtype)
        grads = torch.randn(len(rois), shape[1], *size, generator=generator, dtype=dtype)
        pool_mode = ('max', 'avg').index(mode)
        settings = {
            'aligned_height': size[0],
            'aligned_width': size[1],
            'spatial_scale': scale,
            'sampling_ratio': ratio,
            'pool_mode': pool_mode,
            'aligned': aligned,
        }
        results = []
        for module in (mmcv_roi_align, ext):
            pooled = torch.zeros_like(grads)
            argmax = [torch.zeros_like(grads) if pool_mode == 0 else grads.new_zeros(0) for _ in range(2)]
            module.roi_align_forward(maps, rois, pooled, *argmax, **settings)
            grad_maps = torch.zeros_like(maps)
            module.roi_align_backward(grads, rois, *argmax, grad_maps, **settings)
            results.append((pooled, grad_maps))
        (ours, our_grads), (theirs, their_grads) = results
        label = f'{mode} aligned={aligned} {str(dtype).split(".")[1]}'
        yield f'roi_align_forward {label}', (ours - theirs).abs().max().item()
        yield f'roi_align_backward {label}', (our_grads - their_grads).abs().max().item()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', type=int, default=5, help='random inputs per shape and mode (default: 5)')
    parser.add_argument('--tolerance', type=float, default=5e-5, help='largest difference allowed (default: 5e-5)')
    args = parser.parse_args()
    try:
        import mmcv._ext as ext
    except ImportError:
        ext = None
    if getattr(ext, '__file__', None) is None:
        print('mmcv is not compiled in this environment: there is nothing to compare with', file=sys.stderr)
        return 2
    worst: dict[str, float] = {}
    cases: dict[str, int] = {}
    for seed in range(args.seeds):
        generator = torch.Generator().manual_seed(seed)
        for compare in (compare_nms, compare_nms_match, compare_softnms, compare_roi_align):
            for name, difference in compare(ext, generator):
                worst[name] = max(worst.get(name, 0.0), difference)
                cases[name] = cases.get(name, 0) + 1
    print(
        f'mmtube {mmtube.__version__} against {ext.__file__}\n{"operator":50} {"cases":>6} {"largest difference":>19}'
    )
    for name, difference in worst.items():
        print(f'{name:50} {cases[name]:6d} {difference:19.2e}{"" if difference <= args.tolerance else "  TOO LARGE"}')
    return int(max(worst.values()) > args.tolerance)


if __name__ == '__main__':
    sys.exit(main())
