"""Draw the README's picture of SEAL-mini: some activities of the first training films, each as a row of moments.

Usage: python docs/images/make_seal_mini_picture.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mmtube.datasets.synthetic import SetOptions, direct
from mmtube.datasets.synthetic.preview import Moment, activity_strip, moments_of
from mmtube.errors import exit_on_input_error

ROWS = {'moving boxes': 'street', 'warm up': 'park', 'basketball': 'gym', 'phone break': 'office', 'dance': 'kitchen'}
FILMS, COLUMNS, SCALE = 84, 6, 0.5


def main() -> None:
    """Command line."""
    best: dict[str, Moment] = {}
    for number in range(FILMS):
        for moment in moments_of(direct(SetOptions(), 'train', number)):
            name, start = moment.activity.name, int(moment.activity.start_s * moment.film.script.fps)
            scene = next(shot.scene for shot in moment.film.script.shots if start < shot.end)
            if ROWS.get(name) == scene and (name not in best or moment.seen > best[name].seen):
                best[name] = moment
    sheet = np.concatenate([activity_strip(best[name], COLUMNS) for name in ROWS])
    small = cv2.resize(sheet, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(Path(__file__).with_name('seal_mini.png')), small)


if __name__ == '__main__':
    exit_on_input_error(main)
