"""Film in, frames with true timestamps out, decoded once and a bounded number of frames ahead."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mmtube.errors import InputError
from mmtube.registry import DATASETS
from mmtube.structures import VideoInfo

from .film_container import FilmClock, Orientation, average_fps, declared_s, missing_from_s, open_film
from .look_ahead import LookAhead

ACTIONS = ('error', 'warn')


class Frame(NamedTuple):
    """One decoded frame.

    Args:
        index (int): Frame index from 0.
        time_s (float): Presentation time in seconds after the first frame.
        image (np.ndarray): (H, W, 3) uint8 BGR, C-contiguous, as shown (rotation flag obeyed), free to be drawn on.
    """

    index: int
    time_s: float
    image: np.ndarray


@DATASETS.register_module()
class FrameSource:
    """Iterate over the frames of a film.

    Decoding runs in a thread of its own, at most ``look_ahead`` frames before the caller, so memory does not grow with
    the film. Each ``for`` loop is a new pass from the first frame; a loop that is left early ends its thread.

    Times come from the film's own timestamps and increase strictly. A frame without one follows its predecessor by one
    average frame interval. A frame whose time repeats or goes back a little follows by a quarter of an interval, so
    that the frames after it keep their true times. A jump back of more than a second is a clock that was restarted:
    time goes on by one interval and the film continues from there.

    Args:
        path (str | os.PathLike): The film, any container and codec that libav reads.
        look_ahead (int): Decoded frames that may wait for the caller. Defaults to 8.
        threads (int | str): Decoding threads; 0 or ``'auto'`` means one per core. Defaults to 'auto'.
        on_truncated (str): ``'error'`` refuses a film that ends before its container says, at construction where its
            index tells; ``'warn'`` uses what there is. Defaults to 'error'.
        on_corrupt (str): ``'error'`` refuses a film with damaged frames when it meets them; ``'warn'`` skips packets
            that cannot be decoded and keeps frames that the decoder patched. Defaults to 'error'.

    Attributes:
        problems (list[str]): What a complete pass found wrong and went on with, one line each.

    Raises:
        InputError: If the file is missing, empty, a folder, no film, has no video, no frame that can be decoded, a
            frame of another size, or is truncated or corrupt and that is not allowed.
        ValueError: If an argument is out of range.

    Examples:
        >>> with FrameSource('film.mp4') as source:  # doctest: +SKIP
        ...     for index, time_s, image in source:
        ...         print(index, time_s, image.shape)
    """

    def __init__(
        self,
        path: str | os.PathLike,
        look_ahead: int = 8,
        threads: int | str = 'auto',
        on_truncated: str = 'error',
        on_corrupt: str = 'error',
    ) -> None:
        if look_ahead < 1:
            raise ValueError(f'look_ahead must be at least 1, got {look_ahead}')
        if threads != 'auto' and (not isinstance(threads, int) or threads < 0):
            raise ValueError(f"threads must be 'auto' or >= 0, got {threads!r}")
        if on_truncated not in ACTIONS or on_corrupt not in ACTIONS:
            raise ValueError(f'on_truncated and on_corrupt must be one of {ACTIONS}, got {on_truncated}, {on_corrupt}')
        self.path = Path(path)
        self.look_ahead = look_ahead
        self.threads = 0 if threads == 'auto' else int(threads)
        self.on_truncated = on_truncated
        self.on_corrupt = on_corrupt
        self.problems: list[str] = []
        self._pass: LookAhead | None = None
        self._info = self._probe()

    @property
    def info(self) -> VideoInfo:
        """What the container says; after a complete pass the exact number of frames, duration and average rate."""
        return self._info

    def __enter__(self) -> FrameSource:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        self.close()
        ahead = self._pass = LookAhead(self._decode(), self.look_ahead)
        try:
            self._info, self.problems = yield from ahead
        finally:
            ahead.close()
        for problem in self.problems:
            warnings.warn(problem, stacklevel=2)

    def close(self) -> None:
        """End the thread of a pass that is still running."""
        if self._pass is not None:
            self._pass.close()
            self._pass = None

    def _probe(self) -> VideoInfo:
        with open_film(self.path, threads=1) as (container, stream):
            film_s = declared_s(container, stream)
            if self.on_truncated == 'error':
                end_s = missing_from_s(container, stream, self.path.stat().st_size)
                if end_s is not None:
                    raise InputError(self._truncated(end_s, film_s))
            first = next(self._raw_frames(container, stream, []), None)
            if first is None:
                raise InputError(f'{self.path}: has no frame that can be decoded')
            width, height = Orientation(first).size(first.width, first.height)
            fps = float(average_fps(stream))
            num_frames = round(film_s * fps) or stream.frames
            return VideoInfo(self.path.name, width, height, fps, num_frames, film_s or num_frames / fps)

    def _decode(self) -> Generator[Frame, None, tuple[VideoInfo, list[str]]]:
        """Decode the film; runs in the thread of the pass. Returns the exact info and the problems."""
        with open_film(self.path, self.threads) as (container, stream):
            clock = FilmClock(stream.time_base, average_fps(stream))
            # AVI has no presentation times: libav passes decoding times on, which B-frames put out of order.
            timeless = container.format.name == 'avi' and stream.codec_context.has_b_frames
            reformatter = VideoReformatter()
            damage: list[str] = []
            orientation = None
            for index, raw in enumerate(self._raw_frames(container, stream, damage)):
                if orientation is None:
                    orientation, stored = Orientation(raw), (raw.width, raw.height)
                if (raw.width, raw.height) != stored:
                    began = f'the film began with {stored[0]}x{stored[1]}'
                    raise InputError(f'{self.path}: frame {index} is {raw.width}x{raw.height}, {began}')
                time_s = clock(None if timeless else raw.pts)
                image = reformatter.reformat(raw, format='bgr24', threads=1).to_ndarray()
                yield Frame(index, time_s, orientation(image))
            if orientation is None:
                raise InputError(f'{self.path}: has no frame that can be decoded')
            end_s = float(clock.last_s + (raw.duration * stream.time_base or clock.interval_s))
            # Without presentation times the last timestamp is still right to a few frames.
            reached_s = max(end_s, float((raw.pts or 0) * stream.time_base)) if timeless else end_s
            problems = self._truncation(container, stream, reached_s, float(clock.interval_s))
            if damage:
                problems.append(f'{self.path}: damaged packets or frames: {len(damage)}, the first: {damage[0]}')
            if clock.num_repaired:
                frames = f'{clock.num_repaired} of {index + 1} frames'
                problems.append(f'{self.path}: {frames} have no usable time and got one from the average rate')
            width, height = orientation.size(*stored)
            return VideoInfo(self.path.name, width, height, (index + 1) / end_s, index + 1, end_s), problems

    def _raw_frames(self, container: Any, stream: Any, damage: list[str]) -> Iterator[av.VideoFrame]:
        """Yield libav's frames; a damaged one is an error or a line in ``damage``, as ``on_corrupt`` says."""
        count = 0
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                raise InputError(f'{self.path}: cannot be read after frame {count} ({error.strerror})') from None
            if packet is None:
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self._damaged(f'frame {count} cannot be decoded ({error.strerror})', damage)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._damaged(f'frame {count} is damaged', damage)
                count += 1
                yield frame

    def _damaged(self, what: str, damage: list[str]) -> None:
        if self.on_corrupt == 'error':
            raise InputError(f'{self.path}: {what}, the file is corrupt or cut off')
        damage.append(what)

    def _truncation(self, container: Any, stream: Any, end_s: float, interval_s: float) -> list[str]:
        """Compare the end of the last frame with the declared length; a difference of a few frames is normal."""
        film_s = declared_s(container, stream, reliable=True)
        start_s = max(0.0, float((stream.start_time or 0) * stream.time_base))  # some containers count it in
        if film_s - start_s - end_s <= max(0.5, 3 * interval_s):
            return []
        if self.on_truncated == 'error':
            raise InputError(self._truncated(end_s, film_s))
        return [self._truncated(end_s, film_s)]

    def _truncated(self, end_s: float, film_s: float) -> str:
        return f'{self.path}: ends after {end_s:.2f} s of {film_s:.2f} s: the file is truncated'
