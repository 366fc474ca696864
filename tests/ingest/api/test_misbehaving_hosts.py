"""One host of each kind in `tests/resilience/test_hosts.py`."""

import pytest

from tests.support.host_check import findings, sound_rows
from tests.support.misbehaving import BEHAVIOURS

CHOSEN = (
    "a small gzip body that unpacks to 512 MB",
    "the first 100 for every offset",
    "new stories with a total that grows",
    "a clock of the year 2099",
    "a key is null",
    "the token written in escapes",
    "escape sequences in the project's name, which fails",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return sound_rows(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("name", CHOSEN)
def test_a_misbehaving_host_does_no_harm(name, tmp_path, sound):
    assert list(findings(BEHAVIOURS[name], tmp_path, sound)) == []
