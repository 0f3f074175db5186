"""Draw clips as the network gets them: frames after all transforms, the boxes really used, the labels.

The first thing to look at when a loss falls and a score stays at 0: boxes in other pixels, labels off by one and
seconds taken for frames are seen at once. Boxes are drawn thick in the frames of their own time, thin in the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import DictAction
from mmengine.registry import DefaultScope, init_default_scope

from mmtube.config import load_config
from mmtube.engine.cli import readable_errors
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path
from mmtube.registry import DATASETS
from mmtube.visualization.clip_sheet import clip_sheet


def sheet_of(item: dict[str, Any], names: tuple[str, ...], num_frames: int, first_label: int) -> np.ndarray:
    """Draw one packed clip."""
    sample, clip = item['data_samples'], item['inputs'].numpy()
    shown = np.linspace(0, clip.shape[1] - 1, min(num_frames, clip.shape[1])).round().astype(int)
    key = int(np.abs(np.asarray(sample.frame_times_s) - sample.key_s).argmin())
    shown[np.abs(shown - key).argmin()] = key  # the frame at the key time is always among them
    frames = [np.ascontiguousarray(clip[::-1, index].transpose(1, 2, 0)) for index in shown]  # RGB to BGR
    truth = sample.gt_instances
    times_s = np.asarray(sample.frame_times_s)[shown]
    box_times_s = np.atleast_1d(sample.box_times_s if 'tube_boxes' in truth else sample.key_s)
    away_s = np.abs(np.subtract.outer(times_s, box_times_s))
    nearest = away_s.argmin(axis=1)
    exact = away_s.min(axis=1) <= (np.diff(box_times_s).max() / 2 + 1e-6 if len(box_times_s) > 1 else 0.1)
    if 'tube_boxes' in truth:
        boxes, valid = truth.tube_boxes.numpy()[:, nearest], truth.tube_valid.numpy()[:, nearest]
    else:
        boxes = np.repeat(truth.bboxes.numpy()[:, None], len(shown), axis=1)
        valid = np.ones(boxes.shape[:2], bool)

    def name(label: int) -> str:
        return names[label - first_label] if 0 <= label - first_label < len(names) else f'class {label}'

    captions = [', '.join(name(label) for label in np.flatnonzero(row)) or 'no label' for row in truth.labels.numpy()]
    height, width = frames[0].shape[:2]
    title = f'{sample.img_key}: key time {sample.key_s:g} s, {clip.shape[1]} frames of {width}x{height}'
    told = [f'{time_s:.2f} s' for time_s in times_s]
    return clip_sheet(frames, boxes, valid, truth.person_ids.tolist(), captions, title, told, exact)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config with a data set of clips')
    parser.add_argument('--out', required=True, help='folder for the pictures')
    parser.add_argument(
        '--loader', default='train', choices=['train', 'val', 'test'], help='which data set (default: train)'
    )
    parser.add_argument('--count', type=int, default=8, help='clips, spread evenly over the data set (default: 8)')
    parser.add_argument('--frames', type=int, default=6, help='frames of each clip (default: 6)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='overrides')
    args = parser.parse_args()
    if args.count < 1 or args.frames < 1:
        raise InputError(f'--count and --frames must be positive, got {args.count} and {args.frames}')
    cfg = load_config(args.config, args.cfg_options)
    if f'{args.loader}_dataloader' not in cfg:
        raise InputError(f'{args.config}: has no {args.loader}_dataloader')
    init_default_scope(cfg.get('default_scope', 'mmtube'))
    with readable_errors(args.config), DefaultScope.overwrite_default_scope('mmtube'):
        try:
            dataset = DATASETS.build(cfg[f'{args.loader}_dataloader'].dataset)
        except InputError:
            raise
        except (TypeError, ValueError) as error:  # an argument that does not fit
            raise InputError(f'{args.config}: {args.loader}_dataloader.dataset: {error}') from None
    if not hasattr(dataset, 'item_labels'):
        raise InputError(f'{args.config}: {type(dataset).__name__} is no data set of clips')
    names, first_label = tuple(dataset.metainfo.get('classes', ())), int(dataset.background_class)
    for index in np.unique(np.linspace(0, len(dataset) - 1, args.count).round().astype(int)):
        sheet = sheet_of(dataset[int(index)], names, args.frames, first_label)
        path = Path(args.out, f'{index:06d}.png')
        with atomic_path(path) as temporary:
            cv2.imwrite(str(temporary), sheet)
        print(f'written: {path}')


if __name__ == '__main__':
    exit_on_input_error(main)
