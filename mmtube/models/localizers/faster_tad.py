"""Faster-TAD: proposals and their classes in one network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmtube.ops.temporal_roi import temporal_roi_align
from mmtube.ops.torch_segments import encode_segments
from mmtube.registry import MODELS

from ..layers.gcnext import GCNeXt
from .base import Candidates, TemporalLocalizer, Truth
from .boundary_proposals import BoundaryProposals
from .context_proposals import DELTA_SCALE, Answers, ContextAdaptiveProposals
from .fake_proposals import FakeProposals
from .proximity import ProximityCategories
from .truths import TruthTable

LEAST_ROWS = 0.5  # a moved proposal is at least this long


def sample_proposals(positive: Tensor, real: Tensor, count: int, share: float) -> Tensor:
    """Draw proposals to learn from: positive ones up to a share, and others up to the count.

    Args:
        positive (Tensor): (N, P) bool, whether a proposal is of an instance.
        real (Tensor): (N, P) bool, whether there is one.
        count (int): Proposals of a sequence.
        share (float): Of positive ones, at most.

    Returns:
        Tensor: (N, P) bool.
    """

    def some(of: Tensor, most: Tensor) -> Tensor:
        order = (torch.rand(of.shape, device=of.device) + ~of).argsort(1).argsort(1)
        return of & (order < most)

    chosen = some(positive & real, positive.new_tensor(round(count * share), dtype=torch.long))
    return chosen | some(~positive & real, count - chosen.sum(1, keepdim=True))


@MODELS.register_module()
class FasterTAD(TemporalLocalizer):
    """Detector of actions in two stages that are trained together (Faster-TAD, Chen et al. 2022, arXiv 2204.02674).

    Stem, GCNeXt, proposals from boundaries and confidence, and a second stage that classifies and moves them. Public
    are the names of these parts and the results, neither code nor numbers; where only a name is known the part says
    so. A score is the class times the roots of the estimated tIoU and of the proposal's score.

    Each part can be left out, to see what it is worth: ``base=0``, ``use_fake``, ``self_attention``,
    ``cross_attention``, ``proximity``, ``refine``, ``completeness`` and ``aux_weight=0``.

    Args:
        stem (dict): See :class:`~mmtube.models.localizers.stem.StreamStem`.
        num_classes (int): Classes.
        multi_label (bool): Whether instances of different classes may be at one place (atomic actions); else one class
            is chosen (complex activities). Defaults to False.
        base (int): GCNeXt blocks. Defaults to 2.
        use_fake (bool): Whether training adds proposals made from the truth. Defaults to True.
        self_attention (bool): Whether proposals look at one another. Defaults to True.
        cross_attention (bool): Whether they look at the sequence. Defaults to True.
        proximity (bool): Whether each class has one ``near`` it. Defaults to True.
        refine (bool): Whether proposals are moved. Defaults to True.
        completeness (bool): Whether their tIoU is estimated. Defaults to True.
        thresholds (Sequence[float]): tIoU from which a proposal is of an instance, for each second stage; more than one
            make a cascade (Cai and Vasconcelos 2018), in which a stage begins with what the last one moved and scores
            are averaged. Defaults to (0.5,).
        beta (float): Weight of the classes ``near`` in testing. Defaults to 0.
        sampled (int): Proposals of a sequence that the second stage learns from. Defaults to 128.
        positive_share (float): Of those of instances, at most. Defaults to 0.5.
        aux_weight (float): Weight of the classification by each auxiliary stream alone. Defaults to 0.2.
        proposals (dict | None): Arguments of :class:`BoundaryProposals`. Defaults to None.
        context (dict | None): Arguments of :class:`ContextAdaptiveProposals`. Defaults to None.
        fake (dict | None): Arguments of :class:`FakeProposals`. Defaults to None.
        most_candidates (int): Pairs of a proposal and a class that go into suppression, of a window. Defaults to 1000.
        kwargs (Any): Of :class:`~mmtube.models.localizers.base.TemporalLocalizer`.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        stem: dict,
        num_classes: int,
        multi_label: bool = False,
        base: int = 2,
        use_fake: bool = True,
        self_attention: bool = True,
        cross_attention: bool = True,
        proximity: bool = True,
        refine: bool = True,
        completeness: bool = True,
        thresholds: Sequence[float] = (0.5,),
        beta: float = 0.0,
        sampled: int = 128,
        positive_share: float = 0.5,
        aux_weight: float = 0.2,
        proposals: dict | None = None,
        context: dict | None = None,
        fake: dict | None = None,
        most_candidates: int = 1000,
        **kwargs: Any,
    ) -> None:
        super().__init__(stem, num_classes, **kwargs)
        if not thresholds or not all(0 < threshold < 1 for threshold in thresholds):
            raise ValueError(f'thresholds must lie in (0, 1), got {thresholds}')
        if base < 0 or sampled < 1 or most_candidates < 1 or aux_weight < 0 or not 0 < positive_share <= 1:
            told = f'{base=}, {sampled=}, {most_candidates=}, {aux_weight=}, {positive_share=}'
            raise ValueError(f'out of range: {told}')
        if len(thresholds) > 1 and not refine:
            raise ValueError('a cascade moves proposals: refine must be True')
        channels = int(self.stem.channels)
        self.thresholds, self.sampled, self.positive_share = tuple(thresholds), sampled, positive_share
        self.most_candidates = most_candidates
        self.base = nn.ModuleList(GCNeXt(channels) for _ in range(base))
        self.proposals = BoundaryProposals(channels, **(proposals or {}))
        self.fake = FakeProposals(**(fake or {})) if use_fake else None
        self.categories = ProximityCategories(num_classes, multi_label, proximity, beta=beta)
        switches = dict(
            self_attention=self_attention, cross_attention=cross_attention, refine=refine, completeness=completeness
        )
        prior = 0.01 if multi_label else None
        outputs = self.categories.outputs
        self.stages = nn.ModuleList(
            ContextAdaptiveProposals(outputs, channels, **switches, prior=prior, **(context or {})) for _ in thresholds
        )
        self.aux_weight = aux_weight
        streams = len(self.stem.dims) - 1 if aux_weight else 0
        self.aux_classes = nn.ModuleList(nn.Linear(channels, outputs) for _ in range(streams))
        for layer in self.aux_classes:
            nn.init.constant_(layer.bias, 0.0 if prior is None else torch.logit(torch.tensor(prior)).item())

    def encode(self, base: Tensor, mask: Tensor) -> Tensor:
        """Return (N, C, T) of the stem after the GCNeXt blocks."""
        for block in self.base:
            base = block(base, mask)
        return base

    def losses(self, base: Tensor, mask: Tensor, truths: list[Truth], parts: list[Tensor]) -> dict[str, Tensor]:
        """Return the losses of both stages and of the auxiliary streams; see the base class."""
        base, truth = self.encode(base, mask), TruthTable.of(truths)
        edges, sequence = self.proposals(base, mask)
        losses = self.proposals.losses(edges, sequence, mask, truth)
        segments, scores = self.proposals.propose(edges, sequence, mask)
        real, fake = scores > 0, torch.zeros_like(scores, dtype=torch.bool)
        lengths = self.lengths(mask)
        if self.fake is not None:
            more, there = self.fake(truth, lengths)
            segments, real = torch.cat([segments, more], 1), torch.cat([real, there], 1)
            fake = torch.cat([fake, torch.ones_like(there)], 1)
        segments = self.inside(segments, lengths)
        seen = self.visible(real, fake)
        for number, (stage, threshold) in enumerate(zip(self.stages, self.thresholds)):
            overlap, matched = truth.best(segments)
            positive = overlap >= threshold
            chosen = sample_proposals(positive, real, self.sampled, self.positive_share)
            answers = stage(base, mask, segments, seen)
            targets = self.categories.targets(segments, truth, threshold)
            name = f'_{number}' if number else ''
            losses[f'loss_class{name}'] = self.categories.loss(answers.logits, targets, chosen)
            moved = answers.refined(segments)
            if answers.deltas is not None:
                losses[f'loss_move{name}'] = self.move_loss(answers.deltas, segments, matched, chosen & positive)
            if answers.quality is not None:
                reached = truth.best(moved.detach())[0]
                off = (answers.quality.float().sigmoid() - reached) ** 2
                losses[f'loss_quality{name}'] = (off * chosen).sum() / chosen.sum().clamp(min=1)
            if not number:
                for stream, (part, layer) in enumerate(zip(parts[1:], self.aux_classes)):
                    logits = layer(temporal_roi_align(part, segments, mask).mean(2))
                    loss = self.categories.loss(logits, targets, chosen)
                    losses[f'loss_aux_{stream}'] = self.aux_weight * loss
            segments = self.inside(moved.detach(), lengths)
        return losses

    @staticmethod
    def move_loss(deltas: Tensor, segments: Tensor, matched: Tensor, chosen: Tensor) -> Tensor:
        """Return the smooth L1 loss of (N, P, 2) moves of proposals onto instances, the mean over the chosen."""
        wanted = encode_segments(segments[chosen], matched[chosen]) * DELTA_SCALE
        return F.smooth_l1_loss(deltas[chosen].float(), wanted, reduction='sum') / chosen.sum().clamp(min=1)

    def find(self, base: Tensor, mask: Tensor) -> list[Candidates]:
        """Return pairs of a proposal and a class; see the base class."""
        base = self.encode(base, mask)
        edges, sequence = self.proposals(base, mask)
        segments, proposed = self.proposals.propose(edges, sequence, mask)
        real, lengths = proposed > 0, self.lengths(mask)
        seen = self.visible(real, torch.zeros_like(real))
        scores = 0.0
        for stage in self.stages:
            segments = self.inside(segments, lengths)
            answers: Answers = stage(base, mask, segments, seen)
            one = self.categories.scores(answers.logits)
            if answers.quality is not None:
                one = one * answers.quality.float().sigmoid().sqrt()[..., None]
            scores = scores + one / len(self.stages)
            segments = answers.refined(segments)
        scores = scores * proposed.sqrt()[..., None]
        return [
            Candidates.from_table(segment[there], score[there], self.min_score, self.most_candidates)
            for segment, score, there in zip(segments, scores, real)
        ]

    @staticmethod
    def lengths(mask: Tensor) -> Tensor:
        """Return (N,) the rows of each sequence up to the last that counts, for a mask (N, T)."""
        return (mask * torch.arange(1, mask.shape[1] + 1, device=mask.device)).amax(1)

    @staticmethod
    def inside(segments: Tensor, lengths: Tensor) -> Tensor:
        """Return segments (N, P, 2) cut to their sequences (N,), with a length that can be divided by."""
        last = (lengths.to(segments.dtype) - 0.5).clamp(min=LEAST_ROWS - 0.5).view(-1, 1)
        start = segments[..., 0].clamp(min=-0.5).minimum(last - LEAST_ROWS)
        return torch.stack([start, segments[..., 1].minimum(last).maximum(start + LEAST_ROWS)], -1)

    @staticmethod
    def visible(real: Tensor, fake: Tensor) -> Tensor:
        """Return (N, P, P) bool: proposals see those of the first stage, and each itself, as in testing.

        Args:
            real (Tensor): (N, P) bool, whether there is a proposal.
            fake (Tensor): (N, P) bool, whether it was made from the truth.
        """
        own = torch.eye(real.shape[1], dtype=torch.bool, device=real.device)
        return (real & ~fake)[:, None] | own
