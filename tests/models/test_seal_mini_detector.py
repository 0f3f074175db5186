"""The detector of SEAL-mini that ships with the package."""

import numpy as np

from mmtube.models.detectors import PersonDetector


def test_shipped_weights_fit_their_config_and_find_nobody_on_a_grey_wall():
    detector = PersonDetector('mmtube::seal_mini/person_detector', checkpoint='mmtube://picodet_s_seal_mini.pth')
    [(boxes_px, scores)] = detector([np.full((240, 320, 3), 128, np.uint8)])
    assert boxes_px.shape == (0, 4) and scores.shape == (0,)
