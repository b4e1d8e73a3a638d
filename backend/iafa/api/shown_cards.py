"""A card in its place: which view it shows, for which days, what it asks then, and whether that is too much."""

from asyncio import to_thread
from collections.abc import Mapping
from typing import Any, NamedTuple

from iafa.api.saved_questions import REPORTS, Asked, dated, read_question
from iafa.api.services import Services
from iafa.api.view_range import compared_days_of
from iafa.errors import FieldError, NotFound, ValidationFailed
from iafa.meta.projects import Project
from iafa.query.question import parse_include

ANSWERED = frozenset({"funnel", *REPORTS})


class ShownCard(NamedTuple):
    """A card with its place; `chosen` is the range that replaces the question's own dates."""

    id: str
    place: Mapping[str, int]
    kind: str
    title: str | None
    question: Mapping[str, Any]
    chosen: Mapping[str, Any] | None
    view: Mapping[str, Any]


async def of_board(
    services: Services,
    project: Project,
    card: Mapping[str, Any],
    of_share: Mapping[str, Any] | None,
    boards: Mapping[str, Any] | None,
) -> ShownCard | None:
    """None for a card whose saved view is gone. A range of the share replaces all dates, that of the board stands where
    there are none."""
    content, title, chosen = card, card["title"], of_share or card["range"]
    if card["view_id"] is not None:
        try:
            saved = await services.saved.views.get(project.id, card["view_id"])
        except NotFound:
            return None
        content, title = (
            {**saved.card, "view": {**saved.card["view"], **card["view"]}},
            title or saved.card["title"] or saved.name,
        )
        chosen = chosen or saved.card["range"]
    question = content["question"]
    has_dates = any(question.get(name) is not None for name in ("start_date", "end_date"))
    place = {name: card[name] for name in ("x", "y", "w", "h")}
    chosen = chosen if chosen is not None or has_dates else boards
    return ShownCard(card["id"], place, content["kind"], title, question, chosen, content["view"])


async def asked_by(services: Services, project: Project, card: ShownCard, chosen: Mapping[str, Any] | None) -> Asked:
    """The card's question for the range, without receipts. Nothing is told of one that has become wrong: NotFound."""
    question = dict(dated(services, project, card.kind, card.question, chosen))
    try:
        include = question.pop("include", None)
        wanted = parse_include([include] if isinstance(include, str) else include) - {"receipt"}
        if not _has_period_to_compare(question):
            wanted -= {"compare"}
        if "compare" in wanted and chosen is not None and not _names_period(question):
            before = compared_days_of(chosen, project.timezone, services.clock.now_us())
            question |= {} if before is None else {"compare_start": before.start, "compare_end": before.end}
        question["include"] = sorted(wanted)
        return await read_question(services, project, card.kind, question if card.kind in ANSWERED else card.question)
    except ValidationFailed:
        raise NotFound from None


def _has_period_to_compare(question: Mapping[str, Any]) -> bool:
    """All of the data has no period before it."""
    return _names_period(question) or all(map(question.get, ("start_date", "end_date")))


def _names_period(question: Mapping[str, Any]) -> bool:
    return any(map(question.get, ("compare_start", "compare_end")))


async def length_errors(services: Services, project: Project, cards: Mapping[str, ShownCard]) -> list[FieldError]:
    """What makes ranges too long for the answers of cards over the data of now; pointers go on from the cards' own.
    What is wrong in another way is not looked for."""
    checks = {}
    for at, card in cards.items():
        try:
            check = (await asked_by(services, project, card, card.chosen)).check_length
        except NotFound:
            continue
        if check is not None:
            checks[at] = check
    if not checks:
        return []
    errors, snapshot = list[FieldError](), await services.snapshot(project.id)
    for at, check in checks.items():
        try:
            await to_thread(check, snapshot)
        except ValidationFailed as error:
            errors += [FieldError(f"{at}{one.pointer}", one.code, one.message) for one in error.errors]
    return errors
