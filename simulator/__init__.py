"""A simulated Tracker workspace, and a v5 API on loopback that serves it.

    workspace = simulate(seed=7, stories=2000)
    with serve(workspace) as server:
        ...  # server.base_url, server.token

Where docs/tracker-api.md leaves a question open, the simulator behaves as follows:

- `..._after` and `..._before` parameters exclude the instant itself; an unknown name in `fields`
  is 400 `invalid_parameter`; a bad token is 403.
- `story_transitions` has no rows of deleted stories (their activities stay); a story that moved
  to another project leaves its old rows in the old project, and `stories/{id}/transitions` shows
  all of them.
- Names in activities and their messages are the current names, as the recordings show.
- `story_move_from_project_activity` and `..._into_...` both contain the whole move: `project_id`
  before and after, labels by id and name.
- A new project has version 0; versions are contiguous from 1.
- Velocity is `initial_velocity` if none of the averaged iterations has points; otherwise it can be
  0.
- A backlog iteration is filled up to the velocity plus what earlier ones left unused; a story
  larger than that gets an iteration of its own.
- `history/days` excludes releases and ends with today's totals so far; the days of an iteration
  count the stories that are in it now.
"""

from simulator.answers import ServerOptions
from simulator.core import CommandError
from simulator.server import DemoServer, serve
from simulator.simulation import simulate
from simulator.workspace import Workspace

__all__ = ["CommandError", "DemoServer", "ServerOptions", "Workspace", "serve", "simulate"]
