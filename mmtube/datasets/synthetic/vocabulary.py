"""What the people of SEAL-mini can do: atomic actions in SEAL's three groups."""

from __future__ import annotations

from dataclasses import dataclass

POSE, PERSON, OBJECT = 'pose', 'pp', 'po'


@dataclass(frozen=True)
class AtomicAction:
    """One atomic action.

    Args:
        name (str): Class name.
        group (str): ``'pose'``, ``'pp'`` (person-person) or ``'po'`` (person-object), as SEAL groups them.
        seconds (tuple[float, float]): Shortest and longest instance; at least 0.6 s, shorter ones do not count.
        speed_mps (tuple[float, float]): Slowest and fastest pace; (0, 0) is done on the spot. Defaults to (0, 0).
        prop (str): Kind of the object that the action needs. Defaults to '', none.
        upper (bool): Whether only arms and head act, so that the legs may do another action. Defaults to False.
    """

    name: str
    group: str
    seconds: tuple[float, float]
    speed_mps: tuple[float, float] = (0.0, 0.0)
    prop: str = ''
    upper: bool = False


# Some actions are the same motion and differ by what is there: 'punch' and 'hit person', 'kick' and 'kick ball',
# 'drink' and 'phone call', 'push person' and 'push cart'. States such as standing or sitting are no actions (SEAL 3.1).
ATOMIC_ACTIONS = (
    AtomicAction('walk', POSE, (1.0, 8.0), (0.9, 1.5)),
    AtomicAction('run', POSE, (0.8, 4.0), (2.6, 4.2)),
    AtomicAction('jump', POSE, (0.8, 4.0)),
    AtomicAction('squat', POSE, (1.2, 5.0)),
    AtomicAction('bow', POSE, (1.0, 2.5)),
    AtomicAction('turn around', POSE, (0.8, 2.5)),
    AtomicAction('stretch', POSE, (1.5, 5.0)),
    AtomicAction('twist waist', POSE, (1.5, 8.0)),
    AtomicAction('raise arms', POSE, (1.0, 4.0), upper=True),
    AtomicAction('wave hand', POSE, (1.0, 4.0), upper=True),
    AtomicAction('clap', POSE, (1.0, 4.0), upper=True),
    AtomicAction('kick', POSE, (0.8, 3.0)),
    AtomicAction('punch', POSE, (0.8, 3.0)),
    AtomicAction('sit down', POSE, (0.9, 1.8)),
    AtomicAction('stand up', POSE, (0.9, 1.8)),
    AtomicAction('shake hands', PERSON, (1.2, 3.0)),
    AtomicAction('hug', PERSON, (1.5, 4.0)),
    AtomicAction('high five', PERSON, (0.8, 1.5)),
    AtomicAction('push person', PERSON, (0.8, 2.0)),
    AtomicAction('hit person', PERSON, (0.8, 3.0)),
    AtomicAction('lead by hand', PERSON, (2.0, 6.0), (0.8, 1.2), upper=True),
    AtomicAction('lift', OBJECT, (1.0, 2.0), prop='box'),
    AtomicAction('carry', OBJECT, (1.5, 8.0), prop='box', upper=True),
    AtomicAction('put down', OBJECT, (1.0, 2.0), prop='box'),
    AtomicAction('hand over', OBJECT, (1.0, 2.0), prop='box'),
    AtomicAction('push cart', OBJECT, (1.5, 8.0), (0.7, 1.2), prop='cart'),
    AtomicAction('bounce ball', OBJECT, (1.2, 6.0), prop='ball', upper=True),
    AtomicAction('throw ball', OBJECT, (1.0, 1.8), prop='ball'),
    AtomicAction('kick ball', OBJECT, (0.8, 1.5), prop='ball'),
    AtomicAction('drink', OBJECT, (1.2, 4.0), prop='cup', upper=True),
    AtomicAction('phone call', OBJECT, (2.0, 8.0), prop='phone', upper=True),
    AtomicAction('read', OBJECT, (2.0, 8.0), prop='book', upper=True),
    AtomicAction('sweep', OBJECT, (2.0, 8.0), prop='broom'),
    AtomicAction('wipe table', OBJECT, (1.5, 6.0), prop='cloth'),
    AtomicAction('chop', OBJECT, (1.5, 6.0), prop='knife'),
)
BY_NAME = {action.name: action for action in ATOMIC_ACTIONS}
# The action index is the class index; SEAL's groups are ranges of it.
ATOMIC_NAMES = tuple(action.name for action in ATOMIC_ACTIONS)
