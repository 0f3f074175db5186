"""Features of people of whole films, kept from earlier iterations: AlphAction's asynchronous memory."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmtube.registry import MODELS


@dataclass(eq=False)
class MemoryEntry:
    """The people of one clip, as they were when they were last seen.

    Args:
        boxes (Tensor): (p, 4) float32 on the CPU.
        features (Tensor): (p, D) float32 on the CPU, without gradient.
        scores (Tensor): (p,) float32 confidence of the boxes.
        loss (float): Total loss of the iteration that made the features; 0 where there was none.
    """

    boxes: Tensor
    features: Tensor
    scores: Tensor
    loss: float = 0.0


@MODELS.register_module()
class MemoryPool:
    """Past and future people of a film for the M blocks (asynchronous memory update, Tang et al., 2020, Sec. 3.4).

    The features of a clip are those of the last iteration that had the clip, so one clip per step is enough to train
    with a memory of a minute. Features of an older state of the network are damped: they are multiplied by
    ``min(L_then, L_now) / max(L_then, L_now)`` of the total losses. The people of the clip itself are neither read from
    the pool nor damped. :class:`~mmtube.engine.hooks.MemoryPoolHook` writes after the step of the optimiser.

    Args:
        past_s (int): Steps before the clip. Defaults to 30.
        future_s (int): Steps after it. Defaults to 30.
        step_s (float): Seconds from step to step. Defaults to 1.0.
        clip_stride_s (float): Seconds from clip to clip of the data set; ``step_s`` is a multiple. Defaults to 1.0.
        per_second (int): People of a step: of more a random choice in training, the most confident ones in testing
            (AlphAction chooses at random there too, which makes its tests differ from run to run). Defaults to 5.
        penalty (bool): Whether old features are damped in training. Defaults to True.

    Attributes:
        loss_now (float): Total loss of the iteration before, 0 before the first.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        past_s: int = 30,
        future_s: int = 30,
        step_s: float = 1.0,
        clip_stride_s: float = 1.0,
        per_second: int = 5,
        penalty: bool = True,
    ) -> None:
        self.step = round(step_s / clip_stride_s)
        if past_s < 0 or future_s < 0 or per_second < 1 or self.step < 1:
            raise ValueError(f'bad {past_s=}, {future_s=}, {per_second=}, {step_s=} or {clip_stride_s=}')
        if abs(self.step * clip_stride_s - step_s) > 1e-6:
            raise ValueError(f'step_s must be a multiple of clip_stride_s, got {step_s} and {clip_stride_s}')
        self.past = past_s
        self.future = future_s
        self.clip_stride_s = clip_stride_s
        self.per_second = per_second
        self.penalty = penalty
        self.loss_now = 0.0
        self._films: dict[str, dict[int, MemoryEntry]] = {}

    @property
    def num_seconds(self) -> int:
        """Steps of a memory, with that of the clip itself."""
        return self.past + 1 + self.future

    def __len__(self) -> int:
        return sum(map(len, self._films.values()))

    def number(self, key_s: float) -> int:
        """Return the number of the clip with this key time in its film."""
        # Not Python's round, for which 0.5 and 1.5 are two apart; times a rounding error below a half are one.
        return math.floor(key_s / self.clip_stride_s + 0.5 + 1e-6)

    def entry(self, video_id: str, number: int) -> MemoryEntry | None:
        """Return what is known of a clip."""
        return self._films.get(video_id, {}).get(number)

    def clear(self) -> None:
        """Forget everything."""
        self._films = {}
        self.loss_now = 0.0

    def filled(self, entries: Iterable[Mapping[tuple[str, int], MemoryEntry]]) -> MemoryPool:
        """Return another pool of the same settings that holds these entries alone."""
        other = copy.copy(self)
        other.clear()
        for written in entries:
            other.write(written)
        return other

    def write(self, entries: Mapping[tuple[str, int], MemoryEntry]) -> None:
        """Store clips by film and number; what was known of them is replaced."""
        for (video_id, number), entry in entries.items():
            kept = (column.detach().to('cpu', torch.float32) for column in (entry.boxes, entry.features, entry.scores))
            self._films.setdefault(video_id, {})[number] = MemoryEntry(*kept, float(entry.loss))

    def read(
        self, video_id: str, number: int, people: Tensor, scores: Tensor, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return the memory of a clip.

        Args:
            video_id (str): Its film.
            number (int): Its number, see :meth:`number`.
            people (Tensor): (p, D) features of its people in this pass; the memory holds them without gradient.
            scores (Tensor): (p,) their confidence.
            training (bool): Whether people are chosen at random and old features damped. Defaults to False.

        Returns:
            tuple[Tensor, Tensor]: (num_seconds * per_second, D) past, clip, future, zeros where there is nobody; and
            (num_seconds * per_second,) bool, whether there is somebody. On the device of ``people``.
        """
        memory = people.new_zeros(self.num_seconds, self.per_second, people.shape[1])
        valid = torch.zeros(self.num_seconds, self.per_second, dtype=torch.bool, device=people.device)
        film = self._films.get(video_id, {})
        for place in range(self.num_seconds):
            if place == self.past:
                features, confidence, weight = people.detach(), scores, 1.0
            else:
                entry = film.get(number + (place - self.past) * self.step)
                if entry is None:
                    continue
                features, confidence = entry.features, entry.scores
                weight = self._weight(entry.loss) if training and self.penalty else 1.0
            rows = self._chosen(confidence, training).to(features.device)
            memory[place, : len(rows)] = (features[rows] * weight).to(memory)
            valid[place, : len(rows)] = True
        return memory.flatten(0, 1), valid.flatten()

    def _chosen(self, scores: Tensor, training: bool) -> Tensor:
        if len(scores) <= self.per_second:
            return torch.arange(len(scores))
        order = torch.randperm(len(scores)) if training else scores.cpu().argsort(descending=True, stable=True)
        return order[: self.per_second].sort().values

    def _weight(self, loss: float) -> float:
        larger = max(loss, self.loss_now)
        return min(loss, self.loss_now) / larger if larger > 0 else 1.0

    def state(self) -> dict[str, Any]:
        """Return all as plain data and tensors, for a checkpoint."""
        films = {
            video_id: {number: vars(entry) for number, entry in film.items()} for video_id, film in self._films.items()
        }
        return {'loss_now': self.loss_now, 'films': films}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state` returned."""
        self.clear()
        self.loss_now = float(state['loss_now'])
        for video_id, film in state['films'].items():
            self.write({(video_id, number): MemoryEntry(**entry) for number, entry in film.items()})
