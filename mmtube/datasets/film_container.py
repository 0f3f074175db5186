"""What a film's container says: its video stream, rate, length and rotation, and the clock of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.stream import Disposition

from mmtube.errors import InputError

UNKNOWN_RATE_FPS = Fraction(25)
CLOCK_RESTART_S = 1
# These containers declare no length; libav guesses one from the bit rate or from the last packets.
GUESSED_LENGTH = ('mpeg', 'mpegts')


@contextmanager
def open_film(path: Path, threads: int) -> Iterator[tuple[Any, Any]]:
    """Open a film and its main video stream.

    Args:
        path (Path): The film.
        threads (int): Decoding threads, 0 for one per core.

    Yields:
        tuple: PyAV's container and video stream.

    Raises:
        InputError: If the file is missing, empty, a folder, no film, or has no video.
    """
    if not path.exists():
        raise InputError(f'{path}: there is no such file')
    if not path.is_file():
        raise InputError(f'{path}: is a folder or a device, a film is needed')
    if path.stat().st_size == 0:
        raise InputError(f'{path}: is empty')
    av.logging.set_level(None)  # libav's own messages would reach the terminal; ours name the file and the cause
    try:
        # Local files only: a playlist that passes for a film must not reach the network.
        options = {'protocol_whitelist': 'file'}
        container = av.open(str(path.absolute()), container_options=options, metadata_errors='replace')
    except av.error.FFmpegError as error:
        raise InputError(f'{path}: is no film that can be read, or a film cut off ({error.strerror})') from None
    with container:
        # A cover picture in a sound file is a video stream to libav.
        streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not streams:
            what = 'only sound' if container.streams.audio else 'it may be cut off'
            raise InputError(f'{path}: has no video, {what}')
        best = container.streams.best('video')
        stream = best if best in streams else streams[0]
        stream.thread_type = 'AUTO'
        stream.thread_count = threads
        yield container, stream


def average_fps(stream: Any) -> Fraction:
    """Average frame rate as declared, 25 where nothing is."""
    return stream.average_rate or stream.guessed_rate or UNKNOWN_RATE_FPS


def declared_s(container: Any, stream: Any, reliable: bool = False) -> float:
    """Length of the video that the container declares.

    Args:
        container (Any): PyAV's container.
        stream (Any): Its video stream.
        reliable (bool): Whether a guess, or a length that may be that of the sound, counts as unknown. Defaults to
            False.

    Returns:
        float: Seconds, 0 where unknown.
    """
    if reliable and container.format.name in GUESSED_LENGTH:
        return 0.0
    film_s = (container.duration or 0) / av.time_base
    stream_s = float((stream.duration or 0) * stream.time_base) or _tagged_s(stream.metadata.get('DURATION', ''))
    if stream_s:
        return min(stream_s, film_s or stream_s)  # an edit list shortens the film and leaves the stream as it was
    return 0.0 if reliable and len(container.streams) > 1 else film_s


def _tagged_s(text: str) -> float:
    """Seconds of Matroska's ``hh:mm:ss.nnn`` tag, 0 where it is something else."""
    try:
        hours, minutes, seconds = map(float, text.split(':'))
    except ValueError:
        return 0.0
    return 3600 * hours + 60 * minutes + seconds


def missing_from_s(container: Any, stream: Any, num_bytes: int) -> float | None:
    """Time of the first frame that a cut mp4 lacks, by its index, without decoding.

    Args:
        container (Any): PyAV's container.
        stream (Any): Its video stream.
        num_bytes (int): Size of the file.

    Returns:
        float | None: Seconds after the first frame, None where all bytes are there or no index says.
    """
    entries = stream.index_entries
    if 'mp4' not in container.format.name or not len(entries) or entries[-1].pos + entries[-1].size <= num_bytes:
        return None
    cut = next(entry.timestamp for entry in entries if entry.pos + entry.size > num_bytes)
    return float((cut - entries[0].timestamp) * stream.time_base)


class Orientation:
    """The quarter turn and mirroring that a film's display matrix asks for.

    Args:
        frame (av.VideoFrame): The first frame; the matrix is the same for all.
    """

    def __init__(self, frame: av.VideoFrame) -> None:
        data = frame.side_data.get('DISPLAYMATRIX')
        a, b, _, c, d = (1, 0, 0, 0, 1) if data is None else np.frombuffer(bytes(data), np.int32)[:5].tolist()
        self.transposed = abs(b) > abs(a)  # a pixel (x, y) is shown at (a x + c y, b x + d y)
        self.mirrored = (c if self.transposed else a) < 0
        self.flipped = (b if self.transposed else d) < 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as shown."""
        return (height, width) if self.transposed else (width, height)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Turn (H, W, 3) as stored into C-contiguous (H', W', 3) as shown."""
        if self.transposed:
            image = cv2.transpose(image)
        if self.mirrored or self.flipped:
            image = cv2.flip(image, 1 if not self.flipped else -1 if self.mirrored else 0)
        return np.ascontiguousarray(image)


class FilmClock:
    """Strictly increasing film times from the timestamps of the frames, in the order of presentation.

    The rules for timestamps that are missing, repeat or go back are those of ``FrameSource``. Fractions keep the times
    of a long film exact.

    Args:
        time_base (Fraction): Seconds per tick of the timestamps.
        fps (Fraction): Average frame rate.
    """

    def __init__(self, time_base: Fraction, fps: Fraction) -> None:
        self.time_base = time_base
        self.interval_s = 1 / fps
        self.last_s: Fraction | None = None
        self.num_repaired = 0
        self._zero: int | None = None  # the timestamp of film time 0

    def __call__(self, pts: int | None) -> float:
        """Return the film time in seconds of the next frame, whose timestamp is ``pts`` ticks."""
        following_s = Fraction(0) if self.last_s is None else self.last_s + self.interval_s
        if pts is None:
            time_s = following_s
        else:
            if self._zero is None or self._seconds(pts) < (self.last_s or 0) - CLOCK_RESTART_S:
                self._zero = pts - round(following_s / self.time_base)
            time_s = self._seconds(pts)
        unusable = self.last_s is not None and time_s <= self.last_s
        if unusable:
            time_s = self.last_s + self.interval_s / 4
        self.num_repaired += unusable or pts is None
        self.last_s = time_s
        return float(time_s)

    def _seconds(self, pts: int) -> Fraction:
        return (pts - self._zero) * self.time_base
