"""What speaks for and against two tubelets being one person, apart from how often they are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmtube.ops.boxes import box_centers, box_overlap
from mmtube.structures import Tube, TubeletLook

END_BOXES = 8  # boxes at an end of a tubelet that tell its height and motion there
MOTION_FRAMES = 12  # further than this a motion is not continued
SAME_PLACE = 0.5  # share of the smaller box; two boxes of one person in one frame lie on one another


@dataclass(frozen=True)
class Ends:
    """The first or the last boxes of N tubelets.

    Args:
        time_s (np.ndarray): (N,) float64 time of the outermost box.
        frame (np.ndarray): (N,) int64 its frame.
        center_px (np.ndarray): (N, 2) float64 its centre.
        height_px (np.ndarray): (N,) float64 median height of the boxes at this end.
        velocity_px (np.ndarray): (N, 2) float64 motion per frame there, by least squares.
    """

    time_s: np.ndarray
    frame: np.ndarray
    center_px: np.ndarray
    height_px: np.ndarray
    velocity_px: np.ndarray

    @classmethod
    def of(cls, tubelets: Sequence[Tube], last: bool) -> Ends:
        """Look at the last or the first boxes."""
        outer = -1 if last else 0
        part = slice(-END_BOXES, None) if last else slice(END_BOXES)
        height, velocity = np.zeros(len(tubelets)), np.zeros((len(tubelets), 2))
        for number, tube in enumerate(tubelets):
            boxes, frames = tube.boxes_px[part].astype(np.float64), tube.frame_inds[part].astype(np.float64)
            height[number] = np.median(boxes[:, 3] - boxes[:, 1])
            centers = box_centers(boxes)
            frames = frames - frames.mean()
            if len(frames) >= 3:
                velocity[number] = frames @ (centers - centers.mean(axis=0)) / (frames @ frames)
        outermost = np.stack([tube.boxes_px[outer] for tube in tubelets]).astype(np.float64)
        return cls(
            np.array([tube.times_s[outer] for tube in tubelets]),
            np.array([tube.frame_inds[outer] for tube in tubelets]),
            box_centers(outermost),
            height,
            velocity,
        )


@dataclass(frozen=True, eq=False)
class PairEvidence:
    """Matrices over N tubelets of one shot; entry (i, j) asks whether the person of i goes on as j.

    Args:
        first (np.ndarray): (N,) int64 first frames.
        appearance (np.ndarray): (N, N) float64 cosine distance, symmetric.
        evidence (np.ndarray): (N,) float64 in (0, 1], 1 for a tubelet that shows its person well.
        disjoint (np.ndarray): (N, N) bool, symmetric: the two may belong to one person, they are not seen at once.
        gap_s (np.ndarray): (N, N) float64 seconds from the end of i to the beginning of j.
        distance (np.ndarray): (N, N) float64 between those ends, in body heights.
        predicted (np.ndarray): (N, N) float64 the same where the motion before or after the gap is continued into it,
            the smaller of both.
        scale (np.ndarray): (N, N) float64 absolute logarithm of the ratio of the heights.
        parted (np.ndarray): (N, N) bool, they were one tubelet that was parted here.
    """

    first: np.ndarray
    appearance: np.ndarray
    evidence: np.ndarray
    disjoint: np.ndarray
    gap_s: np.ndarray
    distance: np.ndarray
    predicted: np.ndarray
    scale: np.ndarray
    parted: np.ndarray

    @classmethod
    def of(
        cls,
        tubelets: Sequence[Tube],
        looks: Mapping[int, TubeletLook],
        full_evidence: int,
        max_overlap_frames: int,
        parted: Collection[tuple[int, int]] = (),
    ) -> PairEvidence:
        """Compare tubelets with one another.

        Args:
            tubelets (Sequence[Tube]): N tubelets of one shot with an embedding or a look each.
            looks (Mapping[int, TubeletLook]): How they look, by ID; of one that is not in it all detected boxes count
                as good and ``Tube.embedding`` is the mean.
            full_evidence (int): So many good boxes are full evidence.
            max_overlap_frames (int): Frames by which two tubelets of a person may overlap.
            parted (Collection[tuple[int, int]]): IDs of tubelets that were one, earlier and later. Defaults to none.
        """
        means = [
            looks[t.track_id].mean() if t.track_id in looks and len(looks[t.track_id]) else t.embedding
            for t in tubelets
        ]
        features = np.stack(means).astype(np.float64)  # type: ignore[arg-type]
        good = np.array([looks[t.track_id].num_good if t.track_id in looks else t.observed.sum() for t in tubelets])
        start, end = Ends.of(tubelets, last=False), Ends.of(tubelets, last=True)
        frames = np.minimum(np.maximum(start.frame[None] - end.frame[:, None], 0), MOTION_FRAMES)[..., None]
        leave, enter = end.center_px[:, None], start.center_px[None]
        forward = np.linalg.norm(leave + frames * end.velocity_px[:, None] - enter, axis=2)
        backward = np.linalg.norm(enter - frames * start.velocity_px[None] - leave, axis=2)
        tall = np.maximum(end.height_px[:, None], start.height_px[None])
        return cls(
            start.frame,
            (1 - features @ features.T).clip(0),
            np.clip(good / full_evidence, 1 / (4 * full_evidence), 1),
            _disjoint(tubelets, start.frame, end.frame, max_overlap_frames),
            start.time_s[None] - end.time_s[:, None],
            np.linalg.norm(enter - leave, axis=2) / tall,
            np.minimum(forward, backward) / tall,
            np.abs(np.log(end.height_px[:, None] / start.height_px[None])),
            _among(tubelets, parted),
        )


def _among(tubelets: Sequence[Tube], pairs: Collection[tuple[int, int]]) -> np.ndarray:
    """Return (N, N) bool: which of the tubelets are a pair of IDs."""
    marked = np.zeros((len(tubelets), len(tubelets)), bool)
    number = {tube.track_id: index for index, tube in enumerate(tubelets)}
    for earlier, later in pairs:
        if earlier in number and later in number:
            marked[number[earlier], number[later]] = True
    return marked


def _disjoint(tubelets: Sequence[Tube], first: np.ndarray, last: np.ndarray, max_overlap: int) -> np.ndarray:
    """Return (N, N) bool: spans that do not overlap, or so little that boxes of one person may stand there twice."""
    overlap = np.minimum(last[:, None], last[None]) - np.maximum(first[:, None], first[None]) + 1
    disjoint = overlap <= 0
    for i, j in zip(*np.nonzero((overlap > 0) & (overlap <= max_overlap))):
        one, two = tubelets[i], tubelets[j]
        inside = (last[i] < last[j]) == (first[i] < first[j])  # one after the other, not one within the other
        _, a, b = np.intersect1d(one.frame_inds, two.frame_inds, assume_unique=True, return_indices=True)
        share = np.array([box_overlap(one.boxes_px[[p]], two.boxes_px[[q]])[0, 0] for p, q in zip(a, b)])
        disjoint[i, j] = i != j and inside and bool((share >= SAME_PLACE).all())
    return disjoint & disjoint.T
