"""Frames with timestamps in, a film that a browser plays out."""

from __future__ import annotations

import os
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from mmtube.errors import InputError
from mmtube.fileio import atomic_path

TIME_BASE = Fraction(1, 90000)
# Their numbers among the primaries, transfer characteristics and matrices of H.273.
MATRICES = {'bt709': 1, 'bt601': 6}
LIMITED_RANGE = 1
EXACT = 2 | 0x40000  # libswscale's bilinear and accurate rounding, without which all colours turn a little green


class FilmWriter:
    """Write an H.264 mp4 frame by frame; the file appears when the block ends well, and not at all when it raises.

    Each frame keeps its own time, to 1/90000 s; the last one lasts as long as the one before it. The film has 4:2:0
    colour, tagged BT.709, and its index before its frames, so that it plays in a browser while it loads. H.264 needs
    even sizes for that: an odd width or height is padded by one column or row that repeats the last.

    Args:
        path (str | os.PathLike): The mp4 to write.
        size (tuple[int, int]): Width and height of the frames in pixels.
        crf (int): Quality from 0 (lossless) to 51. Defaults to 23.
        preset (str): Speed of x264. Defaults to 'veryfast'.
        threads (int): Encoding threads, 0 for libav's choice. Defaults to 0.
        matrix (str): ``'bt709'``, converted by libswscale as exactly as 8 bits allow, or ``'bt601'``, converted by
            OpenCV in integers: a little less exact, but faster and the same on every machine. The film is tagged
            accordingly. Defaults to 'bt709'.
        key_every (int): Most frames from one key frame to the next. Fewer make seeking cheap and the file larger.
            Defaults to 250.

    Raises:
        InputError: If the file cannot be written or this PyAV was built without libx264.
        ValueError: If ``size`` or ``key_every`` is not positive, ``matrix`` is unknown, a frame has another size or
            type, times do not increase, or no frame was written.

    Examples:
        >>> with FilmWriter('out.mp4', (640, 480)) as film:  # doctest: +SKIP
        ...     film.write(image_bgr, time_s=0.0)
    """

    def __init__(
        self,
        path: str | os.PathLike,
        size: tuple[int, int],
        crf: int = 23,
        preset: str = 'veryfast',
        threads: int = 0,
        matrix: str = 'bt709',
        key_every: int = 250,
    ) -> None:
        if min(size) < 1:
            raise ValueError(f'size must be positive, got {size}')
        if matrix not in MATRICES:
            raise ValueError(f'matrix must be one of {tuple(MATRICES)}, got {matrix!r}')
        if key_every < 1:
            raise ValueError(f'key_every must be positive, got {key_every}')
        self.path = Path(path)
        self.width, self.height = size
        self.crf = crf
        self.preset = preset
        self.threads = threads
        self.matrix = matrix
        self.key_every = key_every

    def __enter__(self) -> FilmWriter:
        try:
            codec = av.Codec('libx264', 'w')
        except av.codec.codec.UnknownCodecError:
            raise InputError(f'{self.path}: cannot be written, this PyAV was built without libx264') from None
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            options = {'movflags': '+faststart'}
            self._container = stack.enter_context(av.open(str(temporary), 'w', format='mp4', options=options))
            self._stream = self._container.add_stream(codec.name)
            self._stream.width, self._stream.height = self.width + self.width % 2, self.height + self.height % 2
            self._stream.pix_fmt = 'yuv420p'
            # Without B-frames the order of decoding is that of showing, and each duration in the file is a frame's own.
            # x264 chooses its algorithms by the processor, and then the same frames come out otherwise elsewhere.
            same = {'x264-params': 'cpu-independent=1'}
            self._stream.options = {'preset': self.preset, 'crf': str(self.crf), 'bf': '0', **same}
            context = self._stream.codec_context
            context.time_base = TIME_BASE
            context.thread_count = self.threads
            context.gop_size = self.key_every
            context.colorspace = context.color_primaries = context.color_trc = MATRICES[self.matrix]
            context.color_range = LIMITED_RANGE
            self._reformatter = VideoReformatter()
            self._last_ticks: int | None = None
            self._duration_ticks = round(Fraction(1, 25) / TIME_BASE)  # of a film of one frame
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            if self._last_ticks is None:
                raise ValueError(f'{self.path}: no frame was written')
            self._mux(None)

    def write(self, image_bgr: np.ndarray, time_s: float) -> None:
        """Append a frame.

        Args:
            image_bgr (np.ndarray): (H, W, 3) uint8; it may be changed afterwards.
            time_s (float): Presentation time in seconds, at least 1/90000 s after the frame before.
        """
        if image_bgr.shape != (self.height, self.width, 3) or image_bgr.dtype != np.uint8:
            wanted = f'({self.height}, {self.width}, 3) uint8'
            raise ValueError(f'{self.path}: a frame is {image_bgr.shape} {image_bgr.dtype}, it must be {wanted}')
        ticks = round(time_s / TIME_BASE)
        if self._last_ticks is not None:
            if ticks <= self._last_ticks:
                raise ValueError(f'{self.path}: a frame at {time_s} s does not come after the one before it')
            self._duration_ticks = ticks - self._last_ticks
        self._last_ticks = ticks
        if self.width % 2 or self.height % 2:
            image_bgr = np.pad(image_bgr, ((0, self.height % 2), (0, self.width % 2), (0, 0)), mode='edge')
        frame = self._convert(np.ascontiguousarray(image_bgr))
        frame.pts, frame.time_base = ticks, TIME_BASE
        self._mux(frame)

    def _convert(self, image_bgr: np.ndarray) -> av.VideoFrame:
        if self.matrix == 'bt601':
            planes = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2YUV_I420)
            return av.VideoFrame.from_numpy_buffer(planes, format='yuv420p')
        frame = av.VideoFrame.from_numpy_buffer(image_bgr, format='bgr24')
        return self._reformatter.reformat(
            frame, format='yuv420p', dst_colorspace=Colorspace.ITU709, interpolation=EXACT
        )

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._duration_ticks  # counts for the last packet only, the others end at the next
            self._container.mux(packet)
