import re

import cv2
import numpy as np

from mmtube.structures import LinkProposal, TubeletSplit
from mmtube.visualization.link_review import CROP_SIZE_PX, link_review_page, person_crop

FRAME = np.zeros((240, 320, 3), np.uint8)
FRAME[100:200, 100:140] = (0, 0, 255)


def test_a_crop_shows_the_person_and_little_else():
    picture = person_crop(FRAME, np.array([100, 100, 140, 200], np.float32))
    assert picture.width <= CROP_SIZE_PX[0] and picture.height <= CROP_SIZE_PX[1] and not picture.note
    image = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    red = (image[..., 2] > 150).mean()
    assert 0.5 < red < 0.85  # 40 x 100 of 50 x 124 pixels
    assert abs(picture.height / picture.width - 124 / 50) < 0.1


def test_a_box_outside_the_frame_is_told():
    assert person_crop(FRAME, np.array([400, 10, 440, 90])).note == 'the box is not inside the frame'


def page(proposals, **kwargs):
    picture = person_crop(FRAME, np.array([100, 100, 140, 200]))
    crops = {1: ([picture], [picture] * 3), 2: ([picture] * 2, [picture])}
    return link_review_page('<b>&.mp4', proposals, crops, {1: (0.0, 2.0), 2: (4.5, 6.0)}, **kwargs)


def test_the_page_shows_the_last_of_the_earlier_and_the_first_of_the_later():
    html = page([LinkProposal(1, 2, 0.12, 2.5, 'looks <alike>', True, True)])
    assert html.count('<img') == 5
    assert 'looks &lt;alike&gt;' in html and '&lt;b&gt;&amp;.mp4' in html and '<b>&' not in html
    assert 'tubelet 1, 0.0 to 2.0 s' in html and 'tubelet 2, 4.5 to 6.0 s' in html
    assert '2.50 s' in html and '0.120' in html


def test_made_and_open_merges_and_splits_are_told_apart():
    proposals = [LinkProposal(1, 2, 0.1, 2.5, 'r', True, True), LinkProposal(2, 9, 0.3, 1.0, 'r', False, False)]
    html = page(proposals, splits=[TubeletSplit(2, 9, 77, 0.4, None)])
    assert '1 made, 1 not made but close' in html
    assert len(re.findall('class="merge made"', html)) == 1 and len(re.findall('class="merge open"', html)) == 1
    assert 'at frame 77' in html and 'no picture' in html


def test_nothing_is_loaded_from_anywhere():
    html = page([LinkProposal(1, 2, 0.1, 2.5, 'r', True, True)])
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources and all(source.startswith('data:') for source in sources)
    assert "default-src 'none'" in html.replace('&#x27;', "'")
    assert 'Nothing is proposed' in page([])
