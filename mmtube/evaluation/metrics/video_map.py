"""Video mAP in a Runner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmtube.errors import InputError
from mmtube.evaluation.functional.tube_linking import link_boxes
from mmtube.evaluation.functional.video_tubes import CONVENTIONS, pixels_of
from mmtube.evaluation.protocols.video_map import chosen_convention, link_note, link_text
from mmtube.evaluation.readers.act_files import read_act_truth
from mmtube.evaluation.result import EvaluationResult
from mmtube.evaluation.scoring.tubes import score_tables
from mmtube.evaluation.tables import BoxTable, TubeTable
from mmtube.registry import METRICS
from mmtube.structures.io import load_pickle

from .base import EvaluationMetric

LABELS = ('best', 'all')


@METRICS.register_module()
class VideoMAP(EvaluationMetric):
    """Video mAP of UCF101-24, JHMDB and MultiSports: the numbers of ``tools/evaluate.py video-map``.

    A sample is a key frame with ``video_id``, ``timestamp`` (the frame, from 1) and ``pred_instances``: ``bboxes``
    (n, 4) half open, as fractions of the frame, and ``scores`` (n, C), as MMAction2's detectors give them; the boxes of
    all samples are joined to tubes. Or it brings whole tubes in ``pred_tubes``: dicts of ``video_id``, ``label``,
    ``score``, ``frames`` (T,) from 1 and ``boxes`` (T, 4) half open in pixels, which are scored as they are. Either all
    samples have ``pred_tubes`` or none.

    Args:
        ann_file (str): Ground truth, the pickle of the ACT scripts.
        convention (str): ``'act'`` (UCF101-24, JHMDB), ``'multisports'`` or ``'plain'``. Defaults to 'multisports'.
        split (int): Split of the test videos in the pickle, from 0. Defaults to 0.
        labels (str): ``'best'``: a box has the class of its highest score, as in MMAction2. ``'all'``: it counts for
            each class whose score reaches ``score_thr``. Defaults to 'best'.
        score_thr (float): Lowest score that is kept with ``labels='all'``. Defaults to 0.01.
        background_class (bool): Whether column 0 of the scores is no class. Defaults to False.
        iou (Sequence[float]): Further thresholds. Defaults to none.
        skip (Sequence[str] | None): Names of classes that are not scored. Defaults to None: by the convention.
        link (dict[str, Any] | None): Options of :func:`~mmtube.evaluation.functional.tube_linking.link_boxes`. Defaults
            to None.
        fps (float): Frames per second, for times in tables. Defaults to 25.
        kwargs (Any): Those of ``EvaluationMetric``.

    Raises:
        InputError: If ``ann_file`` cannot be used; on scoring also if a video or a class of a sample is unknown.
        ValueError: If ``convention`` or ``labels`` is unknown.
    """

    default_prefix = 'video_map'

    def __init__(
        self,
        ann_file: str,
        convention: str = 'multisports',
        split: int = 0,
        labels: str = 'best',
        score_thr: float = 0.01,
        background_class: bool = False,
        iou: Sequence[float] = (),
        skip: Sequence[str] | None = None,
        link: dict[str, Any] | None = None,
        fps: float = 25.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if convention not in CONVENTIONS or labels not in LABELS:
            raise ValueError(
                f'convention must be one of {tuple(CONVENTIONS)} and labels one of {LABELS}, '
                f'got {convention!r} and {labels!r}'
            )
        self.truth, self.classes = read_act_truth(ann_file, split)
        self.resolution = load_pickle(ann_file).get('resolution', {})
        self.convention_name = convention
        self.convention = chosen_convention(convention, iou=iou, skip=skip)
        self.labels = labels
        self.score_thr = score_thr
        self.background_class = background_class
        self.link = {**(link or {})}
        self.fps = fps
        none = BoxTable([], *(np.zeros(0, np.int64),) * 2, np.zeros(0))
        link_boxes(none, **self.link)  # an unknown option is told now

    def record(self, sample: dict) -> dict[str, Any]:
        """Keep the tubes, or the boxes with their scores."""
        if 'pred_tubes' in sample:
            return {'tubes': [{key: _plain(value) for key, value in tube.items()} for tube in sample['pred_tubes']]}
        found = sample['pred_instances']
        boxes, scores = _plain(found['bboxes']).reshape(-1, 4), _plain(found['scores'])
        scores = scores.reshape(len(boxes), -1 if len(boxes) else 1)[:, int(self.background_class) :]
        if self.labels == 'best':
            rows, labels = np.arange(len(boxes)), scores.argmax(axis=1) if len(boxes) else np.zeros(0, np.int64)
        else:
            rows, labels = np.nonzero(scores >= self.score_thr)
        return {
            'video': str(sample['video_id']).removesuffix('.mp4'),
            'frame': int(sample['timestamp']),
            'boxes': boxes[rows],
            'labels': labels,
            'scores': scores[rows, labels],
        }

    def evaluate_records(self, records: list) -> EvaluationResult:
        """Join the boxes to tubes where there are boxes, and score."""
        with_tubes = [record for record in records if 'tubes' in record]
        if 0 < len(with_tubes) < len(records):
            raise InputError(f'{len(with_tubes)} of {len(records)} samples have pred_tubes: either all have or none')
        linked, notes = '', []
        if with_tubes:
            found = self._tubes([tube for record in records for tube in record['tubes']])
        else:
            boxes = self._boxes(records)
            found = link_boxes(boxes, **self.link)
            linked = link_text(self.link)
            notes = [link_note(len(boxes), len(found))]
        result = score_tables(self.truth, found, self.classes, self.convention, fps=self.fps)
        result.convention = f'convention {self.convention_name}; {result.convention}{linked}'
        result.notes = notes + result.notes
        return result

    def _boxes(self, records: Sequence[dict[str, Any]]) -> BoxTable:
        names = sorted({record['video'] for record in records})
        for name in names:
            if name not in self.resolution:
                raise InputError(f'{self.truth.name}: has no resolution of the video {name!r} of a sample')
        number = {name: place for place, name in enumerate(names)}
        counts = [len(record['labels']) for record in records]
        sizes = np.array([tuple(self.resolution[record['video']])[::-1] for record in records], float).reshape(-1, 2)
        boxes = _joined(records, 'boxes', (0, 4)) * np.tile(sizes, 2).repeat(counts, axis=0)
        table = BoxTable(
            names,
            np.repeat(np.array([number[record['video']] for record in records], np.int64), counts),
            _joined(records, 'labels', 0).astype(np.int64),
            _joined(records, 'scores', 0).astype(np.float64),
            'samples',
            frames=np.repeat(np.array([record['frame'] for record in records], np.int64), counts),
            boxes=pixels_of(self.convention, boxes),
        )
        table.check(len(self.classes))
        return table

    def _tubes(self, tubes: Sequence[dict[str, Any]]) -> TubeTable:
        names = sorted({str(tube['video_id']) for tube in tubes})
        number = {name: place for place, name in enumerate(names)}
        for place, tube in enumerate(tubes):
            if np.shape(tube['boxes']) != (len(tube['frames']), 4):
                raise InputError(
                    f'pred_tubes: tube {place}: {len(tube["frames"])} frames, boxes {np.shape(tube["boxes"])}'
                )
        boxes = _joined(tubes, 'boxes', (0, 4)).astype(np.float64)
        return TubeTable(
            names,
            np.array([number[str(tube['video_id'])] for tube in tubes], np.int64),
            np.array([int(tube['label']) for tube in tubes], np.int64),
            np.array([float(tube['score']) for tube in tubes], np.float64),
            'pred_tubes',
            lambda row: f'tube {row}',
            offsets=np.cumsum([0, *(len(tube['frames']) for tube in tubes)]),
            frames=_joined(tubes, 'frames', 0).astype(np.int64),
            boxes_px=pixels_of(self.convention, boxes),
        )


def _joined(rows: Sequence[dict[str, Any]], key: str, empty: int | tuple[int, ...]) -> np.ndarray:
    return np.concatenate([np.zeros(empty), *(row[key] for row in rows)])


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, 'detach') else value
