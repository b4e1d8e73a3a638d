"""What a share link shows: the cards of its funnel, saved view or board as they are now, and why one is not shown."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from iafa.api.services import Services
from iafa.api.shown_cards import ShownCard, asked_by, of_board
from iafa.api.view_models import COLUMNS
from iafa.errors import NotFound
from iafa.meta.projects import Project
from iafa.meta.shares import StoredShare

ONLY_CARD = "only"
ONLY_HEIGHT = 6
# What names of columns and properties end in, without case, punctuation and numbers. These also behind other letters:
PEOPLE = (
    *(
        "userid",
        "anonymousid",
        "sessionid",
        "distinctid",
        "deviceid",
        "customerid",
        "visitorid",
        "clientid",
        "personid",
    ),
    *("username", "fullname", "firstname", "lastname", "surname", "ipaddress", "ipaddr"),
    *("email", "emailaddress", "emailaddr", "emailid", "mailaddress", "password", "passwd", "cardnumber"),
    *("phone", "phonenumber", "phoneno", "mobilenumber", "mobileno"),
)
# and these, which other words end in, as whole words only.
PEOPLE_WORDS = frozenset({"person", "ip", "ipv", "mail", "tel", "iban", "ssn"})
NO_PHONE = ("iphone", "smartphone", "windowsphone", "headphone", "earphone", "microphone", "megaphone", "saxophone")
YES_OR_NO = frozenset({"is", "has", "had", "was"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+")  # of `userId`, `USER_ID`, `user.id`, `userId2`


class Shown(NamedTuple):
    title: str
    cards: list[ShownCard]


async def shown_by(services: Services, project: Project, share: StoredShare) -> Shown:
    """NotFound when the thing is not there any more."""
    if share.kind == "funnel":
        funnel = await services.funnels.get(share.target_id)
        if funnel is None or funnel.project_id != project.id:
            raise NotFound
        question = {**share.question, "funnel_id": funnel.id}
        return Shown(funnel.name, [_only({"kind": "funnel", "title": funnel.name, "question": question}, share)])
    if share.kind == "view":
        view = await services.saved.views.get(project.id, share.target_id)
        return Shown(view.name, [_only({**view.card, "title": view.card["title"] or view.name}, share)])
    board = await services.saved.boards.get(project.id, share.target_id)
    cards = [await of_board(services, project, card, share.range, board.range) for card in board.cards]
    return Shown(board.name, [card for card in cards if card is not None and card.kind != "events"])


async def why_not_shared(services: Services, project: Project, card: ShownCard) -> str | None:
    """Why the card's numbers are not for everybody with the link."""
    if card.kind == "events":
        return "raw events are not shared"
    try:
        asked = await asked_by(services, project, card, card.chosen)
    except NotFound:
        return None  # it has nothing to show
    if names_people(asked.groups_by):
        return "a question that groups by ids of people is not shared"
    return None


def names_people(groups_by: str | None) -> bool:
    """Whether the groups would be people one by one, as far as the name tells: `customer_email`, `useremail2` and
    `user.id` do, `emailed` and `has_email` do not."""
    name = (groups_by or "").removeprefix("property:").removeprefix("column:")
    words = [word.casefold() for word in _WORD.findall(name)]
    joined = "".join(words)
    if not words or words[0] in YES_OR_NO or joined.endswith(NO_PHONE):
        return False
    is_whole = any("".join(words[at:]) in PEOPLE_WORDS for at in range(len(words)))
    return words == ["id"] or is_whole or joined.endswith(PEOPLE)


def _only(card: Mapping[str, Any], share: StoredShare) -> ShownCard:
    place = {"x": 0, "y": 0, "w": COLUMNS, "h": ONLY_HEIGHT}
    chosen = share.range or card.get("range")
    return ShownCard(ONLY_CARD, place, card["kind"], card["title"], card["question"], chosen, card.get("view", {}))
