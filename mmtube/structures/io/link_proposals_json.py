"""Merges proposed for review, as a file in which a person decides.

    {"format": "mmtube-link-proposals", "version": 1, "film": "f.mp4", "max_overlap_frames": 2,
     "splits": [{"earlier_id", "later_id", "frame_ind", "distance", "partner_id"}],
     "proposals": [{"number", "earlier_id", "later_id", "cost", "gap_s", "reason", "made", "accepted"}]}

``accepted`` is what a reviewer edits. Splits come first: proposals may name the parts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..link_proposal import LinkProposal, TubeletSplit
from ._json import Node, read_json, write_json

FORMAT = 'mmtube-link-proposals'
VERSION = 1


@dataclass(frozen=True)
class LinkProposals:
    """The proposals for one film.

    Args:
        film (str): File name of the film.
        proposals (Sequence[LinkProposal]): Numbered from 1 in this order.
        splits (Sequence[TubeletSplit]): Tubelets that are parted before anything is merged. Defaults to none.
        max_overlap_frames (int): Frames that two merged tubelets may share. Defaults to 0.
    """

    film: str
    proposals: Sequence[LinkProposal]
    splits: Sequence[TubeletSplit] = field(default_factory=list)
    max_overlap_frames: int = 0


def write_link_proposals(document: LinkProposals, path: str | os.PathLike) -> None:
    """Write proposals, one line each.

    Raises:
        InputError: If the file cannot be written.
    """
    write_json(
        {
            'format': FORMAT,
            'version': VERSION,
            'film': document.film,
            'max_overlap_frames': int(document.max_overlap_frames),
            'splits': [_split_to_json(split) for split in document.splits],
            'proposals': [
                {
                    'number': number,
                    'earlier_id': int(proposal.earlier_id),
                    'later_id': int(proposal.later_id),
                    'cost': float(proposal.cost),
                    'gap_s': float(proposal.gap_s),
                    'reason': proposal.reason,
                    'made': bool(proposal.made),
                    'accepted': bool(proposal.accepted),
                }
                for number, proposal in enumerate(document.proposals, start=1)
            ],
        },
        path,
    )


def _split_to_json(split: TubeletSplit) -> dict[str, Any]:
    return {
        'earlier_id': int(split.earlier_id),
        'later_id': int(split.later_id),
        'frame_ind': int(split.frame_ind),
        'distance': float(split.distance),
        'partner_id': None if split.partner_id is None else int(split.partner_id),
    }


def read_link_proposals(path: str | os.PathLike) -> LinkProposals:
    """Read what :func:`write_link_proposals` wrote, and a person may have edited.

    Raises:
        InputError: If the file is missing, of another format or version, a value is missing or of another kind, numbers
            do not count up from 1, a pair stands twice, or a tubelet is to be merged with itself.
    """
    root = read_json(path)
    if 'format' not in root or root['format'].value != FORMAT:
        raise root.error(f'holds no proposals ("format" is not "{FORMAT}")')
    if root['version'].integer() != VERSION:
        raise root['version'].error(f'is {root["version"].value}, this reader knows version {VERSION}')
    proposals: list[LinkProposal] = []
    seen: set[frozenset[int]] = set()
    for place, node in enumerate(root['proposals'], start=1):
        if node['number'].integer() != place:
            raise node['number'].error(f'must be {place}: proposals are numbered in their order')
        proposal = _proposal_from_json(node)
        pair = frozenset((proposal.earlier_id, proposal.later_id))
        if len(pair) < 2:
            raise node.error(f'merges tubelet {proposal.earlier_id} with itself')
        if pair in seen:
            raise node.error(f'tubelets {proposal.earlier_id} and {proposal.later_id} are proposed twice')
        seen.add(pair)
        proposals.append(proposal)
    splits = [_split_from_json(node) for node in root['splits']]
    return LinkProposals(root['film'].text(), proposals, splits, root['max_overlap_frames'].integer())


def _proposal_from_json(node: Node) -> LinkProposal:
    return LinkProposal(
        node['earlier_id'].integer(),
        node['later_id'].integer(),
        node['cost'].number(),
        node['gap_s'].number(),
        node['reason'].text(),
        bool(node['made'].array(bool, ())),
        bool(node['accepted'].array(bool, ())),
    )


def _split_from_json(node: Node) -> TubeletSplit:
    partner = node['partner_id']
    return TubeletSplit(
        node['earlier_id'].integer(),
        node['later_id'].integer(),
        node['frame_ind'].integer(),
        node['distance'].number(),
        None if partner.value is None else partner.integer(),
    )
