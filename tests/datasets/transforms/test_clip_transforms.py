"""Which frames a clip reads, and what becomes of its boxes."""

import numpy as np
import pytest
import torch

from mmtube.datasets.transforms import DecodeWindow, PackSEALClip, SampleSEALClip
from mmtube.errors import InputError
from mmtube.registry import TRANSFORMS
from mmtube.testing import make_film


def clip(key_s=3.0, **more):
    return {'key_s': key_s, 'clip_start_s': key_s - 1, 'clip_end_s': key_s + 1, 'duration_s': 6.0, **more}


def inds(sampler, key_s=3.0):
    return sampler(clip(key_s))['frame_inds'].tolist()


# --- sampling ---


def test_64_frames_lie_around_the_key_time_and_the_right_half_begins_at_it():
    assert inds(SampleSEALClip(clip_len=64, frame_interval=1)) == list(range(75 - 32, 75 + 32))
    assert inds(SampleSEALClip()) == list(range(75 - 32, 75 + 32, 2))


def test_frames_are_those_of_the_ava_sampler_of_mmaction2():
    theirs = TRANSFORMS.build(dict(type='mmaction.SampleAVAFrames', clip_len=8, frame_interval=4, test_mode=True))
    results = dict(fps=25, timestamp=3, timestamp_start=0, shot_info=(0, 150))
    assert inds(SampleSEALClip(8, 4)) == theirs(results)['frame_inds'].tolist()


def test_times_are_clamped_to_the_film():
    assert inds(SampleSEALClip(8, 8), key_s=0.5) == [0, 0, 0, 5, 13, 21, 29, 37]  # 12.5 - 8 and so on
    assert inds(SampleSEALClip(8, 8), key_s=5.0)[-3:] == [133, 141, 149]
    assert inds(SampleSEALClip(8, 8), key_s=5.6)[-3:] == [148, 149, 149]  # the film has 150 frames


def test_exactly_the_two_seconds_can_be_read():
    results = SampleSEALClip(clip_len=32, span='window')(clip(3.0))
    times = results['frame_times_s']
    assert times[0] == pytest.approx(2 + 1 / 32) and times[-1] == pytest.approx(4 - 1 / 32)
    np.testing.assert_allclose(np.diff(times), 2 / 32)


def test_in_training_all_frames_move_on_together_by_less_than_a_step():
    sampler = SampleSEALClip(8, 4, random_shift=True)
    base = np.array(inds(SampleSEALClip(8, 4)))
    shifts = {tuple(np.array(inds(sampler)) - base) for _ in range(100)}
    assert shifts == {(shift,) * 8 for shift in range(4)}


def test_frames_are_counted_at_the_resampled_rate():
    results = SampleSEALClip(4, 1, fps=10)(clip(3.0))
    assert results['frame_inds'].tolist() == [28, 29, 30, 31]
    assert results['frame_times_s'].tolist() == pytest.approx([2.8, 2.9, 3.0, 3.1])


@pytest.mark.parametrize(
    'options', [{'clip_len': 0}, {'frame_interval': 0}, {'span': 'all'}, {'span': 'window', 'random_shift': True}]
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match='must be'):
        SampleSEALClip(**options)


# --- decoding ---


@pytest.fixture(scope='module')
def film(tmp_path_factory):
    return make_film(tmp_path_factory.mktemp('films') / 'v.mp4', 150)


def decoded(film, transform=None, sampler=None, ori_shape=(48, 64), **more):
    results = clip(film=str(film), img_key='v,0003', ori_shape=ori_shape, **more)
    return (transform or DecodeWindow())((sampler or SampleSEALClip(8, 4))(results))


def test_the_frames_of_the_sampler_are_read(film):
    results = decoded(film)
    numbers = [round((float(image.mean()) - 20) / 8) for image in results['imgs']]
    assert numbers == [index % 25 for index in results['frame_inds'].tolist()]
    assert results['img_shape'] == (48, 64)


def test_boxes_follow_the_size_that_is_decoded(film):
    boxes = np.array([[8, 16, 32, 48]], np.float32)
    results = decoded(film, DecodeWindow(short_side=24), gt_bboxes=boxes, proposals=boxes)
    assert results['img_shape'] == (24, 32) and results['imgs'][0].shape == (24, 32, 3)
    assert results['gt_bboxes'].tolist() == results['proposals'].tolist() == [[4, 8, 16, 24]]
    assert results['scale_factor'].tolist() == [0.5, 0.5]


def test_a_film_of_another_size_than_the_annotation_scales_boxes(film):
    results = decoded(film, ori_shape=(480, 640), gt_bboxes=np.array([[80, 160, 320, 480]], np.float32))
    assert results['gt_bboxes'].tolist() == [[8, 16, 32, 48]]


def test_frames_are_never_made_larger(film):
    assert decoded(film, DecodeWindow(short_side=100))['img_shape'] == (48, 64)


def test_a_film_of_another_shape_is_refused(film):
    with pytest.raises(InputError, match=r'v\.mp4: is 64x48, the annotation says 64x64, clip v,0003'):
        decoded(film, ori_shape=(64, 64))


def test_a_missing_film_is_refused_with_film_and_clip(tmp_path):
    with pytest.raises(InputError, match=r'none\.mp4: there is no such file, read for clip v,0003'):
        decoded(tmp_path / 'none.mp4')


def test_a_film_shorter_than_the_annotation_is_refused_with_film_and_clip(tmp_path):
    short = make_film(tmp_path / 'v.mp4', 50)
    with pytest.raises(InputError, match=r'v\.mp4: ends after 2\.00 s, the annotation says 6\.00 s, clip v,0003'):
        decoded(short)


def test_a_film_shorter_by_a_few_frames_is_not(tmp_path):
    short = make_film(tmp_path / 'v.mp4', 84)  # the last frame wanted is 87
    results = decoded(short)
    assert round((float(results['imgs'][-1].mean()) - 20) / 8) == 83 % 25


def test_a_damaged_film_is_refused_with_film_and_clip(tmp_path, film):
    noise = np.random.default_rng(0).integers(0, 255, (150, 48, 64, 3), np.uint8)
    path = make_film(tmp_path / 'v.mp4', frames=noise, faststart=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 4])
    with pytest.raises(InputError, match=r'v\.mp4: .*clip v,0003'):
        decoded(path)


# --- packing, after the transforms of MMAction2 ---


def packed(film, flip, tube):
    boxes = np.array([[10, 8, 20, 40], [30, 8, 40, 40]], np.float32)
    more = dict(
        gt_bboxes=boxes,
        proposals=boxes.copy(),
        gt_labels=np.array([[True, False, True], [False, False, False]]),
        person_ids=np.array([7, 8]),
        modality='RGB',
        proposals_are_gt=True,
        video_id='v',
    )
    if tube:
        valid = np.ones((2, 4), bool)
        valid[1, 3] = False
        offsets = np.arange(4, dtype=np.float32)[None, :, None] * np.array([1, 0, 1, 0], np.float32)
        more.update(tube_boxes=(boxes[:, None] + offsets) * valid[..., None], tube_valid=valid)
        more.update(box_times_s=np.arange(4.0))
    results = decoded(film, sampler=SampleSEALClip(4, 2), **more)
    for step in (
        dict(type='mmaction.Resize', scale=(32, 24), keep_ratio=False),
        dict(type='mmaction.Flip', flip_ratio=float(flip)),
        dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
    ):
        results = TRANSFORMS.build(step)(results)
    return PackSEALClip()(results)


def test_a_clip_is_packed_as_a_detector_takes_it(film):
    item = packed(film, flip=False, tube=False)
    truth = item['data_samples'].gt_instances
    assert item['inputs'].shape == (3, 4, 24, 32) and item['inputs'].dtype == torch.uint8
    assert truth.bboxes.tolist() == [[5, 4, 10, 20], [15, 4, 20, 20]] and truth.bboxes.dtype == torch.float32
    assert truth.labels.dtype == torch.float32 and truth.labels.int().tolist() == [[1, 0, 1], [0, 0, 0]]
    assert truth.person_ids.tolist() == [7, 8]
    assert item['data_samples'].proposals.bboxes.tolist() == truth.bboxes.tolist()
    assert item['data_samples'].img_key == 'v,0003'


def test_boxes_over_time_go_through_resize_and_flip_and_come_back_by_person(film):
    sample = packed(film, flip=True, tube=True)['data_samples']
    # Half the size, then mirrored in a width of 32: x1, x2 become 32 - x2, 32 - x1.
    assert sample.gt_instances.bboxes.tolist() == [[22, 4, 27, 20], [12, 4, 17, 20]]
    tubes = sample.proposals.tube_boxes
    assert tubes.shape == (2, 4, 4)
    assert tubes[0].tolist() == [[22 - j / 2, 4, 27 - j / 2, 20] for j in range(4)]
    assert tubes[1, 0].tolist() == [12, 4, 17, 20]
    assert sample.proposals.tube_valid.int().tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert tubes[1, 3].tolist() == [0, 0, 0, 0]  # no box stays no box
    torch.testing.assert_close(sample.gt_instances.tube_boxes, tubes)
    assert sample.proposals.bboxes.shape == (2, 4)
    assert sample.box_times_s.tolist() == [0, 1, 2, 3]


def test_the_packing_of_mmaction2_takes_key_boxes_too(film):
    boxes = np.array([[10, 8, 20, 40]], np.float32)
    results = decoded(film, gt_bboxes=boxes, proposals=boxes, gt_labels=np.ones((1, 3), bool), modality='RGB')
    for step in (
        dict(type='mmaction.FormatShape', input_format='NCTHW', collapse=True),
        dict(type='mmaction.PackActionInputs'),
    ):
        results = TRANSFORMS.build(step)(results)
    assert results['data_samples'].gt_instances.bboxes.tolist() == boxes.tolist()


def cropped(test_mode, are_truth, truth, proposals):
    """Pack two people of whom a crop left flat boxes."""
    return PackSEALClip()(
        dict(
            gt_bboxes=np.array(truth, np.float32),
            proposals=np.array(proposals, np.float32),
            gt_labels=np.eye(2, dtype=bool),
            person_ids=np.array([7, 8]),
            tids=['a', 'b'],
            imgs=np.zeros((3, 2, 24, 32), np.uint8),
            proposals_are_gt=are_truth,
            proposal_scores=np.array([0.9, 0.8], np.float32),
            test_mode=test_mode,
        )
    )


SEEN, FLAT = [4, 4, 9, 9], [31, 4, 31.5, 9]


def test_people_whom_a_crop_left_out_are_left_out_in_training_only():
    item = cropped(False, False, [FLAT, SEEN], [SEEN, FLAT])
    truth, proposals = item['data_samples'].gt_instances, item['data_samples'].proposals
    assert truth.person_ids.tolist() == [8] and truth.labels.tolist() == [[False, True]]
    assert truth.bboxes.tolist() == [SEEN] and item['data_samples'].tids == ['b']
    assert proposals.bboxes.tolist() == [SEEN] and proposals.scores.tolist() == [np.float32(0.9)]
    item = cropped(True, False, [FLAT, FLAT], [SEEN, FLAT])
    assert len(item['data_samples'].gt_instances) == len(item['data_samples'].proposals) == 2
    assert item['data_samples'].tids == ['a', 'b']


def test_where_proposals_are_the_truth_both_lose_the_same_people():
    sample = cropped(False, True, [SEEN, SEEN], [FLAT, SEEN])['data_samples']
    assert sample.gt_instances.person_ids.tolist() == [8] and sample.proposals.bboxes.tolist() == [SEEN]
    assert cropped(False, True, [FLAT, SEEN], [SEEN, FLAT]) is None
