"""A square with somebody in it."""

import random

import numpy as np
import pytest

from mmtube.datasets.transforms import CropAroundPerson


def clip(boxes, objects=(), width=200, height=120):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    picture = np.arange(height)[:, None, None] * 1 + np.arange(width)[None, :, None] * np.ones((1, 1, 3), int)
    return dict(
        imgs=[picture, picture + 1],
        img_shape=(height, width),
        gt_bboxes=boxes,
        proposals=np.concatenate([boxes, np.array(objects, np.float32).reshape(-1, 4)]),
        person_ids=np.arange(len(boxes)),
    )


def test_each_crop_holds_somebody_whole_and_boxes_follow_the_picture():
    random.seed(0)
    boxes = [[10, 10, 40, 90], [150, 20, 190, 110]]
    seen = set()
    for _ in range(50):
        cropped = CropAroundPerson(size=100)(clip(boxes))
        left_top = cropped['imgs'][0][0, 0, 0]
        assert cropped['imgs'][0].shape == (100, 100, 3) and cropped['img_shape'] == (100, 100)
        whole = [number for number, box in enumerate(cropped['gt_bboxes']) if (box[2:] - box[:2]).tolist() != [0, 0]]
        assert whole
        for number in whole:
            box = cropped['gt_bboxes'][number]
            shift = np.float32(boxes[number])[:2] - box[:2]
            if (box[2:] - box[:2]).tolist() == [
                boxes[number][2] - boxes[number][0],
                boxes[number][3] - boxes[number][1],
            ]:
                assert shift.sum() == left_top  # the picture shows x + y
                seen.add(number)
    assert seen == {0, 1}


def test_who_is_mostly_outside_is_left_out():
    random.seed(0)
    results = CropAroundPerson(size=100, min_share=0.5)(clip([[0, 0, 90, 100]], objects=[[85, 0, 160, 100]]))
    assert results['gt_bboxes'][0].tolist() == [0, 0, 90, 100] or results['gt_bboxes'][0][2] <= 100
    assert results['proposals'][1].tolist() == [0, 0, 0, 0]


def test_small_frames_and_frames_without_people_are_cropped_too():
    random.seed(0)
    assert CropAroundPerson(size=300)(clip([[1, 2, 3, 4]]))['gt_bboxes'].tolist() == [[1, 2, 3, 4]]
    assert CropAroundPerson(size=50)(clip([]))['img_shape'] == (50, 50)
    tall = CropAroundPerson(size=50)(clip([[10, 0, 40, 120]]))
    assert tall['img_shape'] == (50, 50)


@pytest.mark.parametrize('arguments', [{'size': 0}, {'min_share': 1.5}])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match='must be'):
        CropAroundPerson(**arguments)
