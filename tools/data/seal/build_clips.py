"""Cut SEAL Tubes into SEAL Clips and write them for tools that do not know tubes; count them; freeze the class rank.

For each file, named after it:
  <stem>.csv            the key frames as AVA csv: video,timestamp,x1,y1,x2,y2,action_id,person_id, boxes as fractions
                        of the frame, actions from 1. AVA's layout, because MMAction2, PySlowFast and AVA's own
                        evaluation read it. Both box rates are scored on these key frames.
  <stem>_people.csv     video,timestamp,x1,y1,x2,y2,person_id of all people in key frames, with an action or not.
  <stem>_boxes<R>.npz   with --boxes-per-s R > 1: R boxes per second of each person-clip; AVA has no layout for them.
And for all files together class_rank_<task>.json, the classes by how many person-clips they have. Subsets such as top60
follow from it, so it is written once; a run that would give another order is refused.

mmtube itself needs none of these: its SEALClips data set cuts tubes in about a second.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mmtube.datasets.clip_index import LABEL_RULES, ClipIndex, clip_index
from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path
from mmtube.ops import clip_boxes
from mmtube.structures.seal import ClassRank, SEALAnnotations, read_label_map, read_seal_json, write_class_rank

STEPS = 1_000_000  # boxes are written to a millionth of the frame, as mmtube.structures.io does


def key_frames(annotations: SEALAnnotations, index: ClipIndex) -> tuple[np.ndarray, list[str]]:
    """Return the rows with a box within the frame at the key time, and each one's ``video,timestamp,x1,y1,x2,y2``."""
    films = index.clip_films[index.row_clips]
    size = np.array([(video.width, video.height) * 2 for video in annotations.videos.values()], float).reshape(-1, 4)
    boxes = np.rint(clip_boxes(index.key_boxes_px / size[films], 1, 1) * STEPS).astype(np.int64)
    rows = np.flatnonzero(index.key_valid & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    texts = []
    for film, key_s, box in zip(
        films[rows].tolist(), index.key_s[index.row_clips[rows]].tolist(), boxes[rows].tolist()
    ):
        time = f'{int(key_s):04d}' if key_s.is_integer() else repr(key_s)
        texts.append(f'{index.vids[film]},{time},' + ','.join(f'{value / STEPS:.6g}' for value in box))
    return rows, texts


def write_csvs(annotations: SEALAnnotations, index: ClipIndex, folder: Path, stem: str) -> int:
    """Write both csv files; returns how many rows have an action."""
    comma = next((vid for vid in index.vids if set(vid) & set(',"\n')), None)
    if comma is not None:
        raise InputError(f'{annotations.name}: the film ID {comma!r} cannot stand in a csv')
    rows, texts = key_frames(annotations, index)
    people, lines = index.person_ids[rows].tolist(), []
    begins, ends = index.label_offsets[rows].tolist(), index.label_offsets[rows + 1].tolist()
    actions = (index.labels + 1).tolist()
    for text, person, begin, end in zip(texts, people, begins, ends):
        lines += [f'{text},{action},{person}\n' for action in actions[begin:end]]
    for name, content in ((f'{stem}.csv', lines), (f'{stem}_people.csv', map('{},{}\n'.format, texts, people))):
        with atomic_path(folder / name) as temporary, temporary.open('w', encoding='utf-8') as stream:
            stream.writelines(content)
    return len(lines)


def write_boxes(index: ClipIndex, path: Path) -> None:
    """Write the boxes of each person-clip; texts and numbers only, so that no pickle is needed to read them."""
    clips = index.row_clips
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            vids=np.array(index.vids, str),
            video=index.clip_films[clips].astype(np.int32),
            key_s=index.key_s[clips],
            person_id=index.person_ids,
            tid=np.array(index.tids, str)[index.row_tubelets],
            offset_s=index.box_offsets_s - index.window_s / 2,
            boxes_px=index.boxes_px,
            valid=index.valid,
            label_offsets=index.label_offsets,
            labels=index.labels,
        )


def cut(annotations: SEALAnnotations, args: argparse.Namespace, classes: int) -> ClipIndex:
    """Cut the films of a file into clips."""
    rules = (args.window_s, args.stride_s, args.boxes_per_s, args.label_rule, args.min_overlap)
    try:
        return clip_index(annotations, *rules, classes, task=args.task)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f'--window-s, --stride-s, --min-overlap: {error}') from None


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+', metavar='FILE.json', help='annotations, one file for each split')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR')
    parser.add_argument('--boxes-per-s', type=int, default=1, choices=range(1, 31), metavar='R', help='default: 1')
    parser.add_argument('--label-rule', choices=LABEL_RULES, default='overlap', help='when an instance is a label')
    parser.add_argument('--min-overlap', type=float, default=0.5, help='for the rule overlap (default: 0.5)')
    parser.add_argument('--window-s', type=float, default=2.0)
    parser.add_argument('--stride-s', type=float, default=1.0)
    parser.add_argument('--task', choices=('atomic', 'complex'), default='atomic')
    parser.add_argument('--label-map', metavar='FILE', help='default: as many classes as the highest label says')
    args = parser.parse_args()
    files = [read_seal_json(path) for path in args.files]
    stems = [Path(path).stem for path in args.files]
    if len(set(stems)) < len(stems):
        raise InputError(
            f'{args.out}: two files are named {max(stems, key=stems.count)!r}, one would replace the other'
        )
    highest = max(int(file.instances(args.task).labels.max(initial=-1)) for file in files)
    classes = len(read_label_map(args.label_map)) if args.label_map else highest + 1
    indexes = [cut(file, args, classes) for file in files]
    totals = np.sum([index.class_counts() for index in indexes], axis=0)
    source = f'person-clips of {", ".join(stems)}, label rule {args.label_rule}'
    rank = ClassRank.count(args.task, np.repeat(np.arange(classes), totals), classes, source)
    write_class_rank(rank, args.out / f'class_rank_{args.task}.json')  # first: it may be frozen in another order
    for file, index, stem in zip(files, indexes, stems):
        written = write_csvs(file, index, args.out, stem)
        if args.boxes_per_s > 1:
            write_boxes(index, args.out / f'{stem}_boxes{args.boxes_per_s}.npz')
        with_people = int((np.diff(index.row_offsets) > 0).sum())
        print(
            f'{stem}: {len(index):,} clips, {with_people:,} with people, {index.num_rows:,} person-clips, '
            f'{int(index.valid.sum()):,} boxes, {len(index.labels):,} labels, {written:,} csv rows'
        )
    print(f'{args.out / f"class_rank_{args.task}.json"}: {classes} classes')


if __name__ == '__main__':
    exit_on_input_error(main)
