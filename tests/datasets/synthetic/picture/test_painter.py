import numpy as np
import pytest

from mmtube.datasets.synthetic.figures.skeleton import J
from mmtube.datasets.synthetic.picture.painter import paint_shadow, soft_ellipse
from mmtube.datasets.synthetic.picture.renderer import FilmRenderer
from mmtube.datasets.synthetic.script import Furniture


def close(pixel, color, tolerance=14):
    return np.abs(pixel.astype(int) - np.array(color)).max() <= tolerance


def middle_of(renderer, person, limb, frame):
    body = renderer.body(person)
    x, y = body.ends_px[frame, body.names.index(limb)].mean(axis=0)
    return int(y), int(x)


def test_clothes_have_the_colours_of_the_look(film_of, look_of):
    look = look_of(shirt=(40, 160, 40), long_sleeves=True, stripe=(200, 40, 200))
    renderer = FilmRenderer(film_of('squat', yaw=0.75, z_m=3.2, look=look))
    frame = renderer.draw(3)
    for limb, color in (
        ('l_thigh', look.trousers),
        ('r_shin', look.trousers),
        ('l_forearm', look.shirt),
    ):
        pixel = frame[middle_of(renderer, 0, limb, 3)]
        assert close(pixel, color) or close(pixel, [part * 84 // 100 for part in color]), limb
    torso = frame[middle_of(renderer, 0, 'trunk', 3)[0] - 20 : middle_of(renderer, 0, 'trunk', 3)[0], :].reshape(-1, 3)
    assert any(close(pixel, look.stripe) for pixel in torso)


def test_the_nearer_person_hides_the_other(film_of, look_of):
    film = film_of('hit person', z_m=4.0)
    near, far = film.people
    far.look = look_of(shirt=(40, 160, 40))
    far.position_m = near.position_m + np.array([0.0, 0.8])
    near.acts = far.acts = []
    renderer = FilmRenderer(film)
    spot = middle_of(renderer, 0, 'trunk', 3)
    before = renderer.draw(3)[spot]
    near.position_m, far.position_m = near.position_m + np.array([0.0, 1.6]), far.position_m - np.array([0.0, 0.8])
    renderer = FilmRenderer(film)
    behind = renderer.draw(3)[middle_of(renderer, 1, 'trunk', 3)]
    assert before[2] > before[1] + 60  # red before green
    assert behind[1] > behind[2] + 60  # green before red


@pytest.mark.parametrize(('z_m', 'hidden'), [(3.0, True), (5.0, False)])
def test_a_pillar_hides_who_is_behind_it(film_of, z_m, hidden):
    film = film_of('squat', z_m=4.0)
    film.shots[0].furniture.append(Furniture('pillar', 0.0, z_m, 1.2, 2.6, (170, 170, 170)))
    renderer = FilmRenderer(film)
    red = renderer.draw(3).astype(int)
    y, x = middle_of(renderer, 0, 'trunk', 3)
    assert (red[y, x, 2] - red[y, x, 1] > 60) != hidden
    ((box, depth_m),) = renderer.occluders(0)
    assert box[0] < x < box[2] and box[1] < y < box[3]
    assert (depth_m < renderer.body(0).depth_m[3].min()) == hidden


def test_a_face_is_seen_from_the_front_only(film_of, look_of):
    def skin(yaw):
        look = look_of(hair=(20, 20, 20), skin=(120, 170, 230))
        renderer = FilmRenderer(film_of('squat', yaw=yaw, z_m=3.2, look=look))
        body = renderer.body(0)
        x, y = body.ends_px[3, body.names.index('head')].mean(axis=0).astype(int)
        head = renderer.draw(3)[y - 10 : y + 10, x - 9 : x + 9].reshape(-1, 3)
        return sum(close(pixel, look.skin) for pixel in head) / len(head)

    front, side, back = skin(0.75), skin(0.0), skin(0.25)
    assert front > 0.35 and side > 0.2 and back < 0.1


def test_a_shadow_is_darkest_in_the_middle_and_clipped_at_the_edge():
    mask = soft_ellipse(10, 4)[..., 0]
    assert mask.shape == (9, 21) and mask[4, 10] == 100 and mask[0, 0] == 0
    assert np.array_equal(mask, mask[::-1, ::-1])
    image = np.full((20, 40, 3), 200, np.uint8)
    paint_shadow(image, 2, 18, 10, 4)
    assert image[18, 2].tolist() == [200 - 200 * 100 // 256] * 3
    assert image[0, 39].tolist() == [200] * 3
    paint_shadow(image, -300, 18, 10, 4)  # outside


@pytest.mark.parametrize(('yaw', 'seen'), [(0.75, True), (0.25, False)])
def test_the_chest_hides_hands_before_it_from_behind(film_of, look_of, yaw, seen):
    look = look_of(shirt=(160, 60, 40), skin=(120, 170, 230), long_sleeves=True)
    renderer = FilmRenderer(film_of('clap', yaw=yaw, z_m=3.2, look=look))
    joints = renderer.body(0).joints_m[20:50]
    apart = np.abs(joints[:, J['l_hand'], 0] - joints[:, J['r_hand'], 0])
    index = 20 + int(np.argmin(apart))  # hands together, in the middle of the chest
    body = renderer.body(0)
    x, y = body.ends_px[index, body.names.index('r_hand'), 1].astype(int)
    assert close(renderer.draw(index)[y, x], look.skin, 40) == seen
