"""A simulated Tracker workspace, and a v5 API on loopback that serves it.

    workspace = simulate(seed=7, stories=2000)
    with serve(workspace) as server:
        ...  # server.base_url, server.token

What docs/tracker-api.md leaves open is decided here as follows:

- `..._after` and `..._before` parameters exclude the instant itself; an unknown name in `fields`
  is 400 `invalid_parameter`; a bad token is 403.
- `story_transitions` has no rows of deleted stories (their activities stay); a story that moved
  to another project leaves its old rows in the old project, and `stories/{id}/transitions` shows
  all of them.
- Names inside activities are those of today, messages too, as the recordings show.
- `story_move_from_project_activity` and `..._into_...` both tell the whole move: `project_id`
  before and after, labels by id and name.
- A new project has version 0; versions are contiguous from 1.
- Velocity is `initial_velocity` when no counting iteration has points, and else may well be 0.
- Backlog iterations take what fits into velocity plus what earlier ones left over; a story bigger
  than that gets an iteration of its own.
- `history/days` leaves releases out and ends with today's totals so far; the days of an iteration
  count the stories that it holds now.
"""

from simulator.answers import ServerOptions
from simulator.core import CommandError
from simulator.server import DemoServer, serve
from simulator.simulation import simulate
from simulator.workspace import Workspace

__all__ = ["CommandError", "DemoServer", "ServerOptions", "Workspace", "serve", "simulate"]
