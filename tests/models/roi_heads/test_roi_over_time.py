"""Pooling over time against one RoIAlign per time slice, and against values known by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmtube.models.roi_heads import RoIOverTime, nearest_slots, slice_times

STRIDE = 16


def by_slice(extractor, maps, boxes, clip_inds, slots, valid):
    """Pool each slice of each person on its own, then the mean over slices with a box, then the bins."""
    from mmcv.ops import roi_align  # needs mmtube to be imported

    size, rows = (extractor.output_size,) * 2, []
    for person, clip in enumerate(clip_inds.tolist()):
        row = []
        for number, features in enumerate(maps):
            slices = []
            for time in range(features.shape[2]):
                slot = int(slots[number].expand(len(features), -1)[clip, time])
                if valid[person, slot]:
                    roi = torch.cat([torch.zeros(1).double(), boxes[person, slot]])[None]
                    one = features[clip : clip + 1, :, time]
                    slices.append(
                        roi_align(one, roi, size, 1 / STRIDE, extractor.sampling_ratio, 'avg', extractor.aligned)[0]
                    )
            mean = torch.stack(slices).mean(dim=0) if slices else torch.zeros(features.shape[1], *size).double()
            row.append(mean.amax(dim=(1, 2)) if extractor.spatial_pool == 'max' else mean.mean(dim=(1, 2)))
        rows.append(torch.cat(row))
    return torch.stack(rows)


def people(count, num_boxes, seed=0):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, num_boxes, 2, generator=generator).double() * 60
    sides = 10 + torch.rand(count, num_boxes, 2, generator=generator).double() * 50
    return torch.cat([corners, corners + sides], dim=-1)


@pytest.mark.parametrize('aligned', [False, True])
@pytest.mark.parametrize('spatial_pool', ['max', 'avg'])
@pytest.mark.parametrize('sampling_ratio', [0, 2])
def test_several_boxes_are_pooled_slice_by_slice(aligned, spatial_pool, sampling_ratio):
    extractor = RoIOverTime(3, STRIDE, aligned, sampling_ratio, spatial_pool)
    torch.manual_seed(0)
    maps = [torch.randn(2, 4, 3, 6, 8).double(), torch.randn(2, 2, 7, 6, 8).double()]
    slots = [torch.tensor([0, 2, 2]), torch.tensor([[0, 0, 1, 1, 2, 2, 2], [3, 3, 3, 0, 0, 1, 1]])]
    boxes, clip_inds = people(4, 4), torch.tensor([0, 0, 1, 1])
    valid = torch.tensor([[1, 1, 1, 1], [0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0]]) > 0
    found = extractor(maps, boxes, clip_inds, slots, valid)
    expected = by_slice(extractor, maps, boxes, clip_inds, slots, valid)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    assert not found[3].any()  # nobody to pool


def test_somebody_who_is_there_for_a_moment_is_seen_by_a_pathway_of_few_slices():
    # SlowFast 4x16 on a clip of SEAL, and a person of a tenth of a second: boxes 3 and 4 of 8, which no slow slice
    # takes.
    frame_times_s, box_times_s = 5 + torch.arange(-32, 32) / 25, 5 + torch.arange(-3.5, 4) / 4
    maps = [torch.randn(1, 3, 4, 6, 8).double(), torch.randn(1, 2, 32, 6, 8).double()]
    slots = [nearest_slots(slice_times(frame_times_s, features.shape[2]), box_times_s) for features in maps]
    assert slots[0].tolist() == [0, 2, 5, 7]
    extractor, boxes, valid = RoIOverTime(3), people(2, 8), torch.ones(2, 8) > 0
    valid[1, [0, 1, 2, 5, 6, 7]] = False
    boxes[1, ~valid[1]] = 0
    found = extractor(maps, boxes, torch.tensor([0, 0]), slots, valid)
    held, there = boxes.clone(), valid.clone()
    held[1, 2], there[1, 2] = boxes[1, 3], True  # the slice at -0.34 s takes the box at -0.125 s
    expected = by_slice(extractor, maps[:1], held, torch.tensor([0, 0]), slots[:1], there)
    torch.testing.assert_close(found[:, :3], expected, rtol=0, atol=1e-10)
    expected = by_slice(extractor, maps[1:], boxes, torch.tensor([0, 0]), slots[1:], valid)
    torch.testing.assert_close(found[:, 3:], expected, rtol=0, atol=1e-10)
    assert found[1, :3].any()


@pytest.mark.parametrize('aligned', [False, True])
def test_one_box_is_the_mean_over_time_pooled_once(aligned):
    extractor = RoIOverTime(7, STRIDE, aligned)
    torch.manual_seed(0)
    maps, boxes, clip_inds = [torch.randn(2, 3, 5, 6, 8).double()], people(4, 1), torch.tensor([0, 1, 1, 1])
    valid = torch.tensor([[True], [False], [True], [True]])
    slots = [torch.zeros(5).long()]
    expected = by_slice(extractor, maps, boxes, clip_inds, slots, valid)
    torch.testing.assert_close(extractor(maps, boxes, clip_inds, None, valid), expected, rtol=0, atol=1e-10)
    assert extractor(maps, boxes, clip_inds, None, torch.zeros(4, 1) > 0).abs().sum() == 0


def test_a_map_that_grows_to_the_right_is_known_by_hand():
    """At x the map is x (in cells): a bin has the value of its middle, and half a cell less where aligned."""
    maps = [torch.arange(12.0).double().expand(1, 1, 2, 10, 12)]
    boxes, clip_inds = torch.tensor([[[32.0, 32, 96, 96]]]).double(), torch.tensor([0])  # cells 2 to 6, two bins
    for aligned, shift in ((False, 0.0), (True, 0.5)):
        for pool, value in (('max', 5.0), ('avg', 4.0)):
            found = RoIOverTime(2, STRIDE, aligned, spatial_pool=pool)(maps, boxes, clip_inds)
            assert found.item() == pytest.approx(value - shift, abs=1e-12)


def test_legacy_boxes_are_at_least_one_cell():
    maps = [torch.arange(12.0).double().expand(1, 1, 1, 10, 12)]
    boxes = torch.tensor([[[32.0, 32, 32, 32]]]).double()  # no area: cells 2 to 3 where legacy
    assert RoIOverTime(1, STRIDE)(maps, boxes, torch.tensor([0])).item() == pytest.approx(2.5)
    assert RoIOverTime(1, STRIDE, sampling_ratio=1, aligned=True)(maps, boxes, torch.tensor([0])).item() == 1.5


def test_boxes_stay_exact_where_maps_are_in_half_precision():
    maps = torch.arange(30.0).expand(1, 1, 4, 20, 30)
    boxes, clip_inds = torch.tensor([[[201.3, 33.7, 455.9, 210.1]]]), torch.tensor([0])
    found = RoIOverTime()([maps.to(torch.bfloat16)], boxes, clip_inds)
    torch.testing.assert_close(found, RoIOverTime()([maps], boxes, clip_inds))
    boxes = boxes.expand(1, 2, 4)
    found = RoIOverTime()([maps.to(torch.bfloat16)], boxes, clip_inds, [torch.tensor([0, 0, 1, 1])])
    torch.testing.assert_close(found, RoIOverTime()([maps], boxes, clip_inds, [torch.tensor([0, 0, 1, 1])]))


@pytest.mark.parametrize('count', [0, 1])
@pytest.mark.parametrize('num_boxes', [1, 2])
def test_features_are_of_single_precision_where_networks_run_in_half(count, num_boxes):
    maps = torch.rand(1, 1, 4, 20, 30)
    boxes, clip_inds = torch.tensor([[[201.3, 33.7, 455.9, 210.1]]]).expand(count, num_boxes, 4), torch.zeros(count)
    args = boxes, clip_inds.long(), [torch.tensor([0, 0, 1, 1]) % num_boxes]
    expected = RoIOverTime()([maps.bfloat16()], *args)
    with torch.autocast('cpu', torch.bfloat16):
        found = RoIOverTime()([maps.bfloat16()], *args)
    assert found.dtype == torch.float32 and torch.equal(found, expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 9), st.integers(0, 1000))
def test_pooling_over_time_of_a_map_without_time_is_that_of_one_slice(num_boxes, length, seed):
    rng = np.random.default_rng(seed)
    still = torch.tensor(rng.normal(size=(1, 2, 1, 5, 5)))
    boxes = people(1, 1, seed).expand(1, num_boxes, 4)
    slots = [torch.tensor(rng.integers(num_boxes, size=length))]
    found = RoIOverTime(2)([still.expand(1, 2, length, 5, 5)], boxes, torch.tensor([0]), slots)
    torch.testing.assert_close(found, RoIOverTime(2)([still], boxes[:, :1], torch.tensor([0])), rtol=0, atol=1e-10)


def test_nobody_gives_nothing_and_the_maps_a_gradient_of_zero():
    maps = [torch.randn(2, 3, 4, 5, 5, requires_grad=True), torch.randn(2, 2, 8, 5, 5, requires_grad=True)]
    found = RoIOverTime()(maps, torch.zeros(0, 1, 4), torch.zeros(0).long())
    assert found.shape == (0, 5)
    found.sum().backward()
    assert all(features.grad is not None and not features.grad.any() for features in maps)


def test_gradients_of_maps_are_those_of_the_loops():
    extractor = RoIOverTime(2, spatial_pool='avg')
    maps = torch.randn(1, 2, 3, 4, 4).double().requires_grad_()
    args = people(2, 2), torch.tensor([0, 0]), [torch.tensor([0, 1, 1])], torch.ones(2, 2) > 0
    (mine,) = torch.autograd.grad(extractor([maps], *args).square().sum(), maps)
    (theirs,) = torch.autograd.grad(by_slice(extractor, [maps], *args).square().sum(), maps)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def test_times_of_slices_are_means_of_their_frames():
    times = torch.tensor([1.0, 1.1, 1.2, 1.3, 2.0, 2.2], dtype=torch.float64)
    torch.testing.assert_close(
        slice_times(times, 3), torch.tensor([1.05, 1.25, 2.1], dtype=torch.float64), rtol=0, atol=1e-12
    )
    assert slice_times(times, 6).tolist() == pytest.approx(times.tolist())
    assert slice_times(times, 1).item() == pytest.approx(8.8 / 6)
    # Slices that begin within a frame count it whole; more slices than frames repeat them.
    assert slice_times(torch.tensor([0.0, 1.0, 2.0]), 2).tolist() == [0.5, 1.5]
    assert slice_times(torch.tensor([0.0, 1.0]), 4).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_a_slice_takes_the_nearest_box_and_of_two_the_earlier():
    boxes = torch.tensor([0.0, 0.25, 0.5])
    slots = nearest_slots(torch.tensor([-1.0, 0.1, 0.125, 0.13, 0.375, 9.0]), boxes)
    assert slots.tolist() == [0, 0, 0, 1, 1, 2]
    # 0.1 + 0.2 is a hair more than 0.3: still as near to both.
    assert nearest_slots(torch.tensor([(0.1 + 0.2) / 2]).double(), torch.tensor([0.0, 0.3]).double()).tolist() == [0]


def test_several_boxes_need_slots():
    with pytest.raises(ValueError, match='need slots'):
        RoIOverTime()([torch.zeros(1, 1, 1, 2, 2)], torch.zeros(1, 2, 4), torch.zeros(1).long())


@pytest.mark.parametrize(
    'options', [dict(output_size=0), dict(spatial_stride=0), dict(sampling_ratio=-1), dict(spatial_pool='sum')]
)
def test_bad_settings_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        RoIOverTime(**options)
