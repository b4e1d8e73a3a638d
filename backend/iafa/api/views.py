"""Routes of saved views and boards. What they ask is read when they are saved; the answers come from the reports."""

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from iafa.api.access import CallerIsUser, MemberProject, ReadableProject
from iafa.api.answers import etag, expected_version
from iafa.api.bodies import StrictRoute
from iafa.api.saved_questions import date_names, question_errors
from iafa.api.saved_records import (
    DROP_PROBLEMS,
    EDIT_PROBLEMS,
    MAKE_PROBLEMS,
    READ_PROBLEMS,
    authors_of,
    range_errors,
    refuse,
    saved_answer,
    stored_range,
)
from iafa.api.services import Services, ServicesOf
from iafa.api.shown_cards import ShownCard, length_errors, of_board
from iafa.api.trail import record
from iafa.api.view_models import (
    BOARD_BYTES_MAX,
    COLUMNS,
    DISPLAY_BYTES_MAX,
    Board,
    BoardChoice,
    BoardList,
    CardChoice,
    SavedView,
    ViewChoice,
    ViewList,
    ViewRange,
)
from iafa.errors import FieldError, NotFound
from iafa.meta.ids import new_id
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.meta.views import StoredBoard, StoredView

router = APIRouter(prefix="/projects/{project_id}", tags=["boards"], route_class=StrictRoute)
POINTER_CHARS_MAX = 200
ASKED = ("kind", "question", "range", "view_id")


@router.get(
    "/views",
    summary="List the saved views",
    description="Oldest first.",
    responses=READ_PROBLEMS,
)
async def list_views(project: ReadableProject, services: ServicesOf) -> ViewList:
    views = await services.saved.views.of_project(project.id)
    authors = await authors_of(services, views)
    return ViewList(views=[_view(one, authors) for one in views])


@router.post(
    "/views",
    status_code=201,
    summary="Save a view",
    description="A name, and what a card of a board has: the kind, the question and how it is shown. At most 200 a "
    "project.",
    responses=MAKE_PROBLEMS,
)
async def create_view(
    body: ViewChoice, response: Response, project: MemberProject, caller: CallerIsUser, services: ServicesOf
) -> SavedView:
    fields = await _view_fields(services, project, body)
    made = await services.saved.views.add(project.id, author_id=caller.user.id, **fields)
    response.headers["etag"] = etag(made.version)
    return await _view_answer(services, made)


@router.get("/views/{view_id}", summary="Read a saved view", description="With its `ETag`.", responses=READ_PROBLEMS)
async def read_view(view_id: str, response: Response, project: ReadableProject, services: ServicesOf) -> SavedView:
    view = await services.saved.views.get(project.id, view_id)
    response.headers["etag"] = etag(view.version)
    return await _view_answer(services, view)


@router.put(
    "/views/{view_id}",
    summary="Change a saved view",
    description="Swaps the whole view; cards and links that refer to it show the new one. With `If-Match` only that "
    "version.",
    responses=EDIT_PROBLEMS,
)
async def change_view(
    view_id: str, body: ViewChoice, request: Request, response: Response, project: MemberProject, services: ServicesOf
) -> SavedView:
    old = await services.saved.views.get(project.id, view_id)
    fields, version = await _view_fields(services, project, body, old), expected_version(request)
    changed = await services.saved.views.replace(project.id, view_id, expected_version=version, **fields)
    response.headers["etag"] = etag(changed.version)
    return await _view_answer(services, changed)


@router.delete(
    "/views/{view_id}",
    status_code=204,
    summary="Delete a saved view",
    description="Its links end. Cards that refer to it stay on their boards and have nothing to show.",
    responses=DROP_PROBLEMS,
)
async def delete_view(view_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    gone = await services.saved.views.remove(project.id, view_id)
    await services.saved.shares.remove_of_target(view_id)
    await record(services, caller, "view.delete", of_project(project.id), {"view": view_id, "name": gone.name})
    return Response(status_code=204)


@router.get(
    "/boards", summary="List the boards", description="Oldest first, with their cards.", responses=READ_PROBLEMS
)
async def list_boards(project: ReadableProject, services: ServicesOf) -> BoardList:
    boards = await services.saved.boards.of_project(project.id)
    authors = await authors_of(services, boards)
    return BoardList(boards=[_board(one, authors) for one in boards])


@router.post(
    "/boards",
    status_code=201,
    summary="Make a board",
    description="Up to 40 cards on a grid of 12 columns. Cards that overlap or reach over the grid are refused, and so "
    "is a question that its report would refuse. At most 50 a project.",
    responses=MAKE_PROBLEMS,
)
async def create_board(
    body: BoardChoice, response: Response, project: MemberProject, caller: CallerIsUser, services: ServicesOf
) -> Board:
    fields = await _board_fields(services, project, body)
    made = await services.saved.boards.add(project.id, author_id=caller.user.id, **fields)
    response.headers["etag"] = etag(made.version)
    return await _board_answer(services, made)


@router.get("/boards/{board_id}", summary="Read a board", description="With its `ETag`.", responses=READ_PROBLEMS)
async def read_board(board_id: str, response: Response, project: ReadableProject, services: ServicesOf) -> Board:
    board = await services.saved.boards.get(project.id, board_id)
    response.headers["etag"] = etag(board.version)
    return await _board_answer(services, board)


@router.put(
    "/boards/{board_id}",
    summary="Change a board",
    description="Swaps the whole board. With `If-Match` only that version.",
    responses=EDIT_PROBLEMS,
)
async def change_board(
    board_id: str, body: BoardChoice, request: Request, response: Response, project: MemberProject, services: ServicesOf
) -> Board:
    old = await services.saved.boards.get(project.id, board_id)
    fields, version = await _board_fields(services, project, body, old), expected_version(request)
    changed = await services.saved.boards.replace(project.id, board_id, expected_version=version, **fields)
    response.headers["etag"] = etag(changed.version)
    return await _board_answer(services, changed)


@router.delete(
    "/boards/{board_id}",
    status_code=204,
    summary="Delete a board",
    description="Its links end. Saved views that its cards refer to stay.",
    responses=DROP_PROBLEMS,
)
async def delete_board(board_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    gone = await services.saved.boards.remove(project.id, board_id)
    await services.saved.shares.remove_of_target(board_id)
    await record(services, caller, "board.delete", of_project(project.id), {"board": board_id, "name": gone.name})
    return Response(status_code=204)


async def _view_fields(
    services: Services, project: Project, body: ViewChoice, old: StoredView | None = None
) -> dict[str, Any]:
    card = body.model_dump(exclude={"name"})
    is_old = old is not None and _asks_the_same(card, old.card)
    errors = await _card_errors(services, project, card, "", is_old=is_old)
    refuse(errors, "the view is not valid")
    has_dates = any(card["question"].get(name) is not None for name in date_names(card["kind"]))
    if not is_old and (card["range"] is not None or has_dates):  # else its board has the dates
        shown = ShownCard("", {}, card["kind"], None, card["question"], card["range"], {})
        refuse(await length_errors(services, project, {"/question": shown}), "the view is not valid")
    return {"name": body.name, "card": card}


async def _board_fields(
    services: Services, project: Project, body: BoardChoice, old: StoredBoard | None = None
) -> dict[str, Any]:
    errors = [*range_errors(project, body.range, "/range"), *_place_errors(body.cards)]
    cards = tuple({**card.model_dump(), "id": card.id or new_id()} for card in body.cards)
    if len(msgspec.json.encode(cards)) > BOARD_BYTES_MAX:
        errors.append(FieldError("/cards", "too_long", f"must have at most {BOARD_BYTES_MAX} bytes together"))
    refuse(errors, "the board is not valid")
    chosen = stored_range(body.range)
    new = list[int]()  # what asks something that it did not ask before, by its own question or by the board's range
    for number, card in enumerate(cards):
        is_old = old is not None and any(_asks_the_same(card, one) for one in old.cards)
        errors += await _card_errors(services, project, card, f"/cards/{number}", is_old=is_old)
        if not is_old or (old is not None and old.range != chosen):
            new.append(number)
    refuse(errors, "the board is not valid")
    found = {number: await of_board(services, project, cards[number], None, chosen) for number in new}
    shown = {_asked_at(cards[number], number): card for number, card in found.items() if card is not None}
    refuse(await length_errors(services, project, shown), "the board is not valid")
    return {"name": body.name, "range": chosen, "cards": cards}


def _asked_at(card: Mapping[str, Any], number: int) -> str:
    return f"/cards/{number}/question" if card["view_id"] is None else f"/cards/{number}/view_id"


def _asks_the_same(card: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    return all(card.get(name) == old.get(name) for name in ASKED)


async def _card_errors(
    services: Services, project: Project, card: Mapping[str, Any], at: str, *, is_old: bool
) -> list[FieldError]:
    """What was asked before is not looked at again: a funnel that is gone must not stop others from being moved."""
    chosen = card["range"]
    errors = range_errors(project, None if chosen is None else ViewRange(**chosen), f"{at}/range")
    if len(msgspec.json.encode(card["view"])) > DISPLAY_BYTES_MAX:
        errors.append(FieldError(f"{at}/view", "too_long", f"must have at most {DISPLAY_BYTES_MAX} bytes"))
    if errors or is_old:
        return errors
    if card.get("view_id") is not None:
        try:
            await services.saved.views.get(project.id, card["view_id"])
        except NotFound:
            return [FieldError(f"{at}/view_id", "not_found", "there is no such saved view in this project")]
        return []
    found = await question_errors(services, project, card["kind"], card["question"], chosen)
    return [FieldError(f"{at}/question{one.pointer}"[:POINTER_CHARS_MAX], one.code, one.message) for one in found]


def _place_errors(cards: list[CardChoice]) -> list[FieldError]:
    """Nothing is moved: whoever drew the board knows best where its cards belong."""
    errors, ids, taken = [], set(), dict[tuple[int, int], int]()
    for number, card in enumerate(cards):
        if card.id is not None and card.id in ids:
            errors.append(FieldError(f"/cards/{number}/id", "repeated", "another card has this id"))
        ids.add(card.id)
        if card.x + card.w > COLUMNS:
            errors.append(FieldError(f"/cards/{number}/w", "out_of_grid", f"reaches over the {COLUMNS} columns"))
            continue
        fields = [(x, y) for x in range(card.x, card.x + card.w) for y in range(card.y, card.y + card.h)]
        other = next((taken[field] for field in fields if field in taken), None)
        if other is not None:
            errors.append(FieldError(f"/cards/{number}", "overlap", f"overlaps the card at /cards/{other}"))
        taken.update(dict.fromkeys(fields, number))
    return errors


async def _view_answer(services: Services, view: StoredView) -> SavedView:
    return _view(view, await authors_of(services, [view]))


def _view(view: StoredView, authors: Mapping[str, str]) -> SavedView:
    return SavedView(**saved_answer(view, authors), name=view.name, **view.card)


async def _board_answer(services: Services, board: StoredBoard) -> Board:
    return _board(board, await authors_of(services, [board]))


def _board(board: StoredBoard, authors: Mapping[str, str]) -> Board:
    return Board.model_validate(
        {**saved_answer(board, authors), "name": board.name, "range": board.range, "cards": list(board.cards)}
    )
