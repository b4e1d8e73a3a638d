"""`iafa openapi`: the OpenAPI document, from which the dashboard's types are made."""

import click

from iafa.cli.options import print_json


@click.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI document as JSON."""
    from iafa.api.app import openapi_document
    from iafa.api.server import EXTRA_ROUTERS

    print_json(openapi_document(EXTRA_ROUTERS))
