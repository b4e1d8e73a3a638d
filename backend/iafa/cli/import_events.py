"""`iafa import`: load files of events, into a data directory or through a running server's `/upload`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from iafa.cli.lookup import project_called
from iafa.cli.options import data_dir_option, house_at, json_option, print_json, run
from iafa.errors import IafaError, WrongUsage
from iafa.jobs.presets.reading import PRESETS, check_one_map
from iafa.jobs.upload import Progress as Watch
from iafa.jobs.upload import Receipt, UploadRequest
from iafa.jobs.upload_columns import check_columns
from iafa.jobs.upload_rows import Format

FAILED = 1
CHUNK_BYTES = 256 * 1024
GZIP_SUFFIX = ".gz"
_FORMATS: dict[str, Format] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
Load = Callable[[Path, Format, Watch], Receipt]


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--project", help="The project's id or name. With --url the key says which one.")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="E.g. user_id=customer; may be repeated.")
@click.option("--preset", type=click.Choice(list(PRESETS)), help="The tool that the files are an export of.")
@click.option("--format", "format", type=click.Choice(["ndjson", "csv", "parquet"]), help="By default by file name.")
@click.option("--url", help="Load through the server at this address instead of the data directory.")
@click.option("--api-key", help="The project's secret key, for --url.")
@data_dir_option
@json_option
@click.pass_context
def import_command(ctx: click.Context, /, files: tuple[Path, ...], pairs: tuple[str, ...], **options: Any) -> None:
    """Load events from CSV, NDJSON or Parquet files (CSV and NDJSON also with gzip).

    Columns named like a field of an event are that field: id, event_type, user_id, created_at, timestamp, ... Others
    can be mapped to one; all the rest become properties. A preset reads what another tool exports. Loading a file
    twice changes nothing. The exit code is 1 when nothing could be loaded.
    """
    columns = check_columns([(field.strip(), column.strip()) for field, _, column in (p.partition("=") for p in pairs)])
    check_one_map(columns, options["preset"])
    formats = [options["format"] or _format_of(path) for path in files]
    load = _into_server(columns, options) if options["url"] else _into_directory(columns, options)
    receipts = []
    for path, format in zip(files, formats, strict=True):
        receipt = _loaded(load, path, format, is_quiet=options["as_json"])
        receipts.append(receipt)
        if not options["as_json"]:
            click.echo("\n".join(receipt_lines(path.name, receipt)))
    if options["as_json"]:
        named = zip(files, receipts, strict=True)
        print_json({"files": [{"file": str(path), **msgspec.to_builtins(receipt)} for path, receipt in named]})
    if not any(receipt.accepted or receipt.duplicates for receipt in receipts) and any(r.rejected for r in receipts):
        ctx.exit(FAILED)


def receipt_lines(name: str, receipt: Receipt) -> Iterator[str]:
    counts = f"{receipt.accepted:,} events loaded, {receipt.duplicates:,} known already, {receipt.rejected:,} refused"
    yield f"{name}: {counts}"
    if receipt.first_event is not None:
        yield f"  from {receipt.first_event} to {receipt.last_event}"
    for warning in receipt.warnings:
        yield f"  note: {warning}"
    for code, count in receipt.rejected_by_code.items():
        yield f"  {count:,} refused: {code}"
    for error in receipt.errors:
        yield f"    row {error.row}: {error.pointer or 'row'} {error.message} ({error.code})"


@contextmanager
def watched(title: str, *, unit: str = "bytes", is_quiet: bool) -> Iterator[Watch]:
    """A progress bar on a terminal, nothing elsewhere. `unit` is what the upload job's bytes are."""
    console = Console(stderr=True)
    if is_quiet or not console.is_terminal:
        yield lambda _rows, _done, _total: None
        return
    done = DownloadColumn() if unit == "bytes" else TextColumn(f"{{task.completed:,}}/{{task.total:,}} {unit}")
    rows_done = TextColumn("{task.fields[rows]:,} events")
    columns = (TextColumn("{task.description}"), BarColumn(), done, rows_done, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=1, rows=0)
        yield lambda rows, done, total: progress.update(task, completed=done, total=total, rows=rows)


def _loaded(load: Load, path: Path, format: Format, *, is_quiet: bool) -> Receipt:
    try:
        with watched(path.name, is_quiet=is_quiet) as watch:
            return load(path, format, watch)
    except IafaError:
        click.echo(f"{path}:", err=True)
        raise


def _into_directory(columns: dict[str, str], options: dict[str, Any]) -> Load:
    if not options["project"]:
        raise click.UsageError("say where to load it: --project ID (or --url and --api-key)")
    house = house_at(options["data_dir"])
    project = run(lambda: project_called(house, options["project"]))
    uploader = house.uploader()

    def load(path: Path, format: Format, watch: Watch) -> Receipt:
        request = UploadRequest(
            project_id=project.id,
            path=path,
            format=format,
            columns=columns,
            preset=options["preset"],
            retention_days=project.retention_days,
            schemas=project.schemas,
            privacy=project.privacy,
            salt=bytes.fromhex(project.salt),
        )
        return uploader.run(request, watch)

    return load


def _into_server(columns: dict[str, str], options: dict[str, Any]) -> Load:
    if not options["api_key"]:
        raise click.UsageError("--url needs the project's secret key: --api-key")
    if any("," in column for column in columns.values()):
        raise WrongUsage("a column whose name holds a comma cannot be mapped over HTTP; rename it")

    def load(path: Path, format: Format, watch: Watch) -> Receipt:
        return _sent(path, format, columns, options, watch)

    return load


def _sent(path: Path, format: Format, columns: dict[str, str], options: dict[str, Any], watch: Watch) -> Receipt:
    import httpx  # only needed here, and slow to load

    url = options["url"]
    headers = {"x-api-key": options["api_key"], "content-length": str(path.stat().st_size)}
    if path.suffix == GZIP_SUFFIX:
        headers["content-encoding"] = "gzip"
    parameters = {"format": format, "columns": ",".join(f"{field}:{column}" for field, column in columns.items())}
    if options["preset"] is not None:
        parameters["preset"] = options["preset"]
    try:
        answer = httpx.post(
            f"{url.rstrip('/')}/api/v1/upload",
            params=parameters,
            headers=headers,
            content=_chunks(path, watch),
            timeout=httpx.Timeout(30.0, read=None),  # the answer comes when everything is loaded
        )
    except httpx.HTTPError as error:
        raise IafaError(f"{url} did not take the file: {error}") from None
    if answer.status_code != httpx.codes.OK:
        raise _refusal(answer.status_code, answer.content)
    return msgspec.json.decode(answer.content, type=Receipt)


def _refusal(status: int, body: bytes) -> IafaError:
    try:
        problem = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return IafaError(f"the server answered {status}")
    errors = "".join(f"\n  {error.get('pointer')}: {error.get('message')}" for error in problem.get("errors", []))
    return IafaError(f"the server answered {status}: {problem.get('detail')}{errors}")


def _chunks(path: Path, watch: Watch) -> Iterator[bytes]:
    size, sent = path.stat().st_size, 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            watch(0, sent, size)


def _format_of(path: Path) -> Format:
    name = path.name.lower().removesuffix(GZIP_SUFFIX)
    format = _FORMATS.get(Path(name).suffix)
    if format is None:
        raise WrongUsage(f"{path.name}: say what it is with --format ndjson, csv or parquet")
    return format
