"""The second look, offline: which tubelets are the same person."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import numpy as np

from mmtube.ops.boxes import box_centers
from mmtube.registry import TASK_UTILS
from mmtube.structures import Link, Tube, apply_links


@TASK_UTILS.register_module()
class TubeLinker:
    """Merge tubelets of one person over gaps that no online tracker bridges (SEAL, Sec. 3.2, step 3).

    Average-linkage clustering by appearance in the order of increasing cost. A merge must satisfy, for every pair of
    members: their time spans do not overlap and they lie in the same shot; and for members that become neighbours in
    time: the gap is short enough and the way between them can have been walked. Every merge is returned with its cost
    and reason, and can be undone (``mmtube.structures.without_link``).

    Args:
        max_cost (float): Largest mean cosine distance of a merge. Defaults to 0.2.
        max_gap_s (float): Longest gap. Defaults to 60.
        max_speed (float): Fastest believable motion in body heights per second of gap. Defaults to 4.
        slack (float): Body heights by which a person may appear to jump in any case (a moving camera, a box that
            grows). Defaults to 1.5.
        max_scale (float): Largest ratio of the body heights on both sides of a gap. Defaults to 2.5.
        min_boxes (int): A tubelet with fewer detected boxes shows too little to be recognised and stays alone.
            Defaults to 5.

    Raises:
        ValueError: If a limit is negative or ``max_scale`` is below 1.
    """

    def __init__(
        self,
        max_cost: float = 0.2,
        max_gap_s: float = 60.0,
        max_speed: float = 4.0,
        slack: float = 1.5,
        max_scale: float = 2.5,
        min_boxes: int = 5,
    ) -> None:
        if min(max_cost, max_gap_s, max_speed, slack, min_boxes) < 0 or max_scale < 1:
            raise ValueError('limits must not be negative and max_scale must be at least 1')
        self.max_cost = max_cost
        self.max_gap_s = max_gap_s
        self.max_speed = max_speed
        self.slack = slack
        self.max_scale = max_scale
        self.min_boxes = min_boxes

    def __call__(self, tubelets: list[Tube], shots: list[tuple[int, int]]) -> tuple[list[Tube], list[Link]]:
        """Merge tubelets.

        Args:
            tubelets (list[Tube]): Tubelets of one film with distinct IDs. Those without an embedding stay alone.
            shots (list[tuple[int, int]]): Half-open frame ranges; empty means one shot.

        Returns:
            tuple[list[Tube], list[Link]]: The tubes, each under the lowest ID of its tubelets, and the merges in the
            order in which they were made.
        """
        starts = [start for start, _ in shots]
        by_shot: dict[int, list[Tube]] = {}
        for tube in sorted(tubelets, key=lambda tube: tube.track_id):  # ties do not depend on the order given
            if tube.embedding is not None and tube.observed.sum() >= self.min_boxes:
                by_shot.setdefault(bisect_right(starts, tube.frame_inds[0]), []).append(tube)
        links = [link for shot in sorted(by_shot) for link in self._link_shot(by_shot[shot])]
        return apply_links(tubelets, links), links

    def _link_shot(self, tubelets: list[Tube]) -> list[Link]:
        first = np.array([tube.frame_inds[0] for tube in tubelets])
        last = np.array([tube.frame_inds[-1] for tube in tubelets])
        features = np.stack([tube.embedding for tube in tubelets])  # type: ignore[arg-type]
        pair_cost = (1 - features @ features.T).clip(0)
        disjoint = (last[:, None] < first[None]) | (last[None] < first[:, None])
        believable = self._believable(tubelets)

        # Clusters are rows of the same matrices; a merged-away row is forbidden to all.
        members = [[index] for index in range(len(tubelets))]
        cost = np.where(disjoint, pair_cost, np.inf)
        np.fill_diagonal(cost, np.inf)
        # What cannot be believed now may be after a merge in between, so it is blocked apart from the cost.
        open_cost = np.where(believable | believable.T, cost, np.inf)
        links: list[Link] = []
        while True:
            a, b = np.unravel_index(int(open_cost.argmin()), cost.shape)
            if open_cost[a, b] > self.max_cost:
                return links
            merged = sorted(members[a] + members[b], key=lambda index: first[index])
            joints = [
                (i, j) for i, j in pairwise(merged) if (i in members[a]) != (j in members[a])
            ]  # neighbours in time that were not neighbours before
            if not all(believable[i, j] for i, j in joints):
                open_cost[a, b] = open_cost[b, a] = np.inf
                continue
            links.append(self._link(tubelets, joints[0], float(cost[a, b])))
            size_a, size_b = len(members[a]), len(members[b])
            mean = (size_a * cost[a] + size_b * cost[b]) / (size_a + size_b)  # inf where either is forbidden
            for matrix in (cost, open_cost):
                matrix[a], matrix[:, a] = mean, mean
                matrix[a, a] = np.inf
                matrix[b], matrix[:, b] = np.inf, np.inf
            members[a] = merged

    def _believable(self, tubelets: list[Tube]) -> np.ndarray:
        """Return (N, N) bool: whether the person who leaves i can be the one who enters j, in time and space."""
        leave_s = np.array([tube.end_s for tube in tubelets])
        enter_s = np.array([tube.start_s for tube in tubelets])
        leave = np.stack([tube.boxes_px[-1] for tube in tubelets]).astype(np.float64)
        enter = np.stack([tube.boxes_px[0] for tube in tubelets]).astype(np.float64)
        gap_s = enter_s[None] - leave_s[:, None]
        distance = np.linalg.norm(box_centers(enter)[None] - box_centers(leave)[:, None], axis=2)
        leave_h, enter_h = (leave[:, 3] - leave[:, 1])[:, None], (enter[:, 3] - enter[:, 1])[None]
        tall = np.maximum(leave_h, enter_h)
        near = distance <= (self.slack + self.max_speed * gap_s.clip(0)) * tall
        scale = tall / np.minimum(leave_h, enter_h)
        return (gap_s > 0) & (gap_s <= self.max_gap_s) & near & (scale <= self.max_scale)

    def _link(self, tubelets: list[Tube], joint: tuple[int, int], cost: float) -> Link:
        earlier, later = tubelets[joint[0]], tubelets[joint[1]]
        gap_s = later.start_s - earlier.end_s
        reason = f'appearance distance {cost:.3f} <= {self.max_cost:g}, same shot, gap {gap_s:.2f} s'
        return Link(earlier.track_id, later.track_id, cost, gap_s, reason)
