import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mmtube  # noqa: F401
from mmtube.compat import mmcv_roi_align

roi_align = pytest.importorskip('mmcv.ops').roi_align

RAMP = torch.arange(16.0).expand(1, 1, 16, 16)  # the value of a pixel is its column


def bilinear(plane, y, x):
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = y - top, x - left
    upper = plane[top, left] * (1 - across) + plane[top, right] * across
    lower = plane[bottom, left] * (1 - across) + plane[bottom, right] * across
    return float(upper * (1 - down) + lower * down)


def roi_align_by_hand(maps, rois, size, scale, ratio, mode, aligned):
    rows, columns = size
    out = maps.new_zeros(len(rois), maps.shape[1], rows, columns)
    shift = 0.5 if aligned else 0.0
    for r, (image, *corners) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (value * scale - shift for value in corners)
        width, height = (x2 - x1, y2 - y1) if aligned else (max(x2 - x1, 1.0), max(y2 - y1, 1.0))
        bin_y, bin_x = height / rows, width / columns
        points_y, points_x = (ratio, ratio) if ratio else (math.ceil(bin_y), math.ceil(bin_x))
        for c in range(maps.shape[1]):
            for p in range(rows):
                for q in range(columns):
                    values = [
                        bilinear(
                            maps[int(image), c],
                            y1 + (p + (i + 0.5) / points_y) * bin_y,
                            x1 + (q + (j + 0.5) / points_x) * bin_x,
                        )
                        for i in range(points_y)
                        for j in range(points_x)
                    ]
                    out[r, c, p, q] = max(values) if mode == 'max' else sum(values) / max(len(values), 1)
    return out


@pytest.mark.parametrize('ratio', [0, 1, 2, 3])
@pytest.mark.parametrize(('aligned', 'expected'), [(False, [3.0, 5.0, 7.0, 9.0]), (True, [2.5, 4.5, 6.5, 8.5])])
def test_a_ramp_gives_the_centres_of_the_bins(ratio, aligned, expected):
    # Bins of 2 pixels from x = 2 to 10. Aligned, the centre of column 0 lies at x = 0.5.
    pooled = roi_align(RAMP, torch.tensor([[0.0, 2, 4, 10, 8]]), (2, 4), 1.0, ratio, 'avg', aligned)
    torch.testing.assert_close(pooled, torch.tensor(expected).expand(1, 1, 2, 4))


@pytest.mark.parametrize(('ratio', 'expected'), [(1, [3.0, 5.0, 7.0, 9.0]), (2, [3.5, 5.5, 7.5, 9.5])])
def test_max_takes_the_largest_sample_point_of_a_bin(ratio, expected):
    pooled = roi_align(RAMP, torch.tensor([[0.0, 2, 4, 10, 8]]), (1, 4), 1.0, ratio, 'max', False)
    torch.testing.assert_close(pooled[0, 0, 0], torch.tensor(expected))


def test_the_scale_goes_from_image_to_feature_pixels():
    pooled = roi_align(RAMP, torch.tensor([[0.0, 32, 64, 160, 128]]), (2, 4), 1 / 16, 0, 'avg', False)
    torch.testing.assert_close(pooled[0, 0, 0], torch.tensor([3.0, 5.0, 7.0, 9.0]))


def test_a_roi_reads_its_own_image_and_zeros_outside_of_it():
    maps = torch.cat([torch.ones(1, 2, 8, 8), 2 * torch.ones(1, 2, 8, 8)])
    rois = torch.tensor([[1.0, 1, 1, 5, 5], [0.0, 100, 100, 120, 120], [0.0, 4, 0, 12, 8]])
    pooled = roi_align(maps, rois, (1, 1), 1.0, 0, 'avg', True).flatten(1)
    # The third covers x from 3.5 to 11.5 in index coordinates: its samples lie at 4, 5, ..., 11, those up to 8 count.
    torch.testing.assert_close(pooled, torch.tensor([[2.0, 2.0], [0.0, 0.0], [5 / 8, 5 / 8]]))


def test_a_small_roi_is_one_pixel_large_unless_aligned():
    roi = torch.tensor([[0.0, 4, 4, 4, 4]])
    assert roi_align(RAMP, roi, (1, 1), 1.0, 2, 'avg', False).item() == 4.5
    assert roi_align(RAMP, roi, (1, 1), 1.0, 2, 'avg', True).item() == 3.5
    assert roi_align(RAMP, roi, (1, 1), 1.0, 0, 'avg', True).item() == 0.0  # no sample point at all


def test_a_reversed_roi_is_refused_when_aligned():
    with pytest.raises(RuntimeError, match=r'RoI 1 .* negative size'):
        roi_align(RAMP, torch.tensor([[0.0, 1, 1, 2, 2], [0, 5, 5, 4, 6]]), (1, 1), 1.0, 0, 'avg', True)


def test_no_rois_give_an_empty_result_and_no_gradient():
    maps = torch.ones(1, 3, 4, 4, requires_grad=True)
    pooled = roi_align(maps, torch.zeros(0, 5), (2, 2))
    pooled.sum().backward()
    assert pooled.shape == (0, 3, 2, 2) and not maps.grad.any()


def test_half_precision_is_computed_in_single_precision():
    rois = torch.tensor([[0.0, 2, 4, 10, 8]])
    pooled = roi_align((RAMP * 100).half(), rois.half(), (2, 4), 1.0, 0, 'avg', True)
    assert pooled.dtype == torch.float16
    torch.testing.assert_close(pooled[0, 0, 0].float(), torch.tensor([250.0, 450, 650, 850]))


@st.composite
def pooling(draw):
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    images, channels, height, width, count = (draw(st.integers(1, top)) for top in (2, 3, 7, 7, 4))
    scale = draw(st.sampled_from([1.0, 0.5, 0.125]))
    maps = torch.randn(images, channels, height, width, generator=generator, dtype=torch.float64)
    corners = (torch.rand(count, 2, 2, generator=generator, dtype=torch.float64) * 2 - 0.5) * 7 / scale
    boxes = torch.cat([corners.amin(1), corners.amax(1)], 1)
    rois = torch.cat([torch.randint(images, (count, 1), generator=generator).double(), boxes], 1)
    size, ratio = draw(st.sampled_from([(1, 1), (2, 3)])), draw(st.integers(0, 2))
    return maps, rois, size, scale, ratio, draw(st.sampled_from(['avg', 'max'])), draw(st.booleans())


@settings(max_examples=60, deadline=None)
@given(pooling(), st.sampled_from([1, 7, 1 << 18]))
def test_it_agrees_with_the_loop_whatever_is_held_at_once(case, max_samples):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmcv_roi_align, 'MAX_SAMPLES', max_samples)
        torch.testing.assert_close(roi_align(*case), roi_align_by_hand(*case))


@settings(max_examples=15, deadline=None)
@given(pooling(), st.sampled_from([1, 1 << 24]))
def test_the_gradient_is_that_of_the_forward_pass(case, max_values):
    maps, rois, *arguments = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mmcv_roi_align, 'MAX_VALUES', max_values)
        maps.requires_grad_()
        assert torch.autograd.gradcheck(lambda values: roi_align(values, rois, *arguments), maps)


def test_the_number_of_samples_held_at_once_is_bounded(monkeypatch):
    held = []
    sample = mmcv_roi_align._sample
    monkeypatch.setattr(mmcv_roi_align, '_sample', lambda *a: held.append(sample(*a)) or held[-1])
    monkeypatch.setattr(mmcv_roi_align, 'MAX_SAMPLES', 100)
    # 64 sample points each: 8 x 8 pixels in 2 x 2 bins.
    roi_align(RAMP, torch.tensor([[0.0, 2, 2, 10, 10]]).repeat(20, 1), (2, 2), 1.0, 0, 'avg', False)
    assert [len(samples.bins) for samples in held] == [64] * 20
