"""WebVTT subtitles: who does what, readable under the film in any player.

A cue is one person during one span of time: ``#3 walk (0.82), carry (0.64)``. Its identifier says where it comes from:
``atomic`` or ``complex`` segments, ``clip`` scores, or ``visible``.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmtube.errors import InputError
from mmtube.fileio import write_text

from ..tube import TASKS, Segment, Tube
from ..video_result import VideoInfo, VideoResult
from ._common import check_writable, text_of, tube_without_boxes

TIMING = re.compile(
    r'(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})[ \t]+-->[ \t]+(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})'
)
ACTION = re.compile(r'(.+?) \((-?\d+\.\d\d)\)(?:, |$)')
PERSON = re.compile(r'#(\d{1,15})(?: (.+))?')

Span = tuple[int, int, int, str]  # start ms, end ms, track ID, source


def write_webvtt(result: VideoResult, path: str | os.PathLike, *, clip_thr: float = 0.5) -> None:
    """Write subtitles, ordered by start, end and ID.

    A tube with segments has a cue for each of their spans; a tube without has one for each run of neighbouring clips
    that score at least ``clip_thr`` for the same class, with the mean score of the run, each clip standing for the time
    half way to its neighbours. When the whole film has no action, each person has one cue from the first box to the
    end of the last. Times are rounded to milliseconds, not below 0, at least one long; scores to two digits; white
    space in class names to single blanks.

    Args:
        result (VideoResult): The film.
        path (str | os.PathLike): File to write.
        clip_thr (float): Least clip score that is shown. Defaults to 0.5.

    Raises:
        InputError: If a number is not finite, two tubes share an ID, or the file cannot be written.
    """
    check_writable(result, path)
    cues: dict[Span, list[str]] = {}
    for tube in result.tubes:
        for start_s, end_s, source, name, score in _actions(tube, result, clip_thr):
            cues.setdefault(_span(start_s, end_s, tube, source), []).append(f'{name} ({score:.2f})')
    if not cues:
        frame_s = 1 / result.video.fps if result.video.fps > 0 else 0.0
        visible = [tube for tube in result.tubes if len(tube)]
        cues = {_span(tube.start_s, tube.end_s + frame_s, tube, 'visible'): [] for tube in visible}
    blocks = ['WEBVTT']
    for number, (start_ms, end_ms, track_id, source) in enumerate(sorted(cues), start=1):
        text = ' '.join([f'#{track_id}', ', '.join(cues[start_ms, end_ms, track_id, source])]).rstrip()
        timing = f'{_clock(start_ms)} --> {_clock(end_ms)}'
        blocks.append(f'{number} {source}\n{timing}\n{html.escape(text, quote=False)}')
    write_text(path, '\n\n'.join(blocks) + '\n')


def _actions(tube: Tube, result: VideoResult, clip_thr: float) -> Iterator[tuple[float, float, str, str, float]]:
    """Yield start, end, source, class name and score of what the person does."""
    for segment in sorted(tube.segments, key=lambda segment: (-segment.score, segment.label)):
        name = _one_line(result.label_name(segment.task, segment.label)) or f'{segment.task} {segment.label}'
        yield segment.start_s, segment.end_s, segment.task, name, segment.score
    if not tube.segments:
        for start_s, end_s, label, score in sorted(_clip_runs(tube, clip_thr), key=lambda run: (-run[3], run[2])):
            yield start_s, end_s, 'clip', _one_line(result.label_name('clip', label)) or f'clip {label}', score


def _clip_runs(tube: Tube, clip_thr: float) -> Iterator[tuple[float, float, int, float]]:
    """Yield start, end, label and mean score of each run of neighbouring clips at or above the threshold."""
    order = np.argsort(tube.clip_times_s, kind='stable')
    times_s, spans_s, scores = tube.clip_times_s[order], tube.clip_spans_s[order], tube.clip_scores[order]
    hole = np.diff(times_s) > 1.5 * np.diff(times_s).min(initial=np.inf)
    for label in range(scores.shape[1]):
        on = np.flatnonzero(scores[:, label] >= clip_thr)
        cuts = np.flatnonzero((np.diff(on) > 1) | hole[on[:-1]]) + 1
        for run in np.split(on, cuts):
            if len(run):
                yield float(spans_s[run[0], 0]), float(spans_s[run[-1], 1]), label, float(scores[run, label].mean())


def _one_line(text: str) -> str:
    return ' '.join(text.split())


def _span(start_s: float, end_s: float, tube: Tube, source: str) -> Span:
    start_ms = max(round(start_s * 1000), 0)
    return start_ms, max(round(end_s * 1000), start_ms + 1), tube.track_id, source


def _clock(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    return f'{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}'


def read_webvtt(path: str | os.PathLike) -> VideoResult:
    """Read subtitles of :func:`write_webvtt` as tubes without boxes.

    Each action of a cue becomes a segment; one that came from clip scores becomes an atomic segment. A ``visible`` cue
    gives a tube without segments. Classes are numbered by the sorted names that occur, for each task. What comes back
    unchanged is therefore, for each person and task, the set of (name, start, end, score) that the cues show.

    Args:
        path (str | os.PathLike): File to read. Comments, style blocks and cue settings are passed over.

    Returns:
        VideoResult: Tubes ordered by ID; the video is named after the file.

    Raises:
        InputError: If the file is missing, empty or not WebVTT, or a cue is cut off or not of this form.
    """
    rows: list[tuple[int, str, str, float, float, float]] = []
    people: set[int] = set()
    for line, lines in _blocks(path):
        source, start_ms, end_ms, text = _cue(path, line, lines)
        match = PERSON.fullmatch(text)
        actions = list(ACTION.finditer(match[2] or '')) if match else []
        if match is None or ''.join(action[0] for action in actions) != (match[2] or ''):
            raise InputError(f'{path}:{line}: is not "#ID action (score), ...": {text[:80]}')
        people.add(int(match[1]))
        rows += [
            (int(match[1]), source, action[1], start_ms / 1000, end_ms / 1000, float(action[2])) for action in actions
        ]
    label_maps = {task: sorted({row[2] for row in rows if row[1] == task}) for task in TASKS}
    label_maps = {task: names for task, names in label_maps.items() if names}
    index = {task: {name: number for number, name in enumerate(names)} for task, names in label_maps.items()}
    segments: dict[int, list[Segment]] = {track_id: [] for track_id in sorted(people)}
    for track_id, task, name, start_s, end_s, score in rows:
        segments[track_id].append(Segment(start_s, end_s, index[task][name], score, task))
    tubes = [tube_without_boxes(track_id, found) for track_id, found in segments.items()]
    return VideoResult(VideoInfo(Path(path).stem, 0, 0, 0.0, 0, 0.0), tubes, label_maps=label_maps)


def _blocks(path: str | os.PathLike) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line number and the lines of each cue."""
    lines = text_of(path).splitlines()
    if not lines or re.fullmatch(r'WEBVTT(?:[ \t].*)?', lines[0]) is None:
        raise InputError(f'{path}: {"is empty" if not lines else "does not begin with WEBVTT"}')
    block: list[str] = []
    for number, line in enumerate([*lines, ''], start=1):
        if line.strip():
            block.append(line)
        elif block:
            if block[0].split()[0] not in ('WEBVTT', 'NOTE', 'STYLE', 'REGION'):
                yield number - len(block), block
            block = []


def _cue(path: str | os.PathLike, line: int, lines: list[str]) -> tuple[str, int, int, str]:
    """Return task, start ms, end ms and text."""
    rest = lines if '-->' in lines[0] else lines[1:]
    match = TIMING.match(rest[0]) if rest else None
    if match is None:
        raise InputError(f'{path}:{line}: a cue has no timing line')
    if len(rest) < 2:
        raise InputError(f'{path}:{line}: a cue has no text')
    clock = [int(part or 0) for part in match.groups()]
    start_ms, end_ms = (((h * 60 + m) * 60 + s) * 1000 + ms for h, m, s, ms in (clock[:4], clock[4:]))
    if end_ms <= start_ms:
        raise InputError(f'{path}:{line}: a cue ends before it starts')
    identifier = lines[0].split()[-1] if rest is not lines else ''
    return identifier if identifier in TASKS else 'atomic', start_ms, end_ms, html.unescape(' '.join(rest[1:]))
