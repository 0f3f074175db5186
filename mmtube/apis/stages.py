"""The stages one after another, as generators and functions; memory is bounded by what is in flight."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

import numpy as np

from mmtube.datasets import Frame
from mmtube.errors import InputError
from mmtube.models.trackers.id_switches import moved_looks
from mmtube.models.trackers.tubelet_describer import TubeletDescriber
from mmtube.models.trackers.tubelet_splitter import parted_pairs
from mmtube.structures import FrameDetections, Link, Tube, TubeletLook


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
    describer: TubeletDescriber | None = None,
    camera_motion: Callable | None = None,
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
        describer (TubeletDescriber | None): Watches what the tracker does with described boxes; its ``finish`` then
            tells the looks of the tubelets, without a second pass over the film. Defaults to None.
        camera_motion (Callable | None): See ``CameraMotion``; None takes the camera to stand still. Defaults to None.

    Returns:
        tuple: Tubelets; shots as half-open frame ranges; (F,) float64 times of all frames.
    """
    tracker.reset()
    if describer is not None:
        describer.reset()
    for stage in (shot_detector, camera_motion):
        if stage is not None:
            stage.reset()
    times_s: list[float] = []
    for frame, detections in detected:
        times_s.append(detections.time_s)
        if shot_detector is not None:
            with clock('shot_detector'):
                if shot_detector.update(frame.image, detections.frame_ind):
                    tracker.cut()
                    if camera_motion is not None:
                        camera_motion.reset()
        motion = None
        if camera_motion is not None:
            with clock('camera_motion'):
                motion = camera_motion.update(frame.image, detections.boxes_px)
        if appearance is not None:
            with clock('appearance'):
                detections.features = appearance(frame.image, detections.boxes_px)
        with clock('tracker'):
            ids = tracker.update(detections, motion)
        if describer is not None and detections.features is not None:
            with clock('describer'):
                height, width = frame.image.shape[:2]
                seen = detections.boxes_px, detections.scores, detections.features
                describer.watch(detections.frame_ind, ids, *seen, (width, height))
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
    looks: Mapping[int, TubeletLook] | None = None,
) -> tuple[list[Tube], list[Link], str]:
    """Fill holes, put ID switches right, part tubelets of two people, smooth, link those of one person.

    At last what is no person is dropped and the subjects are chosen. Each is done where the config has the stage.

    Args:
        tubelets (list[Tube]): From :func:`track_people`.
        shots (list[tuple[int, int]]): Likewise.
        frame_times_s (np.ndarray): Likewise.
        stages (dict): ``'gap_filler'``, ``'switch_corrector'``, ``'splitter'``, ``'smoother'``, ``'linker'``,
            ``'tube_filter'`` and ``'subject_chooser'`` or None.
        clock (StageClock): Where the time goes.
        looks (Mapping[int, TubeletLook] | None): How the tubelets look, by ID. Defaults to None: they are linked by
            their embeddings and none is parted.

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
            corrected, changes = stages['switch_corrector'](tubes, shots)
            looks = moved_looks(looks, tubes, changes) if looks else looks
            tubes = corrected
    parted: list[tuple[int, int]] = []
    if looks and stages.get('splitter') is not None:
        with clock('splitter'):
            tubes, looks, splits = stages['splitter'](with_looks(tubes, looks), looks)
            parted = parted_pairs(splits)
    if stages.get('smoother') is not None:
        with clock('smoother'):
            tubes = stages['smoother'](tubes, frame_times_s)
    if stages.get('linker') is not None:
        with clock('linker'):
            tubes, links = stages['linker'](with_looks(tubes, looks or {}), shots, looks, parted)
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
    """Return the merges of tubes that are still there.

    Where a tube lost a tubelet between two others, its two merges become one of these two.
    """
    spans: dict[int, tuple[float, float]] = {}
    for tube in tubes:
        ids, first = np.unique(tube.tubelet_ids, return_index=True)
        last = len(tube) - 1 - np.unique(tube.tubelet_ids[::-1], return_index=True)[1]
        spans.update(zip(ids.tolist(), zip(tube.times_s[first].tolist(), tube.times_s[last].tolist())))
    stands_for: dict[int, int] = {}  # a tubelet that is gone, by one that it was merged with

    def left(tubelet_id: int) -> int:
        while tubelet_id in stands_for:
            tubelet_id = stands_for[tubelet_id]
        return tubelet_id

    within = []
    for link in links:
        earlier, later = left(link.earlier_id), left(link.later_id)
        if earlier == later:
            continue
        if earlier not in spans:
            stands_for[earlier] = later
        elif later not in spans:
            stands_for[later] = earlier
        elif (earlier, later) == (link.earlier_id, link.later_id):
            within.append(link)
        else:
            earlier, later = sorted((earlier, later), key=lambda tubelet_id: spans[tubelet_id])
            gap_s = spans[later][0] - spans[earlier][1]
            within.append(replace(link, earlier_id=earlier, later_id=later, gap_s=gap_s))
    return within


def with_looks(tubelets: list[Tube], looks: Mapping[int, TubeletLook]) -> list[Tube]:
    """Return the tubelets with the mean of their good boxes as embedding, where a look is known."""
    means = {track_id: look.mean() for track_id, look in looks.items() if len(look)}
    return [replace(tube, embedding=means.get(tube.track_id, tube.embedding)) for tube in tubelets]


def describe_tubelets(
    frames: Iterable[Frame],
    tubelets: list[Tube],
    appearance: Callable,
    shot_detector: Callable | None,
    describer: TubeletDescriber | None = None,
    on_box: Callable[[Frame, int, int], None] | None = None,
) -> tuple[list[Tube], list[tuple[int, int]], dict[int, TubeletLook]]:
    """Give tubelets that came without a film their looks, and find the shots, in one pass.

    Only the boxes that the describer chooses are described, so that a network is affordable.

    Args:
        frames (Iterable[Frame]): The film.
        tubelets (list[Tube]): Tubelets of that film; not changed.
        appearance (Callable): See ``ColorHistogram``.
        shot_detector (Callable | None): None means that the film is one shot.
        describer (TubeletDescriber | None): Chooses the boxes. Defaults to None, one with its defaults.
        on_box (Callable | None): Called for each chosen box with its frame, the number of the tubelet and the row.
            Defaults to None.

    Returns:
        tuple: The tubelets with unit-length mean descriptors and the film's own times; shots as half-open frame ranges;
        how the tubelets look, by ID, those without a detected box left out.

    Raises:
        InputError: If a tubelet goes on after the end of the film.
    """
    describer = describer or TubeletDescriber()
    if shot_detector is not None:
        shot_detector.reset()
    times_s: list[float] = []
    chosen: list[tuple[np.ndarray, np.ndarray]] = []
    boxes_of: dict[int, list[tuple[int, int]]] = {}  # by frame: tubelet and row
    rows_of: dict[tuple[int, int], np.ndarray] = {}
    for frame in frames:
        times_s.append(frame.time_s)
        if not frame.index:
            chosen = describer.choose(tubelets, frame.image.shape[1::-1])
            for number, (rows, _) in enumerate(chosen):
                for row, frame_ind in zip(rows.tolist(), tubelets[number].frame_inds[rows].tolist()):
                    boxes_of.setdefault(frame_ind, []).append((number, row))
        if shot_detector is not None:
            shot_detector.update(frame.image, frame.index)
        boxes = boxes_of.pop(frame.index, [])
        if boxes:
            boxes_px = np.stack([tubelets[number].boxes_px[row] for number, row in boxes])
            rows_of.update(zip(boxes, appearance(frame.image, boxes_px)))
            if on_box is not None:
                for number, row in boxes:
                    on_box(frame, number, row)
    film_times_s = np.array(times_s)
    looks = {}
    for tube, (rows, good), number in zip(tubelets, chosen, range(len(tubelets))):
        if len(tube) and tube.frame_inds[-1] >= len(times_s):
            last = tube.frame_inds[-1] + 1
            raise InputError(f'tubelet {tube.track_id} has a box in frame {last}, the film has {len(times_s)} frames')
        if len(rows):
            features = np.stack([rows_of[number, row] for row in rows.tolist()])
            looks[tube.track_id] = TubeletLook(tube.frame_inds[rows], features, good)
    described = [replace(tube, times_s=film_times_s[tube.frame_inds], embedding=None) for tube in tubelets]
    shots = shot_detector.shots() if shot_detector is not None else [(0, len(times_s))]
    return with_looks(described, looks), shots, looks
