"""The client is tested against the server of the faces, and beside its engine."""

from tests.serve.conftest import engine, server

__all__ = ["engine", "server"]
