"""Commands that send requests to a running service, through ``service.client``.

The modules import typer only, so that the command line starts fast. A command imports what it needs when it runs.
"""

import typer

from service.cli.commands import compare, data, history, jobs, optimizers, plot, presets, report, submit, usage


def register(app: typer.Typer) -> None:
    """Add the commands to the `ravine` command line."""
    app.command()(submit.submit)
    app.command("presets")(presets.list_presets)
    app.add_typer(optimizers.app, name="optimizers")
    app.command("jobs")(jobs.list_jobs)
    app.command()(jobs.show)
    app.command()(history.history)
    app.command()(compare.compare)
    app.command()(plot.plot)
    app.command()(report.report)
    app.command()(report.bundle)
    app.add_typer(data.app, name="data")
    app.command()(jobs.cancel)
    app.command("continue")(jobs.continue_job)
    app.command()(jobs.delete)
    app.command()(usage.usage)
