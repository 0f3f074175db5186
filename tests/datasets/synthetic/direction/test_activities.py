from __future__ import annotations

import pytest

from mmtube.datasets.synthetic.direction.activities import COMPLEX_NAMES, ORDER_PAIRS, RECIPE_BY_NAME, RECIPES
from mmtube.datasets.synthetic.script import SCENES
from mmtube.datasets.synthetic.vocabulary import ATOMIC_NAMES, BY_NAME


def test_every_atomic_action_occurs_in_some_activity():
    assert {name for recipe in RECIPES for step in recipe.steps for name in step.acts} == set(ATOMIC_NAMES)


def test_an_atomic_action_never_depends_on_luck_alone():
    sure = {name for recipe in RECIPES for step in recipe.steps if step.chance == 1 for name in step.acts}
    assert sure == set(ATOMIC_NAMES)


@pytest.mark.parametrize('pair', ORDER_PAIRS)
def test_some_activities_differ_by_order_only(pair):
    one, other = ([step.acts[0] for step in RECIPE_BY_NAME[name].steps] for name in pair)
    assert one == other[::-1] and one != other


def test_only_arms_act_beside_something_else():
    together = [step.acts for recipe in RECIPES for step in recipe.steps if len(step.acts) > 1]
    assert together
    for first, *others in together:
        assert not BY_NAME[first].upper and all(BY_NAME[name].upper for name in others)


def test_whoever_sits_down_stands_up():
    for recipe in RECIPES:
        names = [step.acts[0] for step in recipe.steps if step.acts[0] in ('sit down', 'stand up')]
        assert names in ([], ['sit down', 'stand up'])
        assert not names or recipe.rounds == (1, 1)


def test_person_actions_are_for_two():
    for recipe in RECIPES:
        groups = {BY_NAME[name].group for step in recipe.steps for name in step.acts}
        assert recipe.people == (2 if 'pp' in groups or recipe.name == 'delivery' else 1), recipe.name


def test_class_list_is_sorted_and_scenes_exist():
    assert list(COMPLEX_NAMES) == sorted(recipe.name for recipe in RECIPES) and len(COMPLEX_NAMES) >= 12
    assert {scene for recipe in RECIPES for scene in recipe.scenes} <= set(SCENES)
