"""What a linker would merge, and what it would not, for a person to decide."""

from __future__ import annotations

from dataclasses import dataclass

from .video_result import Link


@dataclass(frozen=True)
class LinkProposal:
    """One merge of two tubelets that was made, or was close to being made.

    Args:
        earlier_id (int): Tubelet before the gap.
        later_id (int): Tubelet after it.
        cost (float): Cost of the merge; smaller is surer.
        gap_s (float): Seconds between the two.
        reason (str): Why it was made, or why not, for a person to read.
        made (bool): Whether the linker makes it.
        accepted (bool): Whether it is to be applied; a reviewer changes this.
    """

    earlier_id: int
    later_id: int
    cost: float
    gap_s: float
    reason: str
    made: bool
    accepted: bool

    def link(self) -> Link:
        """Return the merge."""
        return Link(self.earlier_id, self.later_id, self.cost, self.gap_s, self.reason)


@dataclass(frozen=True)
class TubeletSplit:
    """A tubelet that was parted because it shows two people; see ``TubeletSplitter``.

    Args:
        earlier_id (int): Its first part, which keeps the ID.
        later_id (int): Its second part, with an ID of its own.
        frame_ind (int): First frame of the second part.
        distance (float): Appearance distance of both parts.
        partner_id (int | None): Tubelet beside it that explains the change, if there is one.
    """

    earlier_id: int
    later_id: int
    frame_ind: int
    distance: float
    partner_id: int | None
