"""A result as the short document that the page carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mmtube.structures import Tube, VideoResult

from ..lanes import presence, shot_changes_s
from ..palette import person_rgb
from .key_boxes import TICKS_PER_PX, key_rows, whole_ms, whole_ticks

TASKS = ('atomic', 'complex', 'clip')
TOP_CLIPS, MIN_CLIP_SCORE = 3, 0.1  # labels of one clip, as in the annotated film


def viewer_document(result: VideoResult, film_url: str | None) -> dict[str, Any]:
    """Return what the page draws, in whole numbers: milliseconds, quarters of a pixel, thousandths of a score.

    Each person has ``stretches`` without a gap, four numbers each: start, end, whether its boxes were detected, and
    how many of the person's key boxes are its own; ``key_ms`` and the columns of ``boxes``, both as differences to
    the number before; and ``segments``, five numbers each: task, name, start, end, score. Where the film has no
    segments they are its clips with their best labels.

    Args:
        result (VideoResult): The film.
        film_url (str | None): Where the page finds the film; None where it must be asked for.

    Returns:
        dict: Ready for JSON.
    """
    video = result.video
    names: dict[str, int] = {}
    frame_s = 1 / video.fps if video.fps > 0 else 0.0
    from_segments = any(tube.segments for tube in result.tubes)
    people = []
    for tube in result.tubes:
        found = _segments(result, tube) if from_segments else _clips(result, tube)
        rows = [
            [TASKS.index(task), names.setdefault(name, len(names)), *times_ms, round(1000 * score)]
            for task, name, times_ms, score in sorted(found, key=lambda row: (row[2], row[0], row[1]))
        ]
        segments = [number for row in rows for number in row]
        people.append(
            {'id': tube.track_id, 'rgb': person_rgb(tube.track_id), **_boxes(tube, frame_s), 'segments': segments}
        )
    ends_ms = [1000 * (tube.end_s + frame_s) for tube in result.tubes if len(tube)]
    ends_ms += [end_ms for person in people for end_ms in person['segments'][3::5]]
    return {
        'name': video.name,
        'url': film_url,
        'width': video.width,
        'height': video.height,
        'fps': video.fps,
        'end_ms': round(max([1000 * video.duration_s, *ends_ms])),
        'ticks_per_px': TICKS_PER_PX,
        'shots_ms': whole_ms(shot_changes_s(result)).tolist(),
        'tasks': TASKS,
        'names': list(names),
        'people': people,
    }


def _boxes(tube: Tube, frame_s: float) -> dict[str, Any]:
    """Return stretches and key boxes of a person."""
    spans_s, observed = presence(tube, frame_s)
    first_rows = np.searchsorted(tube.times_s, spans_s[:, 0])
    stretches: list[int] = []
    kept: list[np.ndarray] = []
    for (start_ms, end_ms), seen, first, end in zip(
        whole_ms(spans_s).tolist(), observed.tolist(), first_rows, [*first_rows[1:], len(tube)]
    ):
        # Rows of one millisecond are one to the page.
        times_ms, distinct = np.unique(whole_ms(tube.times_s[first:end]), return_index=True)
        keys = first + distinct[key_rows(times_ms, tube.boxes_px[first + distinct])]
        stretches += [start_ms, end_ms, int(seen), len(keys)]
        kept.append(keys)
    rows = np.concatenate(kept) if kept else np.zeros(0, np.int64)
    boxes = whole_ticks(tube.boxes_px[rows])
    return {
        'stretches': stretches,
        'key_ms': np.diff(whole_ms(tube.times_s[rows]), prepend=0).tolist(),
        'boxes': np.diff(boxes, axis=0, prepend=0).T.tolist(),
    }


Row = tuple[str, str, tuple[int, int], float]  # task, name, start and end in ms, score


def _segments(result: VideoResult, tube: Tube) -> Iterator[Row]:
    for segment in tube.segments:
        start_ms, end_ms = whole_ms(np.array([segment.start_s, segment.end_s])).tolist()
        yield segment.task, result.label_name(segment.task, segment.label), (start_ms, end_ms), segment.score


def _clips(result: VideoResult, tube: Tube) -> Iterator[Row]:
    spans_ms = whole_ms(np.maximum(tube.clip_spans_s, 0)).tolist()
    best = np.argsort(-tube.clip_scores, axis=1, kind='stable')[:, :TOP_CLIPS]
    scores = np.take_along_axis(tube.clip_scores, best, axis=1)
    for clip, rank in np.argwhere(scores >= MIN_CLIP_SCORE).tolist():
        name = result.label_name('clip', int(best[clip, rank]))
        yield 'clip', name, tuple(spans_ms[clip]), float(scores[clip, rank])
