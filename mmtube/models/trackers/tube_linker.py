"""The second look, offline: which tubelets are the same person."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping
from itertools import pairwise

import numpy as np

from mmtube.registry import TASK_UTILS
from mmtube.structures import Link, LinkProposal, Tube, TubeletLook, apply_links

from .link_evidence import PairEvidence


@TASK_UTILS.register_module()
class TubeLinker:
    """Merge tubelets of one person over gaps that no online tracker bridges (SEAL, Sec. 3.2, step 3).

    Average-linkage clustering in the order of increasing cost. The cost of a merge is the mean cosine distance over all
    pairs of members, in which tubelets that show their person well weigh more, plus what speaks for or against the step
    from one tubelet to the next: another body height and few good boxes cost something; a short gap that the motion
    leads across is a sign of its own and makes the merge cheaper. (The way between the two ends, and whether they touch
    an edge of the picture, told nothing more about SEAL-mini's training films.)

    A merge must satisfy, for every pair of members: they are not seen at the same time and lie in the same shot; and
    for members that become neighbours in time: the gap is short enough and the way between them can have been walked.
    All this is checked anew at each merge. Every merge is returned with its cost and reason, and can be undone
    (``mmtube.structures.without_link``).

    Args:
        max_cost (float): Largest cost of a merge, in cosine distance; ``tools/analysis/calibrate_linking.py`` finds it
            for a wanted rate of wrong merges. It may be below 0 where there is a bonus. Defaults to 0.2.
        max_gap_s (float): Longest gap in seconds. Defaults to 60.
        max_speed (float): Fastest believable motion in body heights per second of gap. Defaults to 4.
        slack (float): Body heights by which a person may appear to jump in any case (a moving camera, a box that
            grows). Defaults to 1.5.
        max_scale (float): Largest ratio of the body heights on both sides of a gap. Defaults to 2.5.
        max_overlap_frames (int): Frames by which two tubelets of one person may overlap, where a tracker started the
            new one before it gave up the old one. Defaults to 2.
        min_boxes (int): A tubelet with fewer detected boxes shows too little to be recognised and stays alone.
            Defaults to 5.
        scale_cost (float): Cost per factor e between the body heights. Defaults to 0.
        weak_cost (float): Cost of a merge whose weaker side has no good box; less with more good boxes, none from
            ``full_evidence`` on. Defaults to 0.
        full_evidence (int): So many good boxes show a person well. Defaults to 16.
        near_bonus (float): By how much a merge is cheaper when the gap is nothing and the motion leads exactly there.
            Defaults to 0.
        near_distance (float): The bonus falls to 1/e at this distance from the predicted place, in body heights.
            Defaults to 0.3.
        near_gap_s (float): The bonus falls to 1/e after this gap in seconds. Defaults to 1.
        min_margin (float): A merge is ambiguous, and left to a reviewer, when another tubelet that is seen at the same
            time as one of the two could take its place for less than this in addition. Defaults to 0.
        near_miss (float): Merges that cost up to this above ``max_cost`` are proposed to a reviewer. Defaults to 0.1.

    Raises:
        ValueError: If a limit is negative, ``max_scale`` is below 1, ``max_cost`` is below what any merge costs, or a
            length of the bonus is not positive.
    """

    def __init__(
        self,
        max_cost: float = 0.2,
        max_gap_s: float = 60.0,
        max_speed: float = 4.0,
        slack: float = 1.5,
        max_scale: float = 2.5,
        max_overlap_frames: int = 2,
        min_boxes: int = 5,
        scale_cost: float = 0.0,
        weak_cost: float = 0.0,
        full_evidence: int = 16,
        near_bonus: float = 0.0,
        near_distance: float = 0.3,
        near_gap_s: float = 1.0,
        min_margin: float = 0.0,
        near_miss: float = 0.1,
    ) -> None:
        limits = (max_gap_s, max_speed, slack, max_overlap_frames, min_boxes, scale_cost, weak_cost)
        if min(*limits, near_bonus, min_margin, near_miss) < 0 or max_scale < 1:
            raise ValueError('limits must not be negative and max_scale must be at least 1')
        if max_cost < -near_bonus:
            raise ValueError(f'no merge costs less than {-near_bonus:g}, max_cost is {max_cost:g}')
        if min(near_distance, near_gap_s) <= 0 or full_evidence < 1:
            raise ValueError('near_distance, near_gap_s and full_evidence must be positive')
        self.max_cost = max_cost
        self.max_gap_s = max_gap_s
        self.max_speed = max_speed
        self.slack = slack
        self.max_scale = max_scale
        self.max_overlap_frames = max_overlap_frames
        self.min_boxes = min_boxes
        self.scale_cost = scale_cost
        self.weak_cost = weak_cost
        self.full_evidence = full_evidence
        self.near_bonus = near_bonus
        self.near_distance = near_distance
        self.near_gap_s = near_gap_s
        self.min_margin = min_margin
        self.near_miss = near_miss

    def __call__(
        self,
        tubelets: list[Tube],
        shots: list[tuple[int, int]],
        looks: Mapping[int, TubeletLook] | None = None,
        parted: Collection[tuple[int, int]] = (),
    ) -> tuple[list[Tube], list[Link]]:
        """Merge tubelets.

        Args:
            tubelets (list[Tube]): Tubelets of one film with distinct IDs. Those without a look or an embedding stay
                alone.
            shots (list[tuple[int, int]]): Half-open frame ranges; empty means one shot.
            looks (Mapping[int, TubeletLook] | None): How they look, by ID, see ``TubeletDescriber``. Defaults to None,
                their embeddings.
            parted (Collection[tuple[int, int]]): IDs of tubelets that were one until a ``TubeletSplitter`` parted them,
                earlier and later: that they follow each other closely is no sign that they belong together. Defaults
                to none.

        Returns:
            tuple[list[Tube], list[Link]]: The tubes, each under the lowest ID of its tubelets, and the merges in the
            order in which they were made.
        """
        links = [proposal.link() for proposal in self.propose(tubelets, shots, looks, parted) if proposal.made]
        return apply_links(tubelets, links, self.max_overlap_frames), links

    def propose(
        self,
        tubelets: list[Tube],
        shots: list[tuple[int, int]],
        looks: Mapping[int, TubeletLook] | None = None,
        parted: Collection[tuple[int, int]] = (),
    ) -> list[LinkProposal]:
        """Return the merges that are made, in this order, and those that come close, the surest first.

        Of merges that are not made a tubelet has at most two: the best one before it and the best one after it.
        """
        looks = looks or {}
        starts = [start for start, _ in shots]
        by_shot: dict[int, list[Tube]] = {}
        for tube in sorted(tubelets, key=lambda tube: tube.track_id):  # ties do not depend on the order given
            described = tube.embedding is not None or len(looks.get(tube.track_id, ()))
            if described and tube.observed.sum() >= max(self.min_boxes, 1):
                by_shot.setdefault(bisect_right(starts, tube.frame_inds[0]), []).append(tube)
        made: list[LinkProposal] = []
        open_ones: list[LinkProposal] = []
        for shot in sorted(by_shot):
            of_shot = by_shot[shot]
            evidence = PairEvidence.of(of_shot, looks, self.full_evidence, self.max_overlap_frames, parted)
            clustering = _Clustering(self, evidence, [tube.track_id for tube in of_shot])
            made += clustering.run()
            open_ones += clustering.near_misses()
        return made + sorted(open_ones, key=lambda proposal: (proposal.cost, proposal.earlier_id, proposal.later_id))

    def step_cost(self, pairs: PairEvidence) -> np.ndarray:
        """Return (N, N) float64 what the step from i to j costs, apart from appearance; below 0 it is a bonus."""
        weaker = np.minimum(pairs.evidence[:, None], pairs.evidence[None])
        decay = pairs.predicted / self.near_distance + pairs.gap_s.clip(0) / self.near_gap_s
        bonus = np.where(pairs.parted, 0, self.near_bonus * np.exp(-decay))
        return self.scale_cost * pairs.scale + self.weak_cost * (1 - weaker) - bonus

    def believable(self, pairs: PairEvidence) -> np.ndarray:
        """Return (N, N) bool: whether the person who leaves i can be the one who enters j, in time and space."""
        near = pairs.distance <= self.slack + self.max_speed * pairs.gap_s.clip(0)
        follows = pairs.disjoint & (pairs.first[:, None] < pairs.first[None])
        return follows & (pairs.gap_s <= self.max_gap_s) & near & (pairs.scale <= np.log(self.max_scale) + 1e-9)


class _Clustering:
    """Agglomeration of the tubelets of one shot.

    Clusters are rows of matrices; a row that was merged away is forbidden to all. The best partner of each row is kept,
    so that a merge looks at one row and not at all pairs.

    Args:
        rules (TubeLinker): The limits and costs.
        pairs (PairEvidence): What is known of N tubelets.
        ids (list[int]): Their IDs.
    """

    def __init__(self, rules: TubeLinker, pairs: PairEvidence, ids: list[int]) -> None:
        self.rules, self.pairs, self.ids = rules, pairs, ids
        self.step, self.can_follow = rules.step_cost(pairs), rules.believable(pairs)
        self.members = [[index] for index in range(len(ids))]
        self.alive = np.ones(len(ids), bool)
        self.weight = pairs.evidence.copy()
        self.appearance = pairs.appearance.copy()  # mean over the pairs of members
        self.apart = pairs.disjoint.copy()  # no two members are seen at once
        np.fill_diagonal(self.apart, False)
        # Beyond this nothing is merged, proposed or a rival.
        self.limit = rules.max_cost + max(rules.near_miss, rules.min_margin)
        total = np.where(self.can_follow, self.appearance + self.step, np.inf)
        self.total = np.minimum(total, total.T)
        self.total[self.total > self.limit] = np.inf
        # No step between members of two clusters costs less: what is too dear even so need not be looked at.
        self.least_step = np.minimum(self.step, self.step.T)
        self.best = self.total.argmin(axis=1) if len(ids) else np.zeros(0, np.int64)
        self.best_cost = self.total[np.arange(len(ids)), self.best]
        self.open = self.total.copy()  # without what was found ambiguous

    def run(self) -> list[LinkProposal]:
        """Merge until nothing is left to merge."""
        rules, made = self.rules, []
        while len(self.ids):
            a = int(self.best_cost.argmin())
            b, cost = int(self.best[a]), float(self.best_cost[a])
            if not cost <= rules.max_cost:
                break
            if self._rival_cost(a, b) < cost + rules.min_margin:
                self.open[a, b] = self.open[b, a] = np.inf
                self._find_best([a, b])
                continue
            joints = self._joints(a, b)
            made.append(self._proposal(joints[0], cost, self.appearance[a, b], 'made'))
            self._merge(a, b)
        return made

    def near_misses(self) -> list[LinkProposal]:
        """Return for each tube the best merge that was not made before it and after it."""
        rules, found = self.rules, {}
        live = np.flatnonzero(self.alive)
        for a in live:
            candidates = np.flatnonzero(np.isfinite(self.total[a]) & self.alive)
            for before in (False, True):
                side = [b for b in candidates if (self._begin(b) < self._begin(a)) == before]
                if side:
                    b = int(min(side, key=lambda b: self.total[a, b]))
                    found[min(a, b), max(a, b)] = float(self.total[a, b])
        proposals = []
        for (a, b), cost in found.items():
            if cost <= rules.max_cost + rules.near_miss:
                proposals.append(
                    self._proposal(self._joints(a, b)[0], cost, self.appearance[a, b], self._why_not(a, b))
                )
        return proposals

    def _begin(self, cluster: int) -> int:
        return int(self.pairs.first[self.members[cluster][0]])

    def _why_not(self, a: int, b: int) -> str:
        return 'ambiguous' if self.total[a, b] <= self.rules.max_cost else 'above'

    def _rival_cost(self, a: int, b: int) -> float:
        """Return the smallest cost of a merge of a or b with a cluster that is seen at the same time as the other."""
        if not self.rules.min_margin:
            return np.inf
        others = self.alive.copy()
        others[[a, b]] = False
        rivals_a = self.total[a][others & ~self.apart[b]]
        rivals_b = self.total[b][others & ~self.apart[a]]
        return float(min(rivals_a.min(initial=np.inf), rivals_b.min(initial=np.inf)))

    def _joints(self, a: int, b: int) -> list[tuple[int, int]]:
        """Return the tubelets that become neighbours in time when two clusters are merged."""
        own = set(self.members[a])
        merged = sorted(self.members[a] + self.members[b], key=lambda index: self.pairs.first[index])
        return [(i, j) for i, j in pairwise(merged) if (i in own) != (j in own)]

    def _merge(self, a: int, b: int) -> None:
        share = self.weight[a] / (self.weight[a] + self.weight[b])
        mean = share * self.appearance[a] + (1 - share) * self.appearance[b]
        self.appearance[a] = self.appearance[:, a] = mean
        self.weight[a] += self.weight[b]
        apart = self.apart[a] & self.apart[b]
        self.apart[a] = self.apart[:, a] = apart
        self.apart[b] = self.apart[:, b] = False
        self.alive[b] = False
        self.members[a] = sorted(self.members[a] + self.members[b], key=lambda index: self.pairs.first[index])
        row = np.full(len(self.ids), np.inf)
        self.least_step[a] = self.least_step[:, a] = np.minimum(self.least_step[a], self.least_step[b])
        for c in np.flatnonzero(apart & self.alive & (mean + self.least_step[a] <= self.limit)):
            joints = self._joints(a, int(c))
            if all(self.can_follow[joint] for joint in joints):
                total = mean[c] + sum(self.step[joint] for joint in joints) / len(joints)
                row[c] = total if total <= self.limit else np.inf
        for matrix in (self.total, self.open):
            matrix[b] = matrix[:, b] = np.inf
            matrix[a] = matrix[:, a] = row
        stale = np.flatnonzero(((self.best == a) | (self.best == b)) & self.alive)
        better = row < self.best_cost
        self.best[better], self.best_cost[better] = a, row[better]
        self._find_best([a, b, *stale])

    def _find_best(self, rows: list[int]) -> None:
        self.best[rows] = self.open[rows].argmin(axis=1)
        self.best_cost[rows] = self.open[rows, self.best[rows]]

    def _proposal(self, joint: tuple[int, int], cost: float, appearance: float, verdict: str) -> LinkProposal:
        i, j = joint
        pairs, limit, gap_s = self.pairs, self.rules.max_cost, float(self.pairs.gap_s[i, j])
        told = {
            'made': f'cost {cost:.3f} <= {limit:g}',
            'above': f'not made: cost {cost:.3f} > {limit:g}',
            'ambiguous': f'not made: cost {cost:.3f}, but another tubelet fits nearly as well',
        }[verdict]
        reason = (
            f'appearance distance {appearance:.3f}, {pairs.distance[i, j]:.1f} heights away, {told}, same shot, '
            f'gap {gap_s:.2f} s'
        )
        made = verdict == 'made'
        return LinkProposal(self.ids[i], self.ids[j], cost, gap_s, reason, made, made)
