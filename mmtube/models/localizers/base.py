"""What all temporal detectors on tubelets and videos have in common."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

from mmtube.ops.segment_nms import segment_nms
from mmtube.registry import MODELS
from mmtube.structures.feature_grid import rows_to_seconds, window_starts

EDGE = 0.5  # rows are as wide as they are apart


@dataclass
class Truth:
    """Instances of one sequence.

    Args:
        segments (Tensor): (n, 2) float rows, of positive length.
        labels (Tensor): (n,) int64.
    """

    segments: Tensor
    labels: Tensor


@dataclass
class Candidates:
    """Segments found in one sequence, before suppression.

    Args:
        segments (Tensor): (M, 2) rows.
        scores (Tensor): (M,) in [0, 1].
        labels (Tensor): (M,) int64.
    """

    segments: Tensor
    scores: Tensor
    labels: Tensor

    @classmethod
    def from_table(cls, segments: Tensor, scores: Tensor, min_score: float, most: int) -> Candidates:
        """Take the best pairs of a segment and a class.

        Args:
            segments (Tensor): (P, 2), or (P, C, 2) where each class has its own.
            scores (Tensor): (P, C).
            min_score (float): Pairs below are left out.
            most (int): Pairs at most.
        """
        place, labels, values = best_pairs(scores, min_score, most)
        chosen = segments[place] if segments.dim() == 2 else segments[place, labels]
        return cls(chosen, values, labels)


def best_pairs(scores: Tensor, min_score: float, most: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best pairs of a place and a class, best first; of equal ones the first.

    Args:
        scores (Tensor): (P, C).
        min_score (float): Pairs below are left out.
        most (int): Pairs at most.

    Returns:
        tuple[Tensor, Tensor, Tensor]: (M,) int64 places, (M,) int64 classes and (M,) scores.
    """
    index = (scores >= min_score).flatten().nonzero()[:, 0]
    values, order = scores.flatten()[index].sort(descending=True, stable=True)
    index = index[order[:most]]
    return index // scores.shape[1], index % scores.shape[1], values[:most]


class TemporalLocalizer(BaseModel, metaclass=ABCMeta):
    """A stem, and what a subclass makes of its sequence: losses in training, candidates in testing.

    Sequences longer than ``window_rows`` are looked at in windows that overlap; the candidates of all windows of a
    sequence are suppressed together. Times are those of the film: rows go back to seconds by the ``offset_s`` and
    ``rate`` of the sample, clipped to ``[t0_s, t1_s]``. A masked row is as one beyond the end: a batch of sequences of
    different lengths gives what each alone gives.

    Args:
        stem (dict): See :class:`~mmtube.models.localizers.stem.StreamStem`.
        num_classes (int): Classes.
        window_rows (int | None): Rows of a window in testing. Defaults to None: each sequence as a whole.
        window_overlap (float): Share of a window that the next one shares. Defaults to 0.5.
        windows_per_pass (int): Windows of a forward pass in testing, which bounds the memory. Defaults to 16.
        nms (dict | None): Arguments of :func:`mmtube.ops.segment_nms.segment_nms`. Defaults to None: Soft-NMS with
            sigma 0.5.
        min_score (float): Lowest score, before and after suppression. Defaults to 1e-3.
        max_per_sequence (int): Segments of a sequence at most. Defaults to 200.
        data_preprocessor (dict | None): Of MMEngine. Defaults to None.
        init_cfg (dict | None): Of MMEngine. Defaults to None.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        stem: dict,
        num_classes: int,
        window_rows: int | None = None,
        window_overlap: float = 0.5,
        windows_per_pass: int = 16,
        nms: dict | None = None,
        min_score: float = 1e-3,
        max_per_sequence: int = 200,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if num_classes < 1 or windows_per_pass < 1 or max_per_sequence < 1 or not 0 <= window_overlap < 1:
            told = f'{num_classes=}, {windows_per_pass=}, {max_per_sequence=}, {window_overlap=}'
            raise ValueError(f'numbers must be positive and the overlap in [0, 1): {told}')
        if window_rows is not None and window_rows < 1:
            raise ValueError(f'window_rows must be positive, got {window_rows}')
        self.stem: nn.Module = MODELS.build({'type': 'StreamStem', **stem})
        self.num_classes = num_classes
        self.window_rows, self.window_overlap, self.windows_per_pass = window_rows, window_overlap, windows_per_pass
        self.nms = dict(nms or {})
        self.min_score, self.max_per_sequence = min_score, max_per_sequence

    @abstractmethod
    def losses(self, base: Tensor, mask: Tensor, truths: list[Truth], parts: list[Tensor]) -> dict[str, Tensor]:
        """Return the losses; those named ``loss...`` are added up.

        Args:
            base (Tensor): (N, C, T) from the stem.
            mask (Tensor): (N, T) bool.
            truths (list[Truth]): Of each sequence; may be empty.
            parts (list[Tensor]): (N, C, T) of each stream alone.
        """

    @abstractmethod
    def find(self, base: Tensor, mask: Tensor) -> list[Candidates]:
        """Return what is found in each sequence.

        Args:
            base (Tensor): (N, C, T) from the stem.
            mask (Tensor): (N, T) bool; each sequence has a row that counts.
        """

    def forward(
        self, inputs: dict[str, Tensor], data_samples: list[ActionDataSample] | None = None, mode: str = 'tensor'
    ) -> Any:
        """Losses (``mode='loss'``), samples with ``pred_segments`` (``'predict'``), or what the stem makes.

        Args:
            inputs (dict): ``features`` (N, C, T) and ``mask`` (N, T), as ``tubelet_collate`` makes them.
            data_samples (list[ActionDataSample] | None): As ``PackTubelet`` makes them. Defaults to None.
            mode (str): Defaults to 'tensor'.

        Raises:
            ValueError: If the mode is unknown, or it needs samples and there are none.
        """
        features, mask = inputs['features'], inputs['mask']
        if mode == 'tensor':
            return self.stem(features, mask)[0]
        if mode not in ('loss', 'predict') or data_samples is None:
            raise ValueError(f'mode must be tensor, loss or predict, the last two with samples; got {mode!r}')
        if mode == 'predict':
            return self.predict(features, mask, data_samples)
        base, parts = self.stem(features, mask)
        return self.losses(base, mask, [self.truth(sample, mask.device) for sample in data_samples], parts)

    @staticmethod
    def truth(sample: ActionDataSample, device: torch.device) -> Truth:
        """Return the instances of a sample that have a length."""
        segments = sample.gt_instances.segments.to(device, torch.float32)
        keep = segments[:, 1] > segments[:, 0]
        return Truth(segments[keep], sample.gt_instances.labels.to(device)[keep])

    def windows(self, rows: int) -> list[tuple[int, int]]:
        """Return the windows of a sequence as half-open ranges of rows; the last one ends where it ends."""
        size = rows if self.window_rows is None else self.window_rows
        return [(begin, min(begin + size, rows)) for begin in window_starts(rows, size, self.window_overlap)]

    @torch.no_grad()
    def predict(
        self, features: Tensor, mask: Tensor, data_samples: Sequence[ActionDataSample]
    ) -> list[ActionDataSample]:
        """Put ``pred_segments`` into the samples: ``segments_s``, ``scores`` and ``labels``, best first."""
        todo = [
            (item, begin, end)
            for item, sample in enumerate(data_samples)
            for begin, end in self.windows(int(sample.get('num_rows', features.shape[2])))
            if mask[item, begin:end].any()
        ]
        # The stem runs once over each sequence, not over each window: windows share rows.
        sequences = [self.stem(features[[item]], mask[[item]])[0][0] for item in range(len(features))]
        found: list[list[Candidates]] = [[] for _ in data_samples]
        for at in range(0, len(todo), self.windows_per_pass):
            some = todo[at : at + self.windows_per_pass]
            longest = max(end - begin for _, begin, end in some)
            batch = features.new_zeros(len(some), sequences[0].shape[0], longest)
            real = mask.new_zeros(len(some), longest)
            for row, (item, begin, end) in enumerate(some):
                batch[row, :, : end - begin] = sequences[item][:, begin:end]
                real[row, : end - begin] = mask[item, begin:end]
            for (item, begin, _), one in zip(some, self.find(batch, real)):
                found[item].append(Candidates(one.segments + begin, one.scores, one.labels))
        for sample, several in zip(data_samples, found):
            sample.pred_segments = self.suppress(several, sample, features.shape[2])
        return list(data_samples)

    def suppress(self, found: list[Candidates], sample: ActionDataSample, rows: int) -> InstanceData:
        """Bring the candidates of all windows of a sequence to seconds and suppress what is there twice."""
        if not found:
            nothing = np.zeros(0)
            segments, scores, labels = np.zeros((0, 2)), nothing, nothing.astype(np.int64)
        else:
            segments = torch.cat([one.segments for one in found]).double().cpu().numpy()
            scores = torch.cat([one.scores for one in found]).double().cpu().numpy()
            labels = torch.cat([one.labels for one in found]).cpu().numpy()
            last = int(sample.get('num_rows', rows)) - 1
            segments = np.clip(segments, -EDGE, last + EDGE)
            segments = rows_to_seconds(segments, sample.get('offset_s', 0.0), sample.get('rate', 1.0))
            segments = np.clip(segments, sample.get('t0_s', -np.inf), sample.get('t1_s', np.inf))
            real = segments[:, 1] > segments[:, 0]
            segments, scores, labels = segments[real], scores[real], labels[real]
            settings = {'min_score': self.min_score, 'max_num': self.max_per_sequence, **self.nms}
            keep, scores = segment_nms(segments, scores, labels, **settings)
            segments, labels = segments[keep], labels[keep]
        return InstanceData(
            segments_s=torch.from_numpy(segments), scores=torch.from_numpy(scores), labels=torch.from_numpy(labels)
        )
