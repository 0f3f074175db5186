"""Everything of a film in space: the joints of all people and the paths of all objects."""

from __future__ import annotations

from ..script import FilmScript
from .contacts import partner_reaches
from .posing import Reach, pose_person
from .props import PropPath, place_box, place_cart, place_small
from .skeleton import Skeleton, Stand, articulate


class Stage3D:
    """People and objects of a film in space.

    First everyone takes the pose of the acts, then hands that touch someone or something are brought there, then small
    objects follow the hands.

    Args:
        script (FilmScript): The film.

    Attributes:
        stands (list[Stand]): Where people stand.
        skeletons (list[Skeleton]): Their joints.
        props (list[PropPath]): Where objects are.
    """

    def __init__(self, script: FilmScript) -> None:
        posed = [pose_person(script, person) for person in range(len(script.people))]
        self.stands: list[Stand] = [stand for stand, _, _ in posed]
        self.skeletons: list[Skeleton] = [
            articulate(stand, pose, who.look) for (stand, pose, _), who in zip(posed, script.people, strict=True)
        ]
        reaches: list[tuple[int, Reach]] = [(p, reach) for p, (_, _, own) in enumerate(posed) for reach in own]
        for person, who in enumerate(script.people):
            for act in who.acts:
                hands = partner_reaches(script, act, person, self.stands, self.skeletons)
                reaches += [(person, reach) for reach in hands]
        paths: dict[int, PropPath] = {}
        for prop, what in enumerate(script.props):
            if what.kind == 'box':
                paths[prop], touching = place_box(script, prop, self.stands, self.skeletons)
            elif what.kind == 'cart':
                paths[prop], touching = place_cart(script, prop, self.stands)
            else:
                continue
            reaches += touching
        for person, reach in reaches:
            self.skeletons[person].reach(reach.side, reach.target_m, reach.weight)
        for prop in range(len(script.props)):
            if prop not in paths:
                paths[prop] = place_small(script, prop, self.stands, self.skeletons)
        self.props = [paths[prop] for prop in range(len(script.props))]
