"""What a person does, seen with the people, the objects and the time around: AlphAction's interaction blocks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmtube.registry import MODELS

PERSON, OBJECT, MEMORY = 'P', 'O', 'M'
STRUCTURES = ('serial', 'dense', 'parallel')
INIT_STD = 0.01
# Each earlier output weighs 10^-5 of the last one at the beginning: a dense structure begins as a serial one.
DENSE_INIT = -5 * math.log(10)


def _linear(in_channels: int, out_channels: int, zero: bool = False) -> nn.Linear:
    layer = nn.Linear(in_channels, out_channels)
    nn.init.zeros_(layer.weight) if zero else nn.init.normal_(layer.weight, std=INIT_STD)
    nn.init.zeros_(layer.bias)
    return layer


class InteractionBlock(nn.Module):
    """One attention of people to others: themselves and their neighbours, objects or memory (Tang et al., 2020).

    ``Z = softmax(Q K^T / sqrt(d)) V`` with one head, then ``W_o ReLU(LayerNorm(Z)) + S(X)``. ``W_o`` begins at zero, so
    that a new block changes nothing. A learned embedding of the time goes to keys and values of the memory.

    Args:
        channels (int): d, of queries and others.
        out_channels (int | None): Of the result; where it differs, the shortcut S is linear. Defaults to None, d.
        num_seconds (int): Steps of time that have an embedding each; 0 has none. Defaults to 0.
        dropout (float): On the result of the attention. Defaults to 0.2.
        mask_padding (bool): Whether slots that hold nobody are left out of the attention. AlphAction lets them take
            part; its weights need False. Defaults to False.
        zero_init (bool): Whether ``W_o`` begins at zero. Defaults to True.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int | None = None,
        num_seconds: int = 0,
        dropout: float = 0.2,
        mask_padding: bool = False,
        zero_init: bool = True,
    ) -> None:
        super().__init__()
        out_channels = channels if out_channels is None else out_channels
        self.mask_padding = mask_padding
        self.query = _linear(channels, channels)
        self.key = _linear(channels, channels)
        self.value = _linear(channels, channels)
        self.out = _linear(channels, out_channels, zero=zero_init)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = _linear(channels, out_channels) if out_channels != channels else nn.Identity()
        self.key_time = self.value_time = None
        if num_seconds:
            self.key_time = nn.Parameter(torch.zeros(num_seconds, channels))
            self.value_time = nn.Parameter(torch.zeros(num_seconds, channels))

    def forward(self, queries: Tensor, others: Tensor, valid: Tensor, clip_inds: Tensor) -> Tensor:
        """Return the people with what the others tell of them.

        Args:
            queries (Tensor): (n, d) people.
            others (Tensor): (N, m, d) slots of each clip.
            valid (Tensor): (N, m) bool, whether a slot holds anything.
            clip_inds (Tensor): (n,) int64 clip of each person, ascending.

        Returns:
            Tensor: (n, d_out).
        """
        keys, values = self.key(others), self.value(others)
        if self.key_time is not None and self.value_time is not None:
            per_second = others.shape[1] // len(self.key_time)
            keys = keys + self.key_time.repeat_interleave(per_second, dim=0)
            values = values + self.value_time.repeat_interleave(per_second, dim=0)
        # All people of a clip attend to the same slots: pad the people, so that nothing is copied per person.
        place, most = _places(clip_inds, len(others))
        projected = self.query(queries)
        padded = projected.new_zeros(len(others), most, queries.shape[1])
        padded[clip_inds, place] = projected
        logits = padded @ keys.transpose(1, 2) / math.sqrt(queries.shape[1])
        if self.mask_padding:
            logits = logits.masked_fill(~valid[:, None], -torch.inf)
            # Nobody to attend to: the attention is empty, not a mean over nothing.
            attention = torch.where(valid.any(dim=1)[:, None, None], logits.softmax(dim=2), 0.0)
        else:
            attention = logits.softmax(dim=2)
        seen = (attention @ values)[clip_inds, place]
        seen = F.relu(F.layer_norm(seen, seen.shape[1:]))
        return self.dropout(self.out(seen)) + self.shortcut(queries)


@MODELS.register_module()
class InteractionAggregation(nn.Module):
    """Interaction blocks one after another, densely, or side by side (AIA, Tang et al., 2020, Sec. 3.3).

    - ``'serial'``: the output of a block is the query of the next.
    - ``'dense'``: from the third block on the query is a sum of all earlier outputs, weighted by a softmax per channel.
    - ``'parallel'``: ``blocks`` is two rounds of the same types; every type continues its own branch, and the branches
      are added.

    A P block attends to the people of the clip, the first one to their reduced features, later ones to the current
    queries. The last block (with ``'parallel'`` the last of each type) comes back to the channels of the input.

    Args:
        structure (str): ``'serial'``, ``'dense'`` or ``'parallel'``. Defaults to 'serial'.
        blocks (str): Types in order: P(erson), O(bject), M(emory). Defaults to 'POMPOM'.
        in_channels (int): Of the features. Defaults to 2304.
        channels (int): d within the blocks. Defaults to 1024.
        max_persons (int): Slots of a P block. Defaults to 25.
        num_seconds (int): Steps of time of the memory. Defaults to 61.
        dropout (float): After the reductions and in the blocks. Defaults to 0.2.
        mask_padding (bool): See :class:`InteractionBlock`. Defaults to False.
        zero_init (bool): See the same. Defaults to True.

    Raises:
        ValueError: If the structure or the blocks are unknown.
    """

    def __init__(
        self,
        structure: str = 'serial',
        blocks: str = 'POMPOM',
        in_channels: int = 2304,
        channels: int = 1024,
        max_persons: int = 25,
        num_seconds: int = 61,
        dropout: float = 0.2,
        mask_padding: bool = False,
        zero_init: bool = True,
    ) -> None:
        super().__init__()
        if structure not in STRUCTURES:
            raise ValueError(f'structure must be one of {STRUCTURES}, got {structure!r}')
        if not blocks or set(blocks) - {PERSON, OBJECT, MEMORY}:
            raise ValueError(f'blocks must be of the letters P, O and M, got {blocks!r}')
        half = len(blocks) // 2
        if structure == 'parallel' and (blocks[:half] != blocks[half:] or len(set(blocks[:half])) != half):
            raise ValueError(f'parallel needs two rounds of the same types, such as POMPOM, got {blocks!r}')
        self.structure = structure
        self.block_types = blocks
        self.in_channels = in_channels
        self.channels = channels
        self.max_persons = max_persons
        self.dropout = nn.Dropout(dropout)
        self.reduce_query = _linear(in_channels, channels)
        self.reduce = nn.ModuleDict({kind: _linear(in_channels, channels) for kind in dict.fromkeys(blocks)})
        last = range(half, len(blocks)) if structure == 'parallel' else [len(blocks) - 1]
        self.blocks = nn.ModuleList(
            InteractionBlock(
                channels,
                in_channels if number in last else None,
                num_seconds if kind == MEMORY else 0,
                dropout,
                mask_padding,
                zero_init,
            )
            for number, kind in enumerate(blocks)
        )
        self.mix = nn.ParameterList()
        if structure == 'dense':
            for number in range(2, len(blocks)):
                logits = torch.full((number, channels), DENSE_INIT)
                logits[-1] = 0
                self.mix.append(nn.Parameter(logits))

    def uses(self, kind: str) -> bool:
        """Return whether there is a block of this type."""
        return kind in self.block_types

    def forward(
        self,
        people: Tensor,
        clip_inds: Tensor,
        num_clips: int,
        objects: Tensor | None = None,
        objects_valid: Tensor | None = None,
        memory: Tensor | None = None,
        memory_valid: Tensor | None = None,
        scores: Tensor | None = None,
    ) -> Tensor:
        """Return what the interactions add to the features of people.

        Args:
            people (Tensor): (n, in_channels) pooled people, those of a clip one after another.
            clip_inds (Tensor): (n,) int64 clip of each, ascending.
            num_clips (int): N.
            objects (Tensor | None): (N, k, in_channels), zeros where ``objects_valid`` (N, k) is False. Defaults to
                None, for structures without O.
            objects_valid (Tensor | None): See there.
            memory (Tensor | None): (N, num_seconds * p, in_channels), p slots per second, zeros where ``memory_valid``
                is False. Defaults to None, for structures without M.
            memory_valid (Tensor | None): See there.
            scores (Tensor | None): (n,) confidence of the people, by which those are chosen in testing who have a slot
                where there are more than ``max_persons``. Defaults to None, the first ones.

        Returns:
            Tensor: (n, in_channels). For nobody it is empty, yet all parameters have a gradient, of zero.

        Raises:
            ValueError: If features that a block needs are missing.
        """
        others: dict[str, tuple[Tensor, Tensor]] = {}
        for kind, features, valid in ((OBJECT, objects, objects_valid), (MEMORY, memory, memory_valid)):
            if kind in self.block_types:
                if features is None or valid is None:
                    raise ValueError(f'a block {kind} needs its features')
                # Zeros go through the reduction here, as in AlphAction: a slot that holds nothing becomes the bias.
                others[kind] = self.dropout(self.reduce[kind](features)), valid
        chosen = self._chosen(clip_inds, num_clips, scores)
        queries = self.dropout(self.reduce_query(people))
        persons = self.dropout(self.reduce[PERSON](people)) if PERSON in self.block_types else queries
        if self.structure == 'parallel':
            return self._parallel(queries, persons, others, clip_inds, chosen)
        history: list[Tensor] = []
        for number, (kind, block) in enumerate(zip(self.block_types, self.blocks)):
            if self.structure == 'dense' and number >= 2:
                weights = self.mix[number - 2].softmax(dim=0)
                queries = torch.einsum('ic,inc->nc', weights, torch.stack(history))
            if kind == PERSON and PERSON in self.block_types[:number]:
                persons = queries
            queries = block(queries, *self._slots(kind, persons, others, chosen), clip_inds)
            history.append(queries)
        return queries

    def _parallel(
        self,
        queries: Tensor,
        persons: Tensor,
        others: dict[str, tuple[Tensor, Tensor]],
        clip_inds: Tensor,
        chosen: Tensor,
    ) -> Tensor:
        half = len(self.block_types) // 2
        total = None
        for kind, first, second in zip(self.block_types, self.blocks[:half], self.blocks[half:]):
            found = first(queries, *self._slots(kind, persons, others, chosen), clip_inds)
            found = second(found, *self._slots(kind, found, others, chosen), clip_inds)
            total = found if total is None else total + found
        assert total is not None
        return total

    def _chosen(self, clip_inds: Tensor, num_clips: int, scores: Tensor | None = None) -> Tensor:
        """(N, max_persons) int64 people in the slots of each clip, -1 where there is none.

        Of more people a random choice in training, the most confident otherwise.
        """
        counts = torch.bincount(clip_inds, minlength=num_clips)
        slots = torch.full((num_clips, self.max_persons), -1, dtype=torch.int64, device=clip_inds.device)
        order = torch.arange(len(clip_inds), device=clip_inds.device)
        if bool((counts > self.max_persons).any()) and (self.training or scores is not None):
            ranks = torch.rand(len(order), device=order.device) if self.training else -scores
            order = ranks.argsort(stable=True)
            order = order[clip_inds[order].argsort(stable=True)]
        place, _ = _places(clip_inds[order], num_clips)
        kept = place < self.max_persons
        slots[clip_inds[order][kept], place[kept]] = order[kept]
        return slots

    @staticmethod
    def _slots(
        kind: str, persons: Tensor, others: dict[str, tuple[Tensor, Tensor]], chosen: Tensor
    ) -> tuple[Tensor, Tensor]:
        if kind != PERSON:
            features, valid = others[kind]
        else:
            valid = chosen >= 0
            # A row of zeros at the end, where -1 points.
            features = torch.cat([persons, persons.new_zeros(1, persons.shape[1])])[chosen]
        return features, valid


def _places(clip_inds: Tensor, num_clips: int) -> tuple[Tensor, int]:
    """(n,) int64 place of each person within the clip, given ascending clips; and the largest number of people."""
    counts = torch.bincount(clip_inds, minlength=num_clips)
    starts = counts.cumsum(0) - counts
    return torch.arange(len(clip_inds), device=clip_inds.device) - starts[clip_inds], int(counts.max())
