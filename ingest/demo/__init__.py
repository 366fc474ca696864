"""A simulated Tracker workspace, and a v5 API on loopback that serves it."""

from ingest.demo.answers import ServerOptions
from ingest.demo.core import CommandError
from ingest.demo.server import DemoServer, serve
from ingest.demo.simulation import simulate
from ingest.demo.workspace import Workspace

__all__ = ["CommandError", "DemoServer", "ServerOptions", "Workspace", "serve", "simulate"]
