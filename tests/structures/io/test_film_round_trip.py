"""A film that was read, drawn on and written is read again: times to the millisecond, pictures alike."""

from __future__ import annotations

import numpy as np
import pytest

from mmtube.datasets import FrameSource
from mmtube.structures.io import FilmWriter
from mmtube.testing import make_film


@pytest.mark.parametrize('size', [(64, 48), (63, 47)])
def test_a_film_survives_reading_and_writing(tmp_path, size):
    times_s = np.cumsum([0.0, 0.04, 0.01, 0.3, 0.033, 0.04, 1.0, 0.02])
    source = FrameSource(make_film(tmp_path / 'first.mp4', num_frames=8, size=size, times_s=times_s))
    with FilmWriter(tmp_path / 'second.mp4', (source.info.width, source.info.height)) as film:
        for frame in source:
            film.write(frame.image, frame.time_s)
    again = FrameSource(tmp_path / 'second.mp4')
    frames = list(again)
    assert [frame.time_s for frame in frames] == pytest.approx(times_s.tolist(), abs=1e-3)
    assert again.info.duration_s == pytest.approx(times_s[-1] + 0.02, abs=1e-3)
    assert again.problems == []
    for frame, first in zip(frames, source, strict=True):
        assert np.abs(frame.image[: size[1], : size[0]].astype(int) - first.image).mean() < 4
