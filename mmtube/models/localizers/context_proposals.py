"""The second stage: proposals that look at one another and at their sequence."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmtube.ops.temporal_roi import temporal_roi_align
from mmtube.ops.torch_segments import decode_segments

from ..layers.context_attention import ContextAttention, GeometryBias
from ..layers.sequence import time_encoding

DELTA_SCALE = 2.0  # what is learned is twice the change, so that its errors weigh as much as those of classes


@dataclass
class Answers:
    """What the second stage says of proposals.

    Args:
        logits (Tensor): (N, P, outputs) of the classes.
        deltas (Tensor | None): (N, P, 2), ``DELTA_SCALE`` times what moves the proposals onto instances.
        quality (Tensor | None): (N, P) logits of the tIoU of the moved proposals.
    """

    logits: Tensor
    deltas: Tensor | None
    quality: Tensor | None

    def refined(self, segments: Tensor) -> Tensor:
        """Return proposals (N, P, 2) moved, or as they are without ``deltas``."""
        return segments if self.deltas is None else decode_segments(segments, self.deltas.float() / DELTA_SCALE)


class ContextAdaptiveProposals(nn.Module):
    """Says what proposals are, where exactly, and how well they fit.

    A proposal is brought to bins with context, looks at the other proposals, with a bias from how they stand to one
    another, and then at the rows of the sequence; asking and being asked, places in time count. Faster-TAD names the
    module and its blocks (Chen et al. 2022, Sec. 1); their inside is our design.

    Args:
        outputs (int): Numbers that say what a proposal is.
        channels (int): Channels of the sequence, even. Defaults to 256.
        dim (int): Channels of a proposal, a multiple of 4. Defaults to 512.
        heads (int): Heads of attention. Defaults to 8.
        ffn (int): Width of the feed-forward layers. Defaults to 2048.
        dropout (float): In attention. Defaults to 0.1.
        bins (int): Bins of a proposal. Defaults to 16.
        self_attention (bool): Whether proposals look at one another. Defaults to True.
        cross_attention (bool): Whether they look at the rows. Defaults to True.
        refine (bool): Whether they are moved. Defaults to True.
        completeness (bool): Whether their tIoU is estimated. Defaults to True.
        prior (float | None): How likely a class is at first, for yes-or-no questions. Defaults to None.

    Raises:
        ValueError: If the channels do not fit.
    """

    def __init__(
        self,
        outputs: int,
        channels: int = 256,
        dim: int = 512,
        heads: int = 8,
        ffn: int = 2048,
        dropout: float = 0.1,
        bins: int = 16,
        self_attention: bool = True,
        cross_attention: bool = True,
        refine: bool = True,
        completeness: bool = True,
        prior: float | None = None,
    ) -> None:
        super().__init__()
        if channels % 2 or dim % 4:
            raise ValueError(f'channels must be even and dim a multiple of 4, got {channels} and {dim}')
        self.bins = bins
        self.dim = dim
        self.embed = nn.Linear(channels * bins, dim)
        self.geometry = GeometryBias(heads) if self_attention else None
        self.among = ContextAttention(dim, None, heads, ffn, dropout) if self_attention else None
        self.along = ContextAttention(dim, channels, heads, ffn, dropout) if cross_attention else None
        self.norm = nn.LayerNorm(dim)
        self.classes = nn.Linear(dim, outputs)
        self.moves = nn.Linear(dim, 2) if refine else None
        self.fits = nn.Linear(dim, 1) if completeness else None
        if prior is not None:
            nn.init.constant_(self.classes.bias, torch.logit(torch.tensor(prior)).item())
        if self.moves is not None:  # begin with proposals where they are
            nn.init.normal_(self.moves.weight, std=1e-3)
            nn.init.zeros_(self.moves.bias)

    def forward(self, base: Tensor, mask: Tensor, segments: Tensor, visible: Tensor) -> Answers:
        """Look at proposals.

        Args:
            base (Tensor): (N, C, T).
            mask (Tensor): (N, T) bool.
            segments (Tensor): (N, P, 2) rows, of positive length.
            visible (Tensor): (N, P, P) bool, whether the first may look at the second; each at itself.
        """
        x = self.embed(temporal_roi_align(base, segments, mask, self.bins).flatten(2)).relu()
        if self.among is not None and self.geometry is not None:
            x = self.among(x, self.geometry(segments).masked_fill(~visible[:, None], -torch.inf))
        if self.along is not None:
            rows = torch.arange(base.shape[2], device=base.device)
            # A finite bias: a sequence without a row that counts looks at nothing in particular.
            hidden = torch.zeros(mask.shape, device=base.device).masked_fill(~mask, -1e4)[:, None, None]
            place = time_encoding(segments, self.dim // 2).flatten(2)
            x = self.along(x, hidden, base.transpose(1, 2), place, time_encoding(rows, base.shape[1]))
        x = self.norm(x)
        return Answers(
            self.classes(x),
            None if self.moves is None else self.moves(x),
            None if self.fits is None else self.fits(x)[..., 0],
        )
