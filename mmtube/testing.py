"""Small makers of test input, so that tests need no data; nothing in the library uses them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

EXACT = 2 | 0x40000  # libswscale's bilinear and accurate rounding: grey stays grey


def numbered_frames(num_frames: int, size: tuple[int, int] = (64, 48)) -> Iterable[np.ndarray]:
    """Yield flat grey BGR frames whose level tells their number: frame ``i`` is ``20 + 8 * (i % 25)``.

    Args:
        num_frames (int): How many.
        size (tuple[int, int]): Width and height in pixels. Defaults to (64, 48).

    Yields:
        np.ndarray: (H, W, 3) uint8.
    """
    for number in range(num_frames):
        yield np.full((size[1], size[0], 3), 20 + 8 * (number % 25), np.uint8)


def make_film(
    path: str | Path,
    num_frames: int = 25,
    size: tuple[int, int] = (64, 48),
    fps: int = 25,
    *,
    frames: Iterable[np.ndarray] | None = None,
    times_s: Iterable[float] | None = None,
    rotation: int = 0,
    codec: str = 'libx264',
    audio: bool = False,
    faststart: bool = False,
) -> Path:
    """Encode a small film; the suffix of ``path`` chooses the container (mp4, mkv, webm, avi, ts, h264, mjpeg).

    Args:
        path (str | Path): The film to write.
        num_frames (int): Frames from :func:`numbered_frames`; with 0 and ``audio`` the film has sound only. Defaults
            to 25.
        size (tuple[int, int]): Width and height of those frames in pixels, odd allowed. Defaults to (64, 48).
        fps (int): Frame rate. Defaults to 25.
        frames (Iterable[np.ndarray] | None): (H, W, 3) uint8 BGR frames of one size that are taken in place of
            numbered ones. Defaults to None.
        times_s (Iterable[float] | None): Presentation times, strictly increasing, one per frame; needs libx264.
            Defaults to None, which means ``index / fps``.
        rotation (int): Rotation flag in degrees counter-clockwise, obeyed by players. Defaults to 0.
        codec (str): Encoder. Defaults to 'libx264'.
        audio (bool): Whether to add one second of silence. Defaults to False.
        faststart (bool): Whether an mp4's index stands before its frames. Defaults to False.

    Returns:
        Path: ``path``.
    """
    images = list(numbered_frames(num_frames, size) if frames is None else frames)
    times = [index / fps for index in range(len(images))] if times_s is None else list(times_s)
    with av.open(str(path), 'w', options={'movflags': '+faststart'} if faststart else {}) as container:
        video = container.add_stream(codec, rate=fps) if images else None
        sound = container.add_stream('aac', rate=16000, layout='mono') if audio else None
        if video is not None:
            video.height, video.width = images[0].shape[:2]
            odd = video.height % 2 or video.width % 2
            video.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv444p' if odd and codec == 'libx264' else 'yuv420p'
            video.codec_context.time_base = Fraction(1, fps) if times_s is None else Fraction(1, 90000)
            video.codec_context.gop_size = 12
            if rotation:
                video.set_display_rotation(rotation)
            for image, time_s in zip(images, times):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='bgr24')
                frame = frame.reformat(format=video.pix_fmt, interpolation=EXACT)
                frame.time_base = video.codec_context.time_base
                frame.pts = round(time_s / frame.time_base)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format='fltp', layout='mono')
            silence.sample_rate, silence.pts = 16000, 0
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return Path(path)
