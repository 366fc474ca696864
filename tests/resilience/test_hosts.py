"""Whatever a host does, a load ends in time, uses little memory, and keeps all good records.

`python -m pytest tests/resilience/test_hosts.py -k "gzip or clock"` runs some of the behaviours.
"""

import pytest

from tests.support.host_check import findings, sound_rows
from tests.support.misbehaving import BEHAVIOURS


@pytest.fixture(scope="session")
def sound(tmp_path_factory):
    return sound_rows(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
def test_a_misbehaving_host_does_no_harm(behaviour, tmp_path, sound):
    assert list(findings(behaviour, tmp_path, sound)) == []
