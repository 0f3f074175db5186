"""Times in frames or milliseconds where seconds are needed, and the other way round."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmtube.structures.seal import Finding

from .columns import Frames, Times

SLACK_S = 0.5  # containers and annotators disagree about the end of a film
MANY = 0.1  # share of rows beyond the film from which on it is the file that is wrong and not the row
LEAST_FPS = 5.0
AVA_ZERO_S = 900.0


def time_findings(times: Times) -> Iterator[Finding]:
    """Find times that the films do not have, and say what unit would fit.

    Yields:
        Finding: One for each rule that is broken, for its first row.
    """
    spans, duration, fps = times.spans_s, times.durations_s, times.fps
    total = len(spans)
    if not total:
        return
    finite = np.isfinite(spans).all(axis=1)
    start, end = spans.T

    def tell(mask: np.ndarray, rule: str, cause: str) -> Finding:
        row = int(np.argmax(mask))
        begin, stop = spans[row] + times.zero_s
        told = f'key time {begin:g}' if times.moments else f'{begin:g} to {stop:g} s'
        length = '' if np.isnan(duration[row]) else f' in a film of {duration[row]:.6g} s'
        share = f'{int(mask.sum()):,d} of {total:,d} {"key times" if times.moments else "segments"}'
        return Finding(times.file, times.place(row), rule, f'{told}{length} {cause} ({share})')

    if not finite.all():
        yield tell(~finite, 'time-not-a-number', 'is not a finite number')
    if not times.moments:
        reversed_, empty = finite & (end < start), finite & (end == start)
        if reversed_.any():
            yield tell(reversed_, 'segment-reversed', 'ends before it starts')
        if empty.any():
            yield tell(empty, 'segment-without-length', 'has no length: no detection overlaps it')
    with np.errstate(invalid='ignore', divide='ignore'):
        limit = duration + SLACK_S
        beyond = finite & (end > limit)
        before = finite & (start < -1e-6)
        if beyond.any():
            whole = beyond.sum() >= MANY * total
            asked = finite & ~np.isnan(duration) if whole else beyond
            fits = {
                'frames': (end / fps <= limit)[asked].all() and not np.isnan(fps[asked]).any(),
                'milliseconds': (end / 1000 <= limit)[asked].all(),
                'ava': times.moments and ((end - AVA_ZERO_S <= limit) & (start >= AVA_ZERO_S))[asked].all(),
            }
            yield tell(beyond, *_beyond(fits, start, end, fps, int(np.argmax(beyond))))
        if before.any():
            cause = 'is before the first frame'
            if times.zero_s:
                cause += f', which this data set calls {times.zero_s:g} (time_offset_s)'
            yield tell(before, 'time-before-film', cause)
        if not beyond.any() and not before.any():
            yield from _early(times, finite & ~np.isnan(duration) & (fps >= LEAST_FPS), tell)


def _beyond(fits: dict[str, bool], start: np.ndarray, end: np.ndarray, fps: np.ndarray, row: int) -> tuple[str, str]:
    """Rule and cause of times beyond the end."""
    if fits['ava']:
        cause = (
            f'is after the end: AVA counts from {AVA_ZERO_S:g} where films are cut out; time_offset_s={AVA_ZERO_S:g}'
        )
        return 'time-offset', f'{cause} says so'
    if fits['frames']:
        told = f'{start[row] / fps[row]:.4g} to {end[row] / fps[row]:.4g} s'
        cause = f'is after the end, but fits as frames ({told} at {fps[row]:g} fps)'
        return 'frames-for-seconds', f'{cause}: frames are given where seconds are needed'
    if fits['milliseconds']:
        return 'milliseconds-for-seconds', 'is after the end, but fits as milliseconds where seconds are needed'
    return 'time-beyond-film', 'is after the end'


def _early(times: Times, rows: np.ndarray, tell) -> Iterator[Finding]:
    """All times in the first ``1 / fps`` of their films: seconds that were taken for frames and divided by the rate."""
    films = times.films[rows]
    if len(np.unique(films)) < 2 or rows.sum() < 3:
        return
    stretched = (times.spans_s[:, 1] * times.fps)[rows]
    duration = times.durations_s[rows]
    if (stretched > duration + SLACK_S).any():
        return
    reach = np.zeros(int(films.max()) + 1)
    np.maximum.at(reach, films, stretched / duration)
    if np.median(reach[np.unique(films)]) >= 0.5:
        cause = 'and all others end within the first frames of their films; times the frame rate they fill them'
        yield tell(rows, 'seconds-for-frames', f'{cause}: seconds were divided by the rate as if they were frames')


def frame_findings(frames: Frames) -> Iterator[Finding]:
    """Find frame numbers that the films do not have, and say what would fit.

    Yields:
        Finding: One for each rule that is broken, for its first row.
    """
    values, total = frames.values, len(frames.values)
    if not total:
        return

    def tell(mask: np.ndarray, rule: str, cause: str) -> Finding:
        row = int(np.argmax(mask))
        told = f'frame {values[row]:g} of a film of {frames.counts[row]} frames {cause}'
        return Finding(frames.file, frames.place(row), rule, f'{told} ({int(mask.sum()):,d} of {total:,d} frames)')

    broken = ~np.isfinite(values) | (values != np.floor(values))
    if broken.any():
        yield tell(broken, 'seconds-for-frames', 'is no whole number: seconds where frame numbers are needed?')
    low = values < frames.first
    high = values > frames.counts + frames.first - 1
    if low.any() and not high.any() and values[np.isfinite(values)].min() == frames.first - 1:
        cause = (
            f'is before the first, which is {frames.first} in this format: frames are counted from {frames.first - 1}'
        )
        yield tell(low, 'frame-offset', cause)
    elif low.any():
        yield tell(low, 'frame-before-film', 'is before the first')
    if high.any():
        if (values[high] == frames.counts[high] + frames.first).all():
            cause = f'is one after the last: frames are counted from {frames.first + 1}'
            yield tell(high, 'frame-offset', cause)
        else:
            yield tell(high, 'frame-beyond-film', 'is after the last')
