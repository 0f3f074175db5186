import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.body import LIMBS, BodyTrack
from mmtube.datasets.synthetic.picture import renderer as renderer_module
from mmtube.datasets.synthetic.picture.renderer import FilmRenderer


@pytest.fixture
def bare(monkeypatch):
    """Films without backdrop, shadow and noise."""

    def white(scene, seed, camera, size, margin_px):
        return np.full((size[1] + 2 * margin_px[1], size[0] + 2 * margin_px[0], 3), 255, np.uint8)

    monkeypatch.setattr(renderer_module, 'backdrop', white)
    monkeypatch.setattr(renderer_module, 'paint_shadow', lambda *args: None)
    monkeypatch.setattr(renderer_module, 'NOISE', 0)


@pytest.mark.parametrize('hair_style', [0, 1, 2, 3])
@pytest.mark.parametrize('action', ['jump', 'bow', 'kick', 'twist waist', 'walk', 'punch', 'sit down'])
def test_the_outline_is_what_is_drawn(bare, film_of, look_of, action, hair_style):
    for yaw in (0.0, 0.3, 0.6, 0.75):
        look = look_of(hair_style=hair_style, shirt=(40, 40, 160))
        film = film_of(action, yaw=yaw, seconds=1.5, look=look, shift_px=(9, -4), z_m=4.5)
        film.people = film.people[:1]
        renderer = FilmRenderer(film)
        boxes_px = renderer.body(0).boxes_px()
        for index in range(5, film.num_frames, 12):
            drawn = (renderer.draw(index) < 225).any(axis=2)
            rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
            extent = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            assert np.abs(extent - boxes_px[index]).max() < 2.0


def test_a_body_track_is_complete(film_of):
    film = film_of('walk')
    film.people[0].present[:20] = False
    body = FilmRenderer(film).body(0)
    frames, limbs = film.num_frames, len(LIMBS)
    assert body.ends_px.shape == (frames, limbs, 2, 2) and body.radii_px.shape == (frames, limbs, 2)
    assert body.names == LIMBS
    for array in (body.ends_px, body.radii_px, body.depth_m, body.joints_m):
        assert np.isnan(array[:20]).all() and np.isfinite(array[20:]).all()
    assert body.depth_m.shape == (frames, limbs) and body.depth_m[30] == pytest.approx(4.0, abs=0.3)


def test_people_of_the_default_camera_are_as_large_as_planned(film_of):
    box = FilmRenderer(film_of('squat', z_m=3.5)).body(0).boxes_px()[0]
    assert box[3] - box[1] == pytest.approx(150, abs=8)  # 1.75 m at 3.5 m with 300 px, and the toes


def test_a_box_by_hand():
    ends = np.array([[[[10.0, 20.0], [30.0, 60.0]]]])
    body = BodyTrack(ends, np.array([[[2.0, 4.0]]]), np.ones(1), np.zeros((1, 0, 3)), ('only',))
    assert body.boxes_px().tolist() == [[8.0, 18.0, 34.0, 64.0]]


def test_limbs_of_the_far_side_are_farther_than_the_body_and_those_of_the_near_side_nearer(film_of):
    film = film_of('squat', z_m=4.0)  # who faces right has the left side away from the camera
    depth = dict(zip(LIMBS, FilmRenderer(film).body(0).depth_m[5], strict=True))
    for limb in ('hand', 'forearm', 'upper_arm', 'thigh', 'shin', 'foot'):
        assert 4.3 > depth[f'l_{limb}'] > 4.05 and 3.7 < depth[f'r_{limb}'] < 3.98
    assert depth['trunk'] == depth['l_side'] == pytest.approx(3.98, abs=0.02)
    assert depth['head'] == depth['hair'] == pytest.approx(3.95, abs=0.02)
