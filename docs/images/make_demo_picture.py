"""Put the README's picture together from what ``make demo`` wrote: two frames of the film above its timeline.

Usage: python docs/images/make_demo_picture.py [DEMO_OUT]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from mmtube.datasets import FrameSource
from mmtube.errors import exit_on_input_error

FRAMES = (36, 124)


def main() -> None:
    """Command line."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else 'demo_out')
    with FrameSource(folder / 'annotated.mp4') as source:
        shown = [frame.image for frame in source if frame.index in FRAMES]
    timeline = cv2.imread(str(folder / 'timeline.png'))
    film = np.hstack(shown)
    film = cv2.resize(film, (timeline.shape[1], round(film.shape[0] * timeline.shape[1] / film.shape[1])))
    cv2.imwrite(str(Path(__file__).with_name('demo.png')), np.vstack([film, timeline]))


if __name__ == '__main__':
    exit_on_input_error(main)
