"""Seconds of our metrics and of MMAction2's functions on the same generated data, in one process, on one thread.

The data are of the size of FineAction's validation set (4,174 videos, 106 classes, 100 detections each), of AVA's key
times and of a few thousand films with tubes. Prints the ratio and the largest difference of the numbers; a peer that
takes minutes is timed on a share of its classes and scaled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np

from mmtube.evaluation.functional.proposals import area_under_curve, proposal_recalls
from mmtube.evaluation.functional.segments import ACTIVITYNET_THRESHOLDS, segment_average_precision
from mmtube.evaluation.functional.video_tubes import CONVENTIONS as TUBE_CONVENTIONS
from mmtube.evaluation.functional.video_tubes import canonical_truth, match_tubes, video_average_precision
from mmtube.evaluation.scoring.frame_conventions import CONVENTIONS
from mmtube.evaluation.scoring.frames import score_frames
from mmtube.evaluation.tables import BoxTable, SegmentTable, TubeTable

VIDEOS, DETECTIONS, CLASSES, TRUTHS = 4174, 100, 106, 24_236


def timed(run: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Return the least CPU seconds of some repeats, and what the last one returned."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        result = run()
        seconds.append(time.process_time() - start)
    return min(seconds), result


def report(what: str, ours_s: float, theirs_s: float, difference: float, share: float = 1.0) -> None:
    """Print one line."""
    part = f' (timed on {share:.0%} of the classes)' if share < 1 else ''
    ratio = theirs_s / ours_s
    print(f'{what:28s} {ours_s:7.2f} s {theirs_s:8.1f} s {ratio:7.1f} x   {difference:.1e}{part}', flush=True)


def make_segments(rng: np.random.Generator) -> tuple[SegmentTable, SegmentTable]:
    """Make ground truth, and detections of which half are near one."""
    names = [f'v_{number:05d}' for number in range(VIDEOS)]
    durations_s = rng.uniform(20, 300, VIDEOS)
    gt_video = np.r_[np.arange(VIDEOS), rng.integers(0, VIDEOS, TRUTHS - VIDEOS)]
    gt_video.sort()

    def segments(video: np.ndarray) -> np.ndarray:
        start_s = rng.uniform(0, 1, len(video)) * durations_s[video]
        return np.stack([start_s, start_s + np.exp(rng.normal(1, 1.2, len(video))) + 0.05], axis=1)

    gt_segments_s, gt_labels = segments(gt_video), rng.integers(0, CLASSES, TRUTHS)
    video = np.repeat(np.arange(VIDEOS), DETECTIONS)
    begin, count = np.searchsorted(gt_video, np.arange(VIDEOS)), np.bincount(gt_video, minlength=VIDEOS)
    source = begin[video] + (rng.random(len(video)) * count[video]).astype(np.int64)
    near = rng.random(len(video)) < 0.5
    shift_s = rng.normal(0, 0.15, (len(video), 2)) * np.diff(gt_segments_s[source])
    segments_s = np.where(near[:, None], gt_segments_s[source] + shift_s, segments(video))
    segments_s[:, 1] = np.maximum(segments_s[:, 1], segments_s[:, 0] + 0.01)
    right = near & (rng.random(len(video)) < 0.7)
    labels = np.where(right, gt_labels[source], rng.integers(0, CLASSES, len(video)))
    truth = SegmentTable(names, gt_video, gt_labels, segments_s=gt_segments_s, durations_s=durations_s)
    return truth, SegmentTable(names, video, labels, rng.random(len(video)), segments_s=segments_s)


def temporal(rng: np.random.Generator, share: float) -> None:
    """Temporal mAP and AR@AN beside ``average_precision_at_temporal_iou`` and ``average_recall_at_avg_proposals``."""
    from mmaction.evaluation.functional.accuracy import (
        average_precision_at_temporal_iou,
        average_recall_at_avg_proposals,
    )

    truth, found = make_segments(rng)
    thresholds = np.array(ACTIVITYNET_THRESHOLDS)
    ours_s, ap = timed(lambda: segment_average_precision(truth, found, thresholds, CLASSES), repeats=3)
    classes = range(max(round(CLASSES * share), 1))
    theirs_s, difference = 0.0, 0.0
    for label in classes:
        there: dict[str, list] = {}
        for video, segment in zip(truth.video[truth.labels == label], truth.segments_s[truth.labels == label]):
            there.setdefault(truth.videos[video], []).append(segment)
        mine = np.flatnonzero(found.labels == label)
        rows = [(truth.videos[found.video[row]], label, *found.segments_s[row], found.scores[row]) for row in mine]
        prediction = np.array(rows, object)
        seconds, peer = timed(lambda g=there, p=prediction: average_precision_at_temporal_iou(g, p, thresholds))
        theirs_s += seconds
        difference = max(difference, float(np.abs(peer - ap[:, label]).max()))
    report('temporal mAP', ours_s, theirs_s * CLASSES / len(classes), difference, len(classes) / CLASSES)

    ours_s, recalls = timed(lambda: proposal_recalls(truth, found, thresholds), repeats=3)
    edges = np.searchsorted(truth.video, np.arange(1, VIDEOS))
    there = dict(zip(truth.videos, np.split(truth.segments_s, edges)))
    proposals = np.column_stack([found.segments_s, found.scores]).reshape(VIDEOS, DETECTIONS, 3)
    theirs_s, peer = timed(
        lambda: average_recall_at_avg_proposals(there, dict(zip(truth.videos, proposals)), len(found), 100, thresholds)
    )
    report('AR@AN', ours_s, theirs_s, float(np.abs(peer[0] - recalls.recall()).max()))
    auc = 100 * area_under_curve(recalls.numbers, recalls.average_recall())
    print(f'{"AUC":28s} {auc:.4f}, theirs {peer[3]:.4f}')


def make_boxes(
    rng: np.random.Generator, videos: int = 30, frames: int = 100, people: int = 3, classes: int = 60
) -> tuple[BoxTable, BoxTable]:
    """Make people with two actions each at key times, and detections of nearly all classes near them."""
    num = videos * frames * people
    corner = rng.random((num, 2)) * 0.5
    boxes = np.concatenate([corner, corner + 0.2 + rng.random((num, 2)) * 0.3], axis=1)
    near = boxes + rng.normal(0, 0.03, boxes.shape)
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 0.01)
    video = np.repeat(np.arange(videos), frames * people)
    frame = np.tile(np.repeat(np.arange(frames), people), videos) * 1000
    scores = rng.random((num, classes)) ** 4
    gt_row, gt_label = np.nonzero(rng.random((num, classes)).argsort(axis=1) < 2)
    row, label = np.nonzero(scores > 0.05)
    names = [f'v{number:03d}' for number in range(videos)]
    truth = BoxTable(names, video[gt_row], gt_label, frames=frame[gt_row], boxes=boxes[gt_row])
    return truth, BoxTable(names, video[row], label, scores[row, label], frames=frame[row], boxes=near[row])


def rows_by_key(table: BoxTable) -> dict[tuple[int, int], np.ndarray]:
    """Return the rows of each key time, the most confident first."""
    score = np.zeros(len(table)) if table.scores is None else table.scores
    order = np.lexsort((-score, table.frames, table.video))
    video, frame = table.video[order], table.frames[order]
    edges = np.flatnonzero((np.diff(video) != 0) | (np.diff(frame) != 0)) + 1
    return {(int(table.video[rows[0]]), int(table.frames[rows[0]])): rows for rows in np.split(order, edges)}


def frame_map(rng: np.random.Generator) -> None:
    """Frame mAP beside the parts of ``ava_eval``, without its files and its pool of 32 processes."""
    from mmaction.evaluation.functional import ava_utils
    from mmaction.evaluation.functional.ava_evaluation import metrics

    truth, found = make_boxes(rng)
    classes = [str(label) for label in range(60)]
    gts, dets = rows_by_key(truth), rows_by_key(found)
    columns = [1, 0, 3, 2]
    items = [
        (
            truth.boxes[rows][:, columns].tolist(),
            truth.labels[rows].tolist(),
            found.boxes[dets[key]][:, columns].tolist(),
            found.labels[dets[key]].tolist(),
            found.scores[dets[key]].tolist(),
        )
        for key, rows in gts.items()
        if key in dets
    ]
    num_gts = np.bincount(truth.labels, minlength=len(classes))

    def theirs() -> float:
        scores: dict[int, list] = {label: [] for label in range(len(classes))}
        hits: dict[int, list] = {label: [] for label in range(len(classes))}
        for some_scores, some_hits in map(ava_utils.tpfp_single, items):
            for label, values in some_scores.items():
                scores[label].append(values)
                hits[label].append(some_hits[label])
        aps = []
        for label, num in enumerate(num_gts):
            pair = metrics.compute_precision_recall(np.concatenate(scores[label]), np.concatenate(hits[label]), num)
            aps.append(metrics.compute_average_precision(*pair))
        return float(np.nanmean(aps))

    def ours() -> float:
        result = score_frames(truth, found, classes, protocol='ava', convention=CONVENTIONS['mmaction2'])
        return result.metrics['mAP@0.5']

    ours_s, mine = timed(ours, repeats=3)
    theirs_s, peer = timed(theirs)
    report('frame mAP', ours_s, theirs_s, abs(mine - peer))


def make_tubes(
    rng: np.random.Generator, videos: int = 2000, truths: int = 4000, detections: int = 60_000, length: int = 40
) -> tuple[TubeTable, TubeTable]:
    """Make tubes of people who stand about in films of 100 frames, and shifted ones as predictions; 24 classes."""
    names = [f'v{number:05d}' for number in range(videos)]

    def table(
        video: np.ndarray, labels: np.ndarray, first: np.ndarray, boxes: np.ndarray, scores: Any = None
    ) -> TubeTable:
        frames = (first[:, None] + np.arange(length)).ravel()
        boxes_px = np.repeat(boxes, length, axis=0) + rng.normal(0, 2, (len(video) * length, 4))
        offsets = np.arange(len(video) + 1) * length
        return TubeTable(names, video, labels, scores, offsets=offsets, frames=frames, boxes_px=boxes_px)

    video, labels = rng.integers(0, videos, truths), rng.integers(0, 24, truths)
    first, corner = rng.integers(1, 60, truths), rng.random((truths, 2)) * 200
    boxes = np.column_stack([corner, corner + 80 + rng.random((truths, 2)) * 60])
    near = rng.integers(0, truths, detections)
    moved = np.maximum(first[near] + rng.integers(-20, 20, detections), 1)
    shifted = boxes[near] + rng.normal(0, 8, (detections, 4))
    found = table(video[near], labels[near], moved, shifted, rng.random(detections))
    return table(video, labels, first, boxes), found


def as_pickle(truth: TubeTable, found: TubeTable) -> tuple[dict, dict]:
    """Return the tubes as MMAction2 takes them."""
    ground: dict[str, dict] = {video: {} for video in truth.videos}
    tubes: dict[int, list] = {label: [] for label in range(24)}
    for table in (truth, found):
        rows = np.split(np.column_stack([table.frames, table.boxes_px]), table.offsets[1:-1])
        for number, part in enumerate(rows):
            video, label = table.videos[table.video[number]], int(table.labels[number])
            if table.scores is None:
                ground[video].setdefault(label, []).append(part)
            else:
                tubes[label].append((video, float(table.scores[number]), part))
    return dict(labels=[str(label) for label in range(24)], test_videos=[truth.videos], gttubes=ground), tubes


def video_map(rng: np.random.Generator) -> None:
    """Video mAP beside ``videoAP``: at one threshold, and at the 21 different ones of MultiSports' table."""
    from mmaction.evaluation.functional.multisports_utils import videoAP

    truth, found = make_tubes(rng)
    ground, tubes = as_pickle(truth, found)
    convention = TUBE_CONVENTIONS['multisports']
    every = np.unique(np.concatenate([convention.thresholds, *convention.means]))

    def ours(thresholds: np.ndarray) -> np.ndarray:
        ordered = canonical_truth(truth, convention)
        matches = match_tubes(ordered, found, convention, thresholds)
        return 100 * np.nanmean(video_average_precision(ordered, found, matches, 24, convention.integration), axis=1)

    one_s, mine = timed(lambda: ours(np.array([0.5])), repeats=3)
    theirs_s, peer = timed(lambda: videoAP(ground, tubes, 0.5, print_info=False), repeats=2)
    report('video mAP at 0.5', one_s, theirs_s, abs(mine[0] - peer))
    all_s, _ = timed(lambda: ours(every))
    runs = len(convention.thresholds) + sum(map(len, convention.means))
    print(
        f'{f"video mAP, its {runs} runs":28s} {all_s:7.2f} s {runs * theirs_s:8.1f} s {runs * theirs_s / all_s:7.1f} x'
    )


def two_million() -> None:
    """Seconds and memory of ``tools/evaluate.py activitynet`` on a JSON of 2 million detections, reading included."""
    rng, videos = np.random.default_rng(0), 20_000
    names = [f'class {number}' for number in range(CLASSES)]
    truth, found = {}, {}
    for number in range(videos):
        start_s, label = rng.random(DETECTIONS) * 100, rng.integers(0, CLASSES, DETECTIONS)
        spans = np.stack([start_s, start_s + rng.random(DETECTIONS) * 20 + 0.1], axis=1).tolist()
        rows = [{'segment': span, 'label': names[one]} for span, one in zip(spans, label)]
        truth[f'v_{number}'] = {'subset': 'validation', 'duration': 120.0, 'annotations': rows[:2]}
        found[f'v_{number}'] = json.dumps(
            [{**row, 'score': score} for row, score in zip(rows, rng.random(DETECTIONS).tolist())]
        )
    with tempfile.TemporaryDirectory() as folder:
        gt, pred = Path(folder, 'gt.json'), Path(folder, 'pred.json')
        gt.write_text(json.dumps({'database': truth}))
        with pred.open('w') as stream:
            stream.write('{"results": {' + ', '.join(f'"{name}": {rows}' for name, rows in found.items()) + '}}')
        del truth, found
        tool = [sys.executable, str(Path(__file__).parents[1] / 'evaluate.py'), 'activitynet']
        # Memory is the tool's own: this process is larger, and a child begins as its copy.
        code = 'import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); '
        code += (
            'used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss)'
        )
        call = [sys.executable, '-c', code, *tool, '--gt', str(gt), '--pred', str(pred)]
        seconds, kib = map(float, subprocess.run(call, check=True, capture_output=True, text=True).stdout.split())
        size_mb = pred.stat().st_size / 1e6
    print(f'{"2 million detections, JSON":28s} {seconds:7.2f} s {kib / 1024**2:8.2f} GiB, a file of {size_mb:.0f} MB')


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--share', type=float, default=1.0, help='of the classes a slow peer is timed on (default: 1)')
    args = parser.parse_args()
    print(f'{"":28s} {"ours":>9s} {"MMAction2":>10s} {"ratio":>9s}   largest difference')
    rng = np.random.default_rng(0)
    temporal(rng, args.share)
    frame_map(rng)
    video_map(rng)
    two_million()


if __name__ == '__main__':
    main()
