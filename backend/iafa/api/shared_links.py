"""What anybody with a link may see: what it is, and the numbers of its cards. Nothing else hangs on a token."""

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Header, Query, Request

from iafa.api.access import public
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import OpenQuestionRoute
from iafa.api.leaving import while_waiting
from iafa.api.origins import client_address
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import wrong_field
from iafa.api.saved_questions import Ask
from iafa.api.services import Services, ServicesOf
from iafa.api.share_gate import PASS_S
from iafa.api.share_models import SharedAnswer, SharedCard, SharedThing, SharePass, SharePassword
from iafa.api.shared_cards import names_people, shown_by
from iafa.api.shown_cards import ANSWERED, ShownCard, asked_by
from iafa.api.view_models import ViewRange
from iafa.api.view_range import day_back
from iafa.clock import iso_or_none
from iafa.errors import IafaError, InvalidCredentials, NotFound, ValidationFailed
from iafa.meta.projects import Project
from iafa.meta.shares import StoredShare
from iafa.query.cancellation import Cancellation
from iafa.query.time_range import resolve_time_range

router = APIRouter(
    prefix="/shared/{token}", tags=["sharing"], route_class=OpenQuestionRoute, dependencies=[Depends(public)]
)
LINK_PROBLEMS = ("not_found", "rate_limited")
IDS = ("project_id", "funnel_id", "receipt")
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ChosenDay = Annotated[str | None, Query(pattern=DAY, description="Where the link lets choose days: both, or none.")]


class Opened(NamedTuple):
    share: StoredShare
    project: Project


async def known_link(token: str, request: Request, services: ServicesOf) -> Opened:
    """Wrong, ended and expired tokens are not told apart."""
    services.share_gate.let_in(client_address(request))
    share = await services.saved.shares.by_token(token) if services.settings.shares else None
    project = None if share is None else await services.projects.get(share.project_id)
    if share is None or project is None:
        raise NotFound("there is nothing behind this link, or not any more")
    return Opened(share, project)


async def opened_link(
    link: Annotated[Opened, Depends(known_link)],
    services: ServicesOf,
    x_share_pass: Annotated[str | None, Header(max_length=200, description="From `/unlock`.")] = None,
) -> Opened:
    if link.share.password_hash is not None and not services.share_gate.is_pass(link.share, x_share_pass or ""):
        raise IafaError("this link has a password", code="password_required")
    return link


KnownLink = Annotated[Opened, Depends(known_link)]
OpenedLink = Annotated[Opened, Depends(opened_link)]


@router.get(
    "",
    summary="Open a share link",
    description="What it shows and how it is drawn. Events and saved views that are gone are left out.",
    responses=problem_responses(*LINK_PROBLEMS, "password_required", "invalid_query"),
)
async def open_shared(link: OpenedLink, request: Request, services: ServicesOf) -> SharedThing:
    share, project = link
    shown = await shown_by(services, project, share)
    if not getattr(request.state, "is_head", False):  # who looks at the head has not seen anything
        await services.saved.shares.count_opened(share)
    return SharedThing(
        kind=share.kind,
        title=shown.title,
        project_name=project.name,
        timezone=project.timezone,
        choosable_days=share.choosable_days,
        expires_at=iso_or_none(share.expires_us),
        cards=[_shown(card) for card in shown.cards],
    )


@router.post(
    "/unlock",
    summary="Open a share link that has a password",
    description="Answers a pass for twelve hours. Wrong passwords are answered ever more slowly, as at signing in.",
    responses=problem_responses(*BODY_PROBLEMS, *LINK_PROBLEMS, "invalid_credentials", "invalid_query"),
)
async def unlock_shared(body: SharePassword, link: KnownLink, request: Request, services: ServicesOf) -> SharePass:
    share = link.share
    if share.password_hash is not None:
        accounts, who = services.accounts, {"account": f"share {share.id}", "address": client_address(request)}
        accounts.throttle.begin(**who)
        if await accounts.passwords.verify(body.password, share.password_hash) is None:
            raise InvalidCredentials("the password is wrong")
        accounts.throttle.succeeded(**who)
    return SharePass(share_pass=services.share_gate.pass_of(share), expires_in=PASS_S)


@router.get(
    "/answer",
    summary="Ask what a share link shows",
    description="The numbers of one card. Days may be chosen where the link lets.",
    responses=problem_responses(
        *LINK_PROBLEMS, "password_required", "invalid_query", "query_busy", "query_timeout", "storage_unavailable"
    ),
)
async def ask_shared(
    link: OpenedLink,
    request: Request,
    services: ServicesOf,
    card: Annotated[str | None, Query(max_length=40, description="Its id; needed for a board.")] = None,
    start_date: ChosenDay = None,
    end_date: ChosenDay = None,
) -> SharedAnswer:
    share, project = link
    chosen = _chosen(services, link, start_date, end_date)
    shown = await shown_by(services, project, share)
    found = _card(shown.cards, card)
    if chosen is not None:
        found = found._replace(question=_without_own_period(found.question))
    asked = await asked_by(services, project, found, chosen or found.chosen)
    if asked.ask is None or names_people(asked.groups_by):
        raise NotFound("this card has no numbers to show")
    answer = await _answer(request, services, project, asked.ask, are_days_chosen=chosen is not None)
    kept = {name: value for name, value in answer.items() if name not in IDS}
    return SharedAnswer.model_construct(card=found.id, kind=found.kind, answer=kept)


async def _answer(
    request: Request, services: Services, project: Project, ask: Ask, *, are_days_chosen: bool
) -> dict[str, Any]:
    async def in_turn(cancellation: Cancellation) -> dict[str, Any]:
        async with services.share_gate.turn():
            return await ask(await services.snapshot(project.id), cancellation)

    try:
        return await while_waiting(request, in_turn)
    except ValidationFailed as error:  # its words are for those who may see the question
        if are_days_chosen and any(one.code == "range_too_long" for one in error.errors):
            raise _wrong("start_date", "range_too_long", "so many days are too long for this card") from None
        raise NotFound("this card has no numbers to show") from None


def _card(cards: list[ShownCard], card_id: str | None) -> ShownCard:
    if card_id is None and len(cards) == 1:
        card_id = cards[0].id
    found = next((one for one in cards if one.id == card_id), None)
    if found is None or found.kind not in ANSWERED:
        raise NotFound("this link shows no such card")
    return found


def _without_own_period(question: Mapping[str, Any]) -> Mapping[str, Any]:
    """Days of one's own are compared with the period before them, not with one that was meant for other days."""
    return {name: value for name, value in question.items() if name not in ("compare_start", "compare_end")}


def _chosen(services: Services, link: Opened, start: str | None, end: str | None) -> Mapping[str, Any] | None:
    if start is None and end is None:
        return None
    share, project = link
    if share.choosable_days is None:
        raise _wrong("start_date" if start is not None else "end_date", "conflicting_fields", "cannot be chosen here")
    if start is None or end is None:
        raise _wrong("start_date" if start is None else "end_date", "missing", "needs the other day too")
    _check_days(start, end, project.timezone)
    oldest, today = (
        day_back(days, project.timezone, services.clock.now_us()) for days in (share.choosable_days - 1, 0)
    )
    for name, day in (("start_date", start), ("end_date", end)):
        if not oldest <= day <= today:
            raise _wrong(name, "number_out_of_range", f"must be from {oldest} to {today}")
    return {"start_date": start, "end_date": end}


def _check_days(start: str, end: str, timezone: str) -> None:
    try:
        resolve_time_range(start, end, timezone=timezone)
    except ValidationFailed as error:
        raise ValidationFailed(error.detail, errors=error.errors, code="invalid_query") from None


def _wrong(field: str, code: str, message: str) -> ValidationFailed:
    wrong = wrong_field(field, code, message)
    return ValidationFailed(wrong.detail, errors=wrong.errors, code="invalid_query")


def _shown(card: ShownCard) -> SharedCard:
    return SharedCard(
        id=card.id,
        kind=card.kind,  # type: ignore[arg-type]  # it was checked when it was saved
        title=card.title,
        text=str(card.question.get("text", "")) if card.kind == "note" else None,
        view=dict(card.view),
        range=None if card.chosen is None else ViewRange(**card.chosen),
        **card.place,
    )
