"""Several extractors on one film, which is read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Full, Queue
from typing import TYPE_CHECKING

import numpy as np

from mmtube.errors import InputError
from mmtube.models.interfaces import BaseTubeletFeatures
from mmtube.registry import MODELS
from mmtube.structures import Tube, TubeletRows, VideoInfo

if TYPE_CHECKING:
    from mmtube.datasets import Frame

SAME_TIME_S = 1e-3
FRAMES_AHEAD = 4
WAIT_S = 0.1


@MODELS.register_module()
class FeatureStreams(BaseTubeletFeatures):
    """Features of several networks side by side on the same rows, such as SEAL's TSP-T and Slowfast-T.

    The film is decoded once; each extractor takes the frames in a thread of its own, at most a few frames ahead of the
    slowest. The rows say the meta data of each stream in ``meta['streams']``.

    Args:
        extractors (Sequence[dict]): Configs of the extractors, in the order in which their features stand.
        device (str): Where the networks run that do not say it themselves. Defaults to 'cpu'.

    Raises:
        InputError: If an extractor cannot be built.
        ValueError: If there are fewer than two.
    """

    def __init__(self, extractors: Sequence[dict], device: str = 'cpu') -> None:
        if len(extractors) < 2:
            raise ValueError(f'several extractors are needed, got {len(extractors)}')
        self.extractors: list[BaseTubeletFeatures] = [
            MODELS.build({'device': device, **extractor}) for extractor in extractors
        ]

    def extract(self, frames: Iterable[Frame], tubes: list[Tube], video: VideoInfo) -> list[TubeletRows]:
        """Return the rows of each tube; see :class:`~mmtube.models.interfaces.BaseTubeletFeatures`.

        Args:
            frames (Iterable[Frame]): The frames of the film in order.
            tubes (list[Tube]): The people.
            video (VideoInfo): The film.

        Raises:
            InputError: If the rows of two streams do not stand at the same times.
        """
        queues: list[Queue] = [Queue(FRAMES_AHEAD) for _ in self.extractors]
        with ThreadPoolExecutor(len(queues)) as pool:
            jobs = [
                pool.submit(extractor.extract, _until_none(queue), tubes, video)
                for extractor, queue in zip(self.extractors, queues)
            ]
            try:
                for frame in frames:
                    done = [_put(queue, frame, job) for queue, job in zip(queues, jobs)]
                    if all(done):
                        break  # nobody reads on
            finally:
                for queue, job in zip(queues, jobs):
                    _put(queue, None, job)
            found = [job.result() for job in jobs]
        return [side_by_side(rows) for rows in zip(*found)]


def _put(queue: Queue, item: Frame | None, job: Future) -> bool:
    """Put a frame for an extractor, or see that it is done and needs none; return whether it is done."""
    while not job.done():
        try:
            queue.put(item, timeout=WAIT_S)
        except Full:
            continue
        return False
    return True


def _until_none(queue: Queue) -> Iterator[Frame]:
    while (frame := queue.get()) is not None:
        yield frame


def side_by_side(streams: Sequence[TubeletRows]) -> TubeletRows:
    """Return the rows of a tube in several streams as one, with ``meta['streams']``; lengths may differ by one row.

    Args:
        streams (Sequence[TubeletRows]): Of one tube.

    Raises:
        InputError: If they do not stand at the same times.
    """
    first, count = streams[0], min(len(rows.rows) for rows in streams)
    for rows in streams[1:]:
        apart = np.abs(rows.times_s[:count] - first.times_s[:count])
        if abs(len(rows.rows) - len(first.rows)) > 1 or (apart > SAME_TIME_S).any():
            told = f'{len(first.rows)} and {len(rows.rows)} rows' + (f', {apart.max():.3f} s apart' if count else '')
            raise InputError(f'tube {first.track_id}: rows of two streams do not stand at the same times ({told})')
    return TubeletRows(
        first.track_id,
        first.times_s[:count],
        np.concatenate([rows.rows[:count] for rows in streams], 1),
        {'streams': [rows.meta for rows in streams]},
        np.logical_and.reduce([rows.valid[:count] for rows in streams]),
    )
