import pytest
from acted_films import make_film, make_look


@pytest.fixture(scope='session')
def film_of():
    """A function that makes a film of one act."""
    return make_film


@pytest.fixture(scope='session')
def look_of():
    """A function that makes the look of a person."""
    return make_look
