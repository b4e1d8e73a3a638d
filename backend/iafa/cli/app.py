"""The `iafa` command: its sub-commands and their exit codes. 0 done, 1 failed, 2 wrong usage."""

import importlib
import logging
import os
import sys
from collections.abc import Mapping

import click

from iafa import __version__
from iafa.cli.exit_codes import FAILED, WRONG_USAGE
from iafa.errors import IafaError, WrongUsage

# name -> (module, help); a module is loaded only when its command is called, so that each starts fast
COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("serve", "Run the server."),
    "demo": ("demo", "Run the server with a generated web shop."),
    "import": ("import_events", "Load events from CSV, NDJSON or Parquet files."),
    "export": ("export", "Write raw events into CSV, NDJSON or Parquet files."),
    "funnel": ("funnel", "Compute a funnel and draw it in the terminal."),
    "funnels": ("funnels", "Write saved funnels as YAML, list templates, suggest funnels."),
    "check": ("check", "Check funnels written as YAML, and apply them."),
    "tracker": ("tracker", "Check the tracker on a page."),
    "doctor": ("doctor", "Say why no events come from a page."),
    "sql": ("sql", "Ask the events of a project in SQL."),
    "identity": ("identity", "See which ids were joined, and take it back."),
    "quarantine": ("quarantine", "See, download and replay refused events."),
    "person": ("person", "Export or erase a person, and see what became of erasures."),
    "compact": ("compact", "Merge small files now and empty the trash."),
    "retention": ("retention", "Remove what is older than the projects' settings say."),
    "verify": ("verify", "Read everything and say what is damaged or missing."),
    "backup": ("backup", "Copy the data directory while it is being served."),
    "restore": ("restore", "Make a data directory from a backup."),
    "user": ("user", "Manage users."),
    "project": ("project", "Manage projects."),
    "openapi": ("openapi", "Print the OpenAPI document."),
    "worker": ("children", "Internal: one worker of a server."),
    "background": ("children", "Internal: flush and compaction of a server."),
}
HIDDEN = frozenset({"worker", "background"})


class LazyGroup(click.Group):
    """Finds a command's module by its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"iafa.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="iafa")
def iafa() -> None:
    """Self-hosted event analytics over Parquet files that belong to you."""


def main() -> None:
    """The entry point; turns the domain's errors into one line and an exit code."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its line for each request has the address, secrets and all
    code = _run()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is closed by now. Taking the interpreter apart as well would only make DuckDB's binding print pages
    # about objects that it believes were leaked.
    os._exit(code)


def _run() -> int:
    try:
        iafa.main(standalone_mode=True)
    except WrongUsage as error:
        click.echo(f"iafa: {error.detail}", err=True)
        return WRONG_USAGE
    except IafaError as error:
        click.echo(f"iafa: {error.detail}", err=True)
        for field in error.errors:
            click.echo(f"  {field.pointer or '/'}: {field.message}", err=True)
        return FAILED
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except Exception:
        logging.getLogger("iafa").exception("the command failed")
        return FAILED
