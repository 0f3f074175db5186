"""A few frames out of the middle of a film, at the cost of those frames."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mmtube.errors import InputError

from .film_container import FilmClock, Orientation, average_fps, open_film

SEEK_BACK_S = (0.0, 2.0, 10.0)  # MPEG-TS has no index: a seek may end behind the key frame that is needed
RAW = ('h264', 'hevc', 'm4v', 'mjpeg')  # streams without a container: no index, and times that libav guesses
PIXELS = {'rgb': 'rgb24', 'bgr': 'bgr24'}


class OpenFilm:
    """An open film whose frames can be read at any times.

    Times are seconds after the first frame by the film's own timestamps, as in
    :class:`~mmtube.datasets.FrameSource`. A film without timestamps (a raw stream, AVI with B-frames) is read from
    its beginning each time.

    Args:
        path (Path): The film.

    Attributes:
        size (tuple[int, int]): Width and height in pixels as shown.

    Raises:
        InputError: If the film is missing or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._open()
        try:
            first = next(self._frames(), None)
            if first is None:
                raise InputError(f'{path}: has no frame that can be decoded')
        except InputError:
            self.close()
            raise
        self.fps = average_fps(self.stream)
        self.orientation = Orientation(first)
        self.stored = (first.width, first.height)
        self.size = self.orientation.size(*self.stored)
        self._reformatter = VideoReformatter()
        self._zero = first.pts
        timeless = self.container.format.name == 'avi' and self.stream.codec_context.has_b_frames
        self._sought = first.pts is not None and not timeless and self.container.format.name not in RAW
        self._timeless = timeless

    def _open(self) -> None:
        self.container, self.stream = self._stack.enter_context(open_film(self.path, threads=1))

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def read(self, times_s: np.ndarray, size: tuple[int, int] | None, order: str) -> tuple[list[np.ndarray], float]:
        """Return the frames nearest to some times; of two as near, the earlier.

        Args:
            times_s (np.ndarray): (T,) float64 seconds, not decreasing. Those before the first or after the last frame
                take that frame.
            size (tuple[int, int] | None): Width and height as shown that frames are resized to, None as they are.
            order (str): ``'rgb'`` or ``'bgr'``.

        Returns:
            tuple: T images (H, W, 3) uint8, C-contiguous, free to be written to. And the time in seconds up to
            which the film was seen: the end of the last frame that was decoded.
        """
        images: list[np.ndarray] = []
        stored = self.orientation.size(*(size or self.size))
        previous, end_s = None, 0.0

        def take(frame: av.VideoFrame, count: int) -> None:
            if count:
                raw = self._reformatter.reformat(frame, *stored, format=PIXELS[order], threads=1)
                image = self.orientation(raw.to_ndarray())
                images.extend([image, *(image.copy() for _ in range(count - 1))])  # transforms change them in place

        for time_s, frame in self._from(float(times_s[0])):
            if previous is not None:
                nearer = int(np.searchsorted(times_s, (previous[0] + time_s) / 2, side='right'))
                take(previous[1], nearer - len(images))
            previous = time_s, frame
            end_s = time_s + float(frame.duration * frame.time_base if frame.duration else 1 / self.fps)
            if len(images) == len(times_s):
                break
        if previous is None:
            raise InputError(f'{self.path}: has no frame at {times_s[0]:.2f} s')
        take(previous[1], len(times_s) - len(images))
        return images, end_s

    def _from(self, time_s: float) -> Iterator[tuple[float, av.VideoFrame]]:
        """Yield frames and times in the order of time; the first is at or before ``time_s``, or the film's first."""
        if not self._sought:
            self.close()
            self._open()
            clock = FilmClock(self.stream.time_base, self.fps)
            yield from ((clock(None if self._timeless else frame.pts), frame) for frame in self._frames())
            return
        base = self.stream.time_base
        wanted = self._zero + max(int(time_s / base), 0)
        for back_s in SEEK_BACK_S:
            self._seek(max(self._zero, wanted - int(back_s / base)))
            frames = self._frames()
            first = next(frames, None)
            if first is not None and first.pts is not None and first.pts <= wanted:
                break
        else:
            self._seek(None)
            frames = self._frames()
            first = next(frames, None)
        last_s = -np.inf
        while first is not None:
            if first.pts is not None and float((first.pts - self._zero) * base) > last_s:
                last_s = float((first.pts - self._zero) * base)
                yield last_s, first
            first = next(frames, None)

    def _seek(self, pts: int | None) -> None:
        """Go to the key frame at or before a timestamp, None for the beginning."""
        try:
            if pts is None:
                self.container.seek(0)
            else:
                self.container.seek(pts, stream=self.stream, backward=True)
        except av.error.FFmpegError as error:
            raise InputError(f'{self.path}: cannot be sought ({error.strerror})') from None

    def _frames(self) -> Iterator[av.VideoFrame]:
        try:
            for frame in self.container.decode(self.stream):
                if (frame.width, frame.height) != getattr(self, 'stored', (frame.width, frame.height)):
                    raise InputError(f'{self.path}: frames are not of one size')
                yield frame
        except av.error.FFmpegError as error:
            raise InputError(f'{self.path}: a frame cannot be decoded ({error.strerror})') from None


class WindowReader:
    """Read windows of films and keep the last few films open.

    A film is opened once, so a window costs the frames from the key frame before it to its end. Each process has its
    own open films: a copy in another process begins with none.

    Args:
        max_open (int): Films kept open. Defaults to 4.
    """

    def __init__(self, max_open: int = 4) -> None:
        if max_open < 1:
            raise ValueError(f'max_open must be at least 1, got {max_open}')
        self.max_open = max_open
        self._open: OrderedDict[Path, OpenFilm] = OrderedDict()
        self._process = os.getpid()

    def __call__(self, path: str | os.PathLike) -> OpenFilm:
        """Return an open film.

        Raises:
            InputError: If it is missing or cannot be read.
        """
        if self._process != os.getpid():  # a forked process shares the parent's file positions
            self._open, self._process = OrderedDict(), os.getpid()
        path = Path(path)
        if path not in self._open:
            self._open[path] = OpenFilm(path)
            if len(self._open) > self.max_open:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(path)
        return self._open[path]

    def forget(self, path: str | os.PathLike) -> None:
        """Close a film."""
        film = self._open.pop(Path(path), None)
        if film is not None:
            film.close()

    def close(self) -> None:
        """Close all films."""
        while self._open:
            self._open.popitem()[1].close()

    def __getstate__(self) -> dict:
        return {'max_open': self.max_open}

    def __setstate__(self, state: dict) -> None:
        self.__init__(**state)
