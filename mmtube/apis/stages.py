"""The stages one after another, as generators and functions; memory is bounded by what is in flight."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import numpy as np

from mmtube.datasets import Frame
from mmtube.errors import InputError
from mmtube.structures import FrameDetections, Link, Tube


class StageClock:
    """Wall seconds per stage, added up.

    Examples:
        >>> clock = StageClock()
        >>> with clock('detector'):
        ...     work()
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start

    def timed(self, stage: str, items: Iterable) -> Iterator:
        """Yield ``items``, counting the time spent on waiting for each."""
        iterator = iter(items)
        while True:
            with self(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item


def batches(items: Iterable, size: int) -> Iterator[list]:
    """Yield lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def detect_people(
    frames: Iterable[Frame],
    detector: Callable,
    selector: Callable | None,
    batch_size: int,
    clock: StageClock,
) -> Iterator[tuple[Frame, FrameDetections]]:
    """Find the people of each frame and keep the subjects.

    Args:
        frames (Iterable[Frame]): The film.
        detector (Callable): Images to (boxes_px, scores) pairs; see ``PersonDetector``.
        selector (Callable | None): Keeps the people the film is about; None keeps all.
        batch_size (int): Frames per forward pass.
        clock (StageClock): Where the time goes.

    Yields:
        tuple[Frame, FrameDetections]: Each frame with its boxes, most confident first.
    """
    for batch in batches(clock.timed('frame_source', frames), batch_size):
        with clock('detector'):
            found = detector([frame.image for frame in batch])
        for frame, (boxes_px, scores) in zip(batch, found):
            detections = FrameDetections(frame.index, frame.time_s, boxes_px, scores)
            if selector is not None:
                with clock('selector'):
                    height, width = frame.image.shape[:2]
                    detections = detections[selector(detections.boxes_px, detections.scores, (width, height))]
            yield frame, detections


def track_people(
    detected: Iterable[tuple[Frame | None, FrameDetections]],
    tracker: Callable,
    shot_detector: Callable | None,
    appearance: Callable | None,
    clock: StageClock,
    on_frame: Callable[[int, int], None] | None = None,
) -> tuple[list[Tube], list[tuple[int, int]], np.ndarray]:
    """Link boxes to tubelets, frame by frame.

    Args:
        detected (Iterable): What :func:`detect_people` yields, one item per frame of the film. The image may be None
            where neither shots nor appearance are asked for.
        tracker (Callable): See ``DeepSORTTracker``.
        shot_detector (Callable | None): None means that the film is one shot.
        appearance (Callable | None): Describes boxes, see ``ColorHistogram``; None tracks by motion alone.
        clock (StageClock): Where the time goes.
        on_frame (Callable | None): Called after each frame with its index and the number of people followed in it.
            Defaults to None.

    Returns:
        tuple: Tubelets; shots as half-open frame ranges; (F,) float64 times of all frames.
    """
    tracker.reset()
    if shot_detector is not None:
        shot_detector.reset()
    times_s: list[float] = []
    for frame, detections in detected:
        times_s.append(detections.time_s)
        if shot_detector is not None:
            with clock('shot_detector'):
                if shot_detector.update(frame.image, detections.frame_ind):
                    tracker.cut()
        if appearance is not None:
            with clock('appearance'):
                detections.features = appearance(frame.image, detections.boxes_px)
        with clock('tracker'):
            ids = tracker.update(detections)
        if on_frame is not None:
            on_frame(detections.frame_ind, len(np.unique(ids[ids >= 0])))
    shots = shot_detector.shots() if shot_detector is not None else [(0, len(times_s))]
    return tracker.finish(), shots, np.array(times_s)


def refine_tubes(
    tubelets: list[Tube],
    shots: list[tuple[int, int]],
    frame_times_s: np.ndarray,
    stages: dict[str, Callable | None],
    clock: StageClock,
) -> tuple[list[Tube], list[Link], str]:
    """Fill holes, put ID switches right, link tubelets of one person, drop what is no person, and choose the subjects.

    Each is done where the config has the stage.

    Args:
        tubelets (list[Tube]): From :func:`track_people`.
        shots (list[tuple[int, int]]): Likewise.
        frame_times_s (np.ndarray): Likewise.
        stages (dict): ``'gap_filler'``, ``'switch_corrector'``, ``'linker'``, ``'tube_filter'`` and
            ``'subject_chooser'`` or None.
        clock (StageClock): Where the time goes.

    Returns:
        tuple[list[Tube], list[Link], str]: Tubes ordered by ID; the merges among them; and what was dropped and why,
        '' if nothing was.
    """
    tubes, links, dropped = tubelets, [], ''
    if stages.get('gap_filler') is not None:
        with clock('gap_filler'):
            tubes = stages['gap_filler'](tubes, frame_times_s)
    if stages.get('switch_corrector') is not None:
        with clock('switch_corrector'):
            tubes, _ = stages['switch_corrector'](tubes, shots)
    if stages.get('linker') is not None:
        with clock('linker'):
            tubes, links = stages['linker'](tubes, shots)
    if stages.get('tube_filter') is not None:
        with clock('tube_filter'):
            verdicts = [stages['tube_filter'].verdict(tube) for tube in tubes]
            tubes = [tube for tube, verdict in zip(tubes, verdicts) if not verdict]
            reasons = Counter(filter(None, verdicts))
            dropped = ', '.join(f'{reason} ({count})' for reason, count in reasons.items())
    if stages.get('subject_chooser') is not None:
        with clock('subject_chooser'):
            tubes = stages['subject_chooser'](tubes)
    return tubes, links_within(tubes, links), dropped


def links_within(tubes: list[Tube], links: list[Link]) -> list[Link]:
    """Return the merges whose tubes are still there."""
    kept = {tubelet_id for tube in tubes for tubelet_id in tube.tubelet_ids.tolist()}
    return [link for link in links if link.earlier_id in kept]


def describe_tubelets(
    frames: Iterable[Frame], tubelets: list[Tube], appearance: Callable, shot_detector: Callable | None
) -> tuple[list[Tube], list[tuple[int, int]]]:
    """Give tubelets that came without a film their embeddings, and find the shots, in one pass.

    Args:
        frames (Iterable[Frame]): The film.
        tubelets (list[Tube]): Tubelets of that film; not changed.
        appearance (Callable): See ``ColorHistogram``.
        shot_detector (Callable | None): None means that the film is one shot.

    Returns:
        tuple: The tubelets with unit-length mean descriptors and the film's own times; shots as half-open frame ranges.

    Raises:
        InputError: If a tubelet goes on after the end of the film.
    """
    rows_of: dict[int, list[tuple[int, np.ndarray]]] = {}
    for index, tube in enumerate(tubelets):
        for frame_ind, box in zip(tube.frame_inds[tube.observed].tolist(), tube.boxes_px[tube.observed]):
            rows_of.setdefault(frame_ind, []).append((index, box))
    sums: dict[int, np.ndarray] = {}
    if shot_detector is not None:
        shot_detector.reset()
    times_s: list[float] = []
    for frame in frames:
        times_s.append(frame.time_s)
        if shot_detector is not None:
            shot_detector.update(frame.image, frame.index)
        rows = rows_of.pop(frame.index, [])
        if rows:
            features = appearance(frame.image, np.stack([box for _, box in rows]))
            for (index, _), feature in zip(rows, features):
                sums[index] = sums.get(index, 0) + feature.astype(np.float64)
    film_times_s = np.array(times_s)
    described = []
    for index, tube in enumerate(tubelets):
        if tube.frame_inds[-1] >= len(times_s):
            last = tube.frame_inds[-1] + 1
            raise InputError(f'tubelet {tube.track_id} has a box in frame {last}, the film has {len(times_s)} frames')
        embedding = sums[index] / np.linalg.norm(sums[index]) if index in sums else None
        described.append(replace(tube, times_s=film_times_s[tube.frame_inds], embedding=embedding))
    return described, shot_detector.shots() if shot_detector is not None else [(0, len(times_s))]
