"""What the contact sheet shows."""

from __future__ import annotations

import numpy as np

from mmtube.datasets.synthetic import SetOptions, direct
from mmtube.datasets.synthetic.preview import BOX_COLOR, BoxedFilm, actions_at, activity_strip, moments_of

SHORT = SetOptions(seconds=(9.0, 9.0))


def test_the_actions_of_a_moment_are_those_that_have_begun_and_not_ended():
    script = direct(SHORT, 'train', 0)
    person, act = next((p, act) for p, who in enumerate(script.people) for act in who.acts)
    assert act.action in actions_at(script, person, act.start_s)
    assert act.action in actions_at(script, person, act.end_s - 0.01)
    ends = {a.end_s for a in script.people[person].acts if a.action == act.action and a.start_s <= act.end_s}
    assert act.action not in actions_at(script, person, max(ends))


def test_every_activity_is_a_moment_and_whoever_is_large_and_in_view_counts_more():
    script = direct(SHORT, 'train', 0)
    moments = moments_of(script)
    assert [(m.person, m.activity) for m in moments] == [
        (number, activity) for number, person in enumerate(script.people) for activity in person.activities
    ]
    assert all(0 <= moment.seen <= 100 for moment in moments) and max(m.seen for m in moments) > 50


def test_a_box_is_drawn_round_the_person_of_the_row_only_where_one_is_seen():
    moment = moments_of(direct(SHORT, 'train', 0))[0]
    (sight,) = moment.film._sights
    shown, hidden = np.flatnonzero(sight.shown)[0], np.flatnonzero(~sight.shown)
    plain = BoxedFilm(moment.film._renderer, [])
    changed = (moment.film.draw(shown) != plain.draw(shown)).any(axis=2)
    x1, y1, x2, y2 = np.round(sight.boxes_px[shown]).astype(int)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1] == [x1, y1, x2, y2]
    assert (moment.film.draw(shown)[changed] == BOX_COLOR).all()
    assert all(np.array_equal(moment.film.draw(i), plain.draw(i)) for i in hidden[:2])


def test_a_strip_has_a_cell_for_each_moment():
    strip = activity_strip(moments_of(direct(SHORT, 'train', 0))[0], 3)
    assert strip.shape == (240 + 18, 3 * 322, 3)
