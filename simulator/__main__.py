"""Serve a simulated workspace from the command line: `python -m simulator serve`."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading

from simulator.server import serve
from simulator.simulation import simulate


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve a simulated workspace on loopback")
    serving.add_argument("--port", type=int, default=8765, help="0 takes any free port")
    serving.add_argument("--stories", type=int, default=2000)
    serving.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: stop.set())
    workspace = simulate(seed=options.seed, stories=options.stories)
    gc.freeze()  # collecting a large workspace would block requests for seconds
    try:
        server = serve(workspace, port=options.port)
    except OSError as problem:
        print(f"port {options.port} cannot be used: {problem}", file=sys.stderr)
        return 1
    with server:
        print(f"Tracker v5 API of a simulated workspace: {server.base_url}")
        print(f"stories: {len(workspace.stories)}, activities: {len(workspace.activities)}")
        print(f"token: {server.token}")
        print(f"try: curl -H 'X-TrackerToken: {server.token}' {server.base_url}/projects")
        print("Ctrl-C ends it.", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
