"""Find the classes that a model confuses, so that people check their labels: SEAL's semantic cycle (Sec. 3.2).

  confusion_cycle.py --gt train.json --pred scores.csv --out cycle1
      compares AVA csv predictions (video,timestamp,x1,y1,x2,y2,action_id,score) with the clips of the annotations and
      writes confusion.json, confusion.png and relabel_queue.csv: where to look first.
  confusion_cycle.py --gt train.json --merge "cut=chop" --label-map atomic.json --out cycle1
      makes one class of two: writes cycle1/train.json with its boxes and cycle1/label_map_atomic.json.

The model only points at labels. It changes none.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

from mmtube.datasets.clip_index import LABEL_RULES, ClipIndex, clip_index
from mmtube.datasets.quality import Doubt, merge_classes, relabel_queue
from mmtube.datasets.statistics import class_names
from mmtube.errors import InputError, exit_on_input_error
from mmtube.evaluation.functional import confused_pairs, confused_samples, match_boxes, multi_label_confusion
from mmtube.evaluation.readers.ava_predictions import TIME_STEPS, read_ava_predictions
from mmtube.fileio import atomic_path, write_text
from mmtube.structures.seal import SEALAnnotations, read_label_map, read_seal_json, write_label_map, write_seal_json
from mmtube.visualization.confusion import draw_confusion


def matched(
    annotations: SEALAnnotations, index: ClipIndex, path: str, first_id: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the person-clips that have a prediction, its scores (N, C), and how many person-clips have none."""
    predictions = read_ava_predictions(path, index.num_classes, first_id=first_id)
    number = {vid: place for place, vid in enumerate(index.vids)}
    video = np.array([number.get(vid, -1) for vid in predictions.vids], np.int64)[predictions.video]
    if len(video) and (video < 0).all():
        raise InputError(f'{path}: none of its films is in {annotations.name}, such as {predictions.vids[0]!r}')
    size = np.array([(film.width, film.height) * 2 for film in annotations.videos.values()], float).reshape(-1, 4)
    rows = np.flatnonzero(index.key_valid)
    clips = index.row_clips[rows]
    span = 1 + int(max(index.key_s.max(initial=0), predictions.key_s.max(initial=0)) * TIME_STEPS)
    frames, other = (
        films * span + np.rint(key_s * TIME_STEPS).astype(np.int64)
        for films, key_s in ((index.clip_films[clips], index.key_s[clips]), (video, predictions.key_s))
    )
    match = match_boxes(index.key_boxes_px[rows] / size[index.clip_films[clips]], frames, predictions.boxes, other)
    return rows[match >= 0], predictions.scores[match[match >= 0]], int((match < 0).sum())


def write_queue(path: Path, doubts: list[Doubt], names: list[str]) -> None:
    """Write where to look first."""
    rows = [
        doubt._replace(label=names[doubt.label], predicted=names[doubt.predicted], score=round(doubt.score, 4))
        for doubt in doubts
    ]
    with atomic_path(path) as temporary, temporary.open('w', encoding='utf-8', newline='') as stream:
        csv.writer(stream, lineterminator='\n').writerows([Doubt._fields, *rows])


def compare(annotations: SEALAnnotations, args: argparse.Namespace) -> None:
    """Write and print what the model confuses."""
    label_maps = {args.task: read_label_map(args.label_map)} if args.label_map else {}
    names = class_names(annotations, label_maps)[0][args.task]
    index = clip_index(annotations, label_rule=args.label_rule, num_classes=len(names), task=args.task)
    rows, scores, unseen = matched(annotations, index, args.pred, args.first_id)
    truth = index.multi_hot(rows)
    confusion = multi_label_confusion(scores, truth, args.score_thr)
    pairs = confused_pairs(confusion, args.top, min_support=args.min_support)
    samples = confused_samples(scores, truth, pairs, args.score_thr)
    wrong = scores[samples[:, 1], samples[:, 3]]
    samples[:, 1] = rows[samples[:, 1]]
    told = [{**pair._asdict(), 'first': names[pair.first], 'second': names[pair.second]} for pair in pairs]
    document = {
        'person_clips': len(rows),
        'without_prediction': unseen,
        'pairs': told,
        'classes': [
            {'class': name, 'samples': int(total), 'predicted': int(hits), 'missed_beside_a_true_one': int(missed)}
            for name, total, hits, missed in zip(names, confusion.support, confusion.hits, confusion.misses)
        ],
        'confusion': [
            {'true': names[a], 'predicted': names[b], 'samples': int(confusion.matrix[a, b])}
            for a, b in np.argwhere(confusion.matrix)
        ],
    }
    write_text(args.out / 'confusion.json', json.dumps(document, indent=1) + '\n')
    draw_confusion(args.out / 'confusion.png', confusion.rates, [pair[:3] for pair in pairs], names)
    doubts = relabel_queue(annotations, index, samples, wrong)
    write_queue(args.out / 'relabel_queue.csv', doubts, names)
    print(f'{len(rows):,} person-clips have a prediction, {unseen:,} have none')
    for rank, pair in enumerate(told, 1):
        advice = ': one class? (--merge)' if pair['merge'] else ''
        counts = f'{pair["first_as_second"]} + {pair["second_as_first"]} person-clips'
        print(f'{rank}  {pair["rate"]:.2f}  {pair["first"]} / {pair["second"]}, {counts}{advice}')
    print(f'{args.out / "relabel_queue.csv"}: {len(doubts)} places to look at')


def merge(annotations: SEALAnnotations, args: argparse.Namespace) -> None:
    """Write annotations with fewer classes."""
    if not args.label_map:
        raise InputError('--merge: names the classes of a --label-map, which must be given')
    label_map, path = read_label_map(args.label_map), args.out / Path(args.gt).name
    if path.exists():
        raise InputError(f'{path}: is there already, a new --out is needed')
    for rule in args.merge:
        name, sign, into = rule.partition('=')
        if not sign:
            raise InputError(f'--merge: {rule!r} is not of the form A=B, the class that goes and the one that stays')
        before = len(annotations.instances(label_map.task))
        annotations, label_map = merge_classes(annotations, label_map, name.strip(), into.strip())
        joined = before - len(annotations.instances(label_map.task))
        print(
            f'{name.strip()} is {into.strip()} now, {joined} instances were joined, {len(label_map)} classes are left'
        )
    write_seal_json(annotations, path)
    write_label_map(label_map, args.out / f'label_map_{label_map.task}.json')
    print(f'{path}: written, with its boxes and label_map_{label_map.task}.json')


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--gt', required=True, metavar='FILE.json', help='annotations')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR')
    parser.add_argument('--pred', metavar='FILE.csv', help='predictions')
    parser.add_argument('--merge', action='append', metavar='A=B', help='class A becomes B; may be given several times')
    parser.add_argument('--label-map', metavar='FILE')
    parser.add_argument('--task', choices=('atomic', 'complex'), default='atomic')
    parser.add_argument('--label-rule', choices=LABEL_RULES, default='overlap', help='which labels a clip has')
    parser.add_argument('--first-id', type=int, default=1, help='action ID of class 0 in the csv (default: 1)')
    parser.add_argument('--score-thr', type=float, default=0.5, help='what counts as predicted (default: 0.5)')
    parser.add_argument('--top', type=int, default=5, help='pairs to look at (default: 5, as SEAL)')
    parser.add_argument('--min-support', type=int, default=10, help='person-clips that a class needs (default: 10)')
    args = parser.parse_args()
    if bool(args.pred) == bool(args.merge):
        raise InputError('give either --pred, to find confused classes, or --merge, to merge some')
    annotations = read_seal_json(args.gt)
    (compare if args.pred else merge)(annotations, args)


if __name__ == '__main__':
    exit_on_input_error(main)
