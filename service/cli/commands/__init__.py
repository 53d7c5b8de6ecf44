"""The commands that ask a running service: what it is asked goes through ``service.client``, as any script's would.

Modules here import typer and nothing heavy; what a command needs it imports when it runs.
"""

import typer

from service.cli.commands import compare, history, jobs, plot, submit


def register(app: typer.Typer) -> None:
    """Add the commands to the `ravine` command line."""
    app.command()(submit.submit)
    app.command("jobs")(jobs.list_jobs)
    app.command()(jobs.show)
    app.command()(history.history)
    app.command()(compare.compare)
    app.command()(plot.plot)
    app.command()(jobs.cancel)
    app.command()(jobs.delete)
