"""What an action head needs of clips, for as long as it takes: one batch, or a whole data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(eq=False)
class ClipFeatures:
    """Pooled people and objects of N clips; all that is needed of the film to score actions.

    Args:
        people (Tensor): (n, D) features of people, clip after clip.
        boxes (Tensor): (n, 4) their boxes at the key time in pixels of the network's input, as they were given.
        scores (Tensor): (n,) confidence of the boxes, 1 where none is known.
        clip_inds (Tensor): (n,) int64 clip of each, ascending.
        keys (list[tuple[str, float]]): Film and key time in seconds of each clip.
        objects (Tensor | None): (N, k, D) features of objects, zeros in empty slots; None if no block asks for them.
        objects_valid (Tensor | None): (N, k) bool.
        labels (Tensor | None): (n, C) of 0 and 1, of people to learn from. Defaults to None.
    """

    people: Tensor
    boxes: Tensor
    scores: Tensor
    clip_inds: Tensor
    keys: list[tuple[str, float]]
    objects: Tensor | None = None
    objects_valid: Tensor | None = None
    labels: Tensor | None = None

    def to(self, device: str | torch.device) -> ClipFeatures:
        """Return the same on a device."""
        columns = {name: column.to(device) for name, column in vars(self).items() if isinstance(column, Tensor)}
        return dataclasses.replace(self, **columns)

    def split(self) -> list[ClipFeatures]:
        """Return the clips one by one, on the CPU."""
        whole = self.to('cpu')
        clips = []
        for number, key in enumerate(self.keys):
            mine = whole.clip_inds == number
            objects, valid = (
                None if column is None else column[number : number + 1]
                for column in (whole.objects, whole.objects_valid)
            )
            labels = None if whole.labels is None else whole.labels[mine]
            people = (column[mine] for column in (whole.people, whole.boxes, whole.scores, whole.clip_inds * 0))
            clips.append(ClipFeatures(*people, [key], objects, valid, labels))
        return clips


@dataclass(eq=False)
class FeatureBank:
    """Labelled clips of a whole data set in a few tensors on the CPU; nothing is kept of empty slots.

    Args:
        people (Tensor): (M, D) float32 people, clip after clip.
        boxes (Tensor): (M, 4) float32.
        scores (Tensor): (M,) float32.
        labels (Tensor): (M, C) bool.
        counts (Tensor): (N,) int64 people of each clip.
        objects (Tensor): (K, D) float32 objects, clip after clip.
        object_counts (Tensor): (N,) int64 objects of each clip.
        keys (list[tuple[str, float]]): Film and key time of each clip.
    """

    people: Tensor
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    counts: Tensor
    objects: Tensor
    object_counts: Tensor
    keys: list[tuple[str, float]]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def from_clips(cls, clips: Sequence[ClipFeatures]) -> FeatureBank:
        """Make a bank of clips with labels, each as :meth:`ClipFeatures.split` returns it."""
        people, boxes, scores = (
            torch.cat([getattr(clip, name) for clip in clips]).float() for name in ('people', 'boxes', 'scores')
        )
        labels = torch.cat([clip.labels for clip in clips if clip.labels is not None]).bool()
        if len(labels) != len(people):
            raise ValueError(f'{len(people)} people have {len(labels)} rows of labels')
        objects = [
            people.new_zeros(0, people.shape[1])
            if clip.objects is None or clip.objects_valid is None
            else clip.objects[clip.objects_valid].float()
            for clip in clips
        ]
        counts, object_counts = ([len(some) for some in column] for column in ([c.people for c in clips], objects))
        keys = [key for clip in clips for key in clip.keys]
        counted = torch.tensor(counts), torch.cat(objects), torch.tensor(object_counts)
        return cls(people, boxes, scores, labels, *counted, keys)

    def batch(self, clips: Sequence[int] | range, max_objects: int) -> ClipFeatures:
        """Return some of the clips.

        Args:
            clips (Sequence[int] | range): Their numbers, in any order.
            max_objects (int): Slots of objects; what a clip has beyond them is left out.
        """
        numbers = torch.as_tensor(list(clips), dtype=torch.int64)
        rows, clip_inds, _ = _rows(self.counts, numbers)
        object_rows, object_clips, places = _rows(self.object_counts, numbers)
        kept = places < max_objects
        slots = object_clips[kept], places[kept]
        objects = self.people.new_zeros(len(numbers), max_objects, self.people.shape[1])
        objects[slots] = self.objects[object_rows[kept]]
        valid = torch.zeros(objects.shape[:2], dtype=torch.bool)
        valid[slots] = True
        columns = self.people[rows], self.boxes[rows], self.scores[rows], clip_inds
        keys = [self.keys[number] for number in numbers.tolist()]
        return ClipFeatures(*columns, keys, objects, valid, self.labels[rows].float())

    def state(self) -> dict[str, Any]:
        """Return all as plain data and tensors, for a file."""
        return {**vars(self), 'keys': [list(key) for key in self.keys]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> FeatureBank:
        """Return the bank of which :meth:`state` is."""
        return cls(**{**state, 'keys': [(str(film), float(key_s)) for film, key_s in state['keys']]})


def _rows(counts: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of the items ``numbers`` of a ragged table; which of them each row is of, and its place within."""
    starts, chosen = counts.cumsum(0) - counts, counts[numbers]
    items = torch.arange(len(numbers)).repeat_interleave(chosen)
    places = torch.arange(len(items)) - (chosen.cumsum(0) - chosen)[items]
    return starts[numbers][items] + places, items, places
