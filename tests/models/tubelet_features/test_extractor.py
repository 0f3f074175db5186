"""Rows of people: at the right time, of the right box, and the same whoever else is there."""

import numpy as np
import pytest
import torch
from tiny_features import RAW, SIZE, Brightness, Frame, extractor, film, noise, person

from mmtube.errors import InputError
from mmtube.models.tubelet_features import TubeletBoxes, TubeletExtractor
from mmtube.models.tubelet_features.extractor import whole_film
from mmtube.models.tubelet_features.network import FeatureNetwork
from mmtube.structures import Tube, VideoInfo

SLOWFAST = dict(fps=30, window=32, stride=4, pick='nearest')
TSP = dict(fps=15, window=16, stride=2, pick='before')


def same(a, b):
    return np.array_equal(a.features, b.features) and np.array_equal(a.valid, b.valid) and a.offset_s == b.offset_s


@pytest.mark.parametrize('settings', [SLOWFAST, TSP])
@pytest.mark.parametrize('film_fps', [24, 25, 30, 50])
def test_a_step_in_the_middle_of_a_film_comes_back_at_its_time(tmp_path, settings, film_fps):
    frames = film(int(12 * film_fps), film_fps, lambda time_s: 50 if time_s < 7.3 else 200)
    rows = extractor(tmp_path, **settings).features(frames, [person('a', 5.1, 10, fps=film_fps)], SIZE)[0]
    levels = rows.features[:, 0].astype(float)
    times_s = rows.offset_s + np.arange(len(levels)) * 2 / 15
    assert levels[0] == 50 and levels[-1] == 200
    assert abs(np.interp(125, levels, times_s) - 7.3) <= 1 / 15
    assert 5.1 <= times_s[0] < 5.1 + 2 / 15 and 10 - 2 / 15 < times_s[-1] <= 10


def test_a_person_is_what_is_in_the_box(tmp_path):
    left = np.zeros((48, 64, 3), np.uint8)
    left[:, :32] = 250
    frames = [Frame(i, i / 15, left) for i in range(45)]
    people = [person('l', 0.5, 2.5, (0, 0, 15, 47), 15), person('r', 0.5, 2.5, (48, 0, 64, 47), 15)]
    # Cell centres: an aligned box never reaches beyond its half of the frame.
    found = extractor(tmp_path, roi=dict(aligned=True)).features(frames, people, SIZE)
    assert (found[0].features == 250).all() and (found[1].features == 0).all()


def test_boxes_of_a_larger_frame_are_brought_to_the_film(tmp_path):
    left = np.zeros((48, 64, 3), np.uint8)
    left[:, :32] = 250
    frames = [Frame(i, i / 15, left) for i in range(45)]
    found = extractor(tmp_path, roi=dict(aligned=True)).features(
        frames, [person('r', 0.5, 2.5, (480, 0, 640, 470), 15)], (640, 480)
    )
    assert (found[0].features == 0).all()


def test_each_part_of_a_window_takes_the_box_of_its_time(tmp_path):
    # The person stands in the dark half for the first second and in the bright one afterwards.
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, 32:] = 160
    frames = [Frame(i, i / 15, image) for i in range(60)]
    times_s = np.arange(60) / 15
    boxes = np.where(times_s[:, None] < 1, np.float32([0, 0, 16, 48]), np.float32([48, 0, 64, 48]))
    rows = extractor(tmp_path, roi=dict(aligned=True)).features(
        frames, [TubeletBoxes('a', times_s, boxes, 0, 4)], SIZE
    )[0]
    # Each of the 16 slices is 160/16 bright if its box is; two more from window to window. The first slice of window 7
    # is before 1 s, but the boxes of a window are those inside it.
    assert rows.features[:9, 0].tolist() == [0, 20, 40, 60, 80, 100, 120, 160, 160]
    assert (rows.features[9:, 0] == 160).all()


def test_other_people_chunks_and_batches_change_no_bit(tmp_path):
    people = [person('a', 0.3, 4), person('b', 2, 5.9, (30, 5, 60, 40)), person('c', 1, 1.1, (0, 0, 9, 9))]
    people += [person(f'd{i}', i * 0.5, i * 0.5 + 1, (i, i, 20 + 4 * i, 30 + i)) for i in range(8)]
    together = extractor(tmp_path, 'TinyConv', dim=6).features(noise(150), people, SIZE)
    for number in (0, 1, 2, 6):
        alone = extractor(tmp_path, 'TinyConv', dim=6, batch_size=5).features(noise(150), [people[number]], SIZE)
        assert same(alone[0], together[number])
        assert alone[0].features.any()


def test_a_window_is_run_once_for_all_people_and_not_at_all_for_nobody(tmp_path):
    maker = extractor(tmp_path)
    backbone = maker.network.backbone
    assert isinstance(backbone, Brightness)
    found = maker.features(film(500), [person(str(i), 2, 4) for i in range(10)] + [person('x', 12, 13)], SIZE)
    assert backbone.calls == len(found[0].features) + len(found[-1].features)
    backbone.calls = 0
    assert maker.features(film(500), [], SIZE) == [] and backbone.calls == 0


def test_a_network_that_looks_at_frames_first_looks_at_each_once(tmp_path):
    network = dict(
        backbone=dict(type='FramesThenTime', frames=dict(type='PPLCNet', scale=0.25, out_stages=(4,)), in_channels=32),
        data_preprocessor=dict(type='ClipPreprocessor', mean=(99, 99, 99), std=(50, 50, 50)),
    )
    torch.manual_seed(0)
    torch.save({'state_dict': FeatureNetwork(network).state_dict()}, tmp_path / 'frames.pth')
    settings = dict(stream='frames', network=network, fps=25, window=8, stride=4, dim=96, short_side=None)
    settings |= dict(checkpoint=str(tmp_path / 'frames.pth'), roi=dict(spatial_stride=8))
    frames, people = list(noise(40)), [person('a', 0, 1.6), person('b', 0.4, 0.9, (30, 10, 50, 40))]
    at_once = TubeletExtractor(**settings)
    seen = []
    at_once.network.backbone.frames.register_forward_hook(lambda *_: seen.append(1))
    found = at_once.features(frames, people, SIZE)
    assert len(seen) == 40
    whole = TubeletExtractor(**settings)
    with pytest.MonkeyPatch.context() as patch:  # the way of networks that only know clips
        patch.setattr(FeatureNetwork, 'looks_at_frames', False)
        wanted = whole.features(frames, people, SIZE)
    for one, other in zip(found, wanted):
        assert len(one.features) == len(other.features) > 1
        np.testing.assert_allclose(one.features, other.features, atol=2e-3)


def test_a_film_shorter_than_a_window_gives_no_rows(tmp_path):
    rows = extractor(tmp_path).features(film(25), [person('a', 0, 1)], SIZE)[0]
    assert rows.features.shape == (0, 3) and rows.valid.shape == (0,)


def test_a_tube_of_a_tenth_of_a_second_gives_one_row(tmp_path):
    rows = extractor(tmp_path).features(film(100), [person('a', 1.0, 1.1)], SIZE)[0]
    assert rows.features.tolist() == [[100, 100, 100]] and rows.valid.all()


@pytest.mark.parametrize('span', [(0, 0.1), (3.9, 4.0), (3.6, 4.0), (0, 4)])
def test_tubelets_at_the_ends_of_a_film_get_its_windows(tmp_path, span):
    maker = extractor(tmp_path)
    rows = maker.features(film(100), [person('a', *span)], SIZE)[0]
    first, stop = maker.grid.windows(*span, maker.grid.num_windows(60))
    assert len(rows.features) == stop - first > 0 and rows.valid.all()
    assert rows.offset_s == maker.grid.center_s(first)
    assert (rows.features == 100).all()


@pytest.mark.parametrize(
    ('frames', 'span'), [(95, (3.4, 3.8)), (95, (3.72, 3.8)), (53, (2.08, 2.12)), (45, (1.72, 1.8))]
)
@pytest.mark.parametrize('box_fps', [2, 4])
def test_somebody_behind_the_last_window_of_a_film_is_seen_in_it(tmp_path, frames, span, box_fps):
    # The last window ends before the film, and no time of the grid of boxes lies both in it and in the tubelet.
    rows = extractor(tmp_path, box_fps=box_fps).features(film(frames), [person('a', *span)], SIZE)[0]
    assert rows.valid.tolist() == [True] and (rows.features == 100).all()


def test_a_late_tubelet_gets_the_last_window_though_others_had_it_before(tmp_path):
    maker = extractor(tmp_path, 'TinyConv', dim=6)
    late = person('b', 5.9, 6)
    both = maker.features(noise(150), [person('a', 0, 6), late], SIZE)
    assert same(both[1], maker.features(noise(150), [late], SIZE)[0]) and both[1].features.any()


def test_boxes_that_leave_the_frame_are_cut_and_those_outside_make_an_invalid_row(tmp_path):
    maker = extractor(tmp_path)
    people = [person('half', 0.5, 3, (-40, -40, 20, 20)), person('out', 0.5, 3, (70, 0, 90, 20))]
    half, out = maker.features(film(100), people, SIZE)
    assert half.valid.all() and (half.features == 100).all()
    assert not out.valid.any() and not out.features.any() and len(out.features) == len(half.features)


def test_a_long_hole_makes_invalid_rows_and_a_short_one_none(tmp_path):
    whole = person('a', 0, 8)
    for hole, holes in (((2, 2.9), False), ((2, 6), True)):
        keep = (whole.times_s < hole[0]) | (whole.times_s >= hole[1])
        tubelet = TubeletBoxes('a', whole.times_s[keep], whole.boxes_px[keep], 0, 8)
        rows = extractor(tmp_path).features(film(200), [tubelet], SIZE)[0]
        assert (~rows.valid).any() == holes
        assert not rows.features[~rows.valid].any() and rows.features[rows.valid].all()
        times_s = rows.offset_s + np.flatnonzero(~rows.valid) * 2 / 15
        # A row is invalid when no time of the grid in its window, 1.07 s long, is half a second from a box.
        assert not holes or (times_s.min() > 2.5 and times_s.max() < 5.5)


def test_no_box_is_taken_from_behind_a_cut(tmp_path):
    whole = person('a', 0, 4)
    early = TubeletBoxes('a', whole.times_s[:50], whole.boxes_px[:50], 0, 4)  # no box from 2 s on
    uncut, cut = (extractor(tmp_path).features(film(100), [early], SIZE, cuts_s=cuts)[0] for cuts in ((), (2.0,)))
    assert uncut.valid.sum() > cut.valid.sum()


def test_a_thousand_tubelets(tmp_path):
    people = [person(str(i), i % 5, i % 5 + 1.0, (i % 40, 0, i % 40 + 20, 40)) for i in range(1000)]
    found = extractor(tmp_path).features(film(160), people, SIZE)
    assert len(found) == 1000 and all(rows.valid.all() and (rows.features == 100).all() for rows in found)


def test_a_tubelet_beyond_the_end_of_the_film_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'tubelet a goes on to 9\.00 s, the film ends at 4\.00 s'):
        extractor(tmp_path).features(film(100), [person('a', 3, 9)], SIZE)


def test_the_pipeline_gets_what_the_files_get(tmp_path):
    maker = extractor(tmp_path, 'TinyConv', dim=6)
    tubelet = person('7', 1.0, 3.0)
    tube = Tube(7, np.round(tubelet.times_s * 25).astype(int), tubelet.times_s, tubelet.boxes_px)
    video = VideoInfo('film.mp4', *SIZE, 25.0, 100, 4.0)
    rows = maker.extract(noise(100), [tube], video)[0]
    written = maker.features(noise(100), [tubelet], SIZE)[0]
    assert rows.track_id == 7 and np.array_equal(rows.rows, written.features.astype(np.float32))
    assert rows.valid.all() and rows.meta['stream'] == 'tiny' and rows.meta['offset_s'] == written.offset_s
    np.testing.assert_allclose(np.diff(rows.times_s), 2 / 15)
    empty = Tube(8, [], [], np.zeros((0, 4)))
    assert maker.extract(noise(100), [empty], video)[0].rows.shape == (0, 6)


@pytest.mark.parametrize('stride', [2, 16])
def test_whole_frames_make_a_row_for_each_window_of_the_film(tmp_path, stride):
    maker = extractor(tmp_path, roi=None, stride=stride)
    rows = maker.features(film(200, 25, lambda time_s: 40 if time_s < 4 else 80), [whole_film('v')], SIZE)[0]
    assert len(rows.features) == (120 - 16) // stride + 1 and rows.valid.all()
    assert (rows.features[0, 0], rows.features[-1, 0], rows.t1_s) == (40, 80, 8)
    assert rows.offset_s == 8 / 15


def test_whole_frames_can_be_cut_as_tsp_cuts_them(tmp_path):
    image = np.zeros((96, 128, 3), np.uint8)
    image[32:64, 48:80] = 200
    frames = [Frame(i, i / 15, image) for i in range(20)]
    maker = extractor(tmp_path, roi=None, size=(64, 48), crop=16)
    assert maker.meta.frames == '64x48-crop16-every-nearest' and maker.meta.roi == 'frame'
    assert (maker.features(frames, [whole_film('v')], SIZE)[0].features == 200).all()


def test_an_image_backbone_of_mmaction2_makes_whole_frame_features(tmp_path):
    network = dict(
        data_preprocessor=dict(
            type='mmaction.ActionDataPreprocessor', mean=[0, 0, 0], std=[1, 1, 1], format_shape='NCHW'
        ),
        backbone=dict(type='mmaction.ResNet', depth=18, pretrained=None, norm_eval=True),
    )
    maker = TubeletExtractor('image', network, 15, 4, 4, 512, roi=None, short_side=None, input_format='NCHW')
    torch.save(maker.network.state_dict(), tmp_path / 'r18.pth')
    maker.load(str(tmp_path / 'r18.pth'))
    rows = maker.features(noise(20), [whole_film('v')], SIZE)[0]
    assert rows.features.shape == (3, 512) and rows.features.any()


@pytest.mark.parametrize('shape', [(3,), (5, 3)])
def test_frames_without_a_map_are_averaged_over_the_window(shape):
    frames = torch.randn(2 * 4, *shape)  # two windows of four frames: a number each, or five tokens
    found = FeatureNetwork._over_time(frames, 2, 4)
    expected = frames.view(2, 4, -1, 3).mean(dim=(1, 2))
    torch.testing.assert_close(found, expected)


def test_weights_are_needed_and_told_by_their_hash(tmp_path):
    network = dict(backbone=dict(type='Brightness'), data_preprocessor=RAW)
    bare = TubeletExtractor('tiny', network, 15, 16, 2, 3)
    with pytest.raises(InputError, match='no weights were loaded'):
        bare.features(film(50), [person('a', 0, 2)], SIZE)
    one, again = extractor(tmp_path), extractor(tmp_path)
    torch.save({'backbone.gain': torch.full((1,), 2.0), 'cls_head.x': torch.zeros(3)}, tmp_path / 'other.pth')
    again.load(str(tmp_path / 'other.pth'))
    assert one.meta.checkpoint == extractor(tmp_path).meta.checkpoint != again.meta.checkpoint != ''


def test_a_network_of_another_length_is_told(tmp_path):
    with pytest.raises(InputError, match='gives 3 numbers, dim says 4'):
        extractor(tmp_path, dim=4).features(film(50), [person('a', 0, 2)], SIZE)


@pytest.mark.parametrize(
    ('settings', 'told'),
    [
        (dict(crop=16), 'crop'),
        (dict(pick='random'), 'pick'),
        (dict(layout='span20'), 'layout'),
        (dict(batch_size=0), 'batch_size'),
        (dict(short_side=0, size=(0, 4)), 'size'),
        (dict(network=dict(neck=None)), 'no backbone'),
        (dict(network=dict(backbone=dict(type='NoSuchNet'))), 'NoSuchNet'),
    ],
)
def test_bad_settings_are_refused(settings, told):
    good = dict(stream='s', network=dict(backbone=dict(type='Brightness')), fps=15, window=16, stride=2, dim=3)
    with pytest.raises(ValueError, match=told):
        TubeletExtractor(**{**good, **settings})
