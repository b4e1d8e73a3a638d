"""Refresh tokens: one use each, one winner in a race, a copied one ends the family."""

import asyncio
from pathlib import Path

import pytest

from iafa.clock import FakeClock
from iafa.errors import InvalidCredentials, TokenReplaced
from iafa.meta.sessions import ABSOLUTE_S, PER_USER_MAX, RACE_S, Sessions

IDLE_S = 24 * 3600


async def test_each_use_gives_the_next_token(sessions: Sessions) -> None:
    session, token = await sessions.begin("user00000001")
    for _ in range(3):
        rotated, following = await sessions.rotate(token)
        assert rotated.id == session.id
        assert following != token
        token = following


async def test_of_parallel_uses_exactly_one_wins_and_its_token_lives(sessions: Sessions) -> None:
    _session, token = await sessions.begin("user00000001")
    found = await asyncio.gather(*(sessions.rotate(token) for _ in range(20)), return_exceptions=True)
    winners = [one for one in found if not isinstance(one, BaseException)]
    assert len(winners) == 1
    assert sum(isinstance(one, TokenReplaced) for one in found) == 19
    await sessions.rotate(winners[0][1])


async def test_a_token_used_again_later_ends_the_family(sessions: Sessions, clock: FakeClock) -> None:
    session, copied = await sessions.begin("user00000001")
    _, current = await sessions.rotate(copied)
    clock.advance(RACE_S + 1)
    with pytest.raises(InvalidCredentials) as refused:
        await sessions.rotate(copied)
    assert not isinstance(refused.value, TokenReplaced)
    with pytest.raises(InvalidCredentials):
        await sessions.rotate(current)
    assert not await sessions.lives(session.id, "user00000001")


async def test_a_token_older_than_the_last_ends_the_family_at_once(sessions: Sessions) -> None:
    _session, first = await sessions.begin("user00000001")
    _, second = await sessions.rotate(first)
    _, third = await sessions.rotate(second)
    with pytest.raises(InvalidCredentials):
        await sessions.rotate(first)
    with pytest.raises(InvalidCredentials):
        await sessions.rotate(third)


async def test_a_session_ends_when_idle_too_long(sessions: Sessions, clock: FakeClock) -> None:
    session, token = await sessions.begin("user00000001")
    clock.advance(IDLE_S - 1)
    _, token = await sessions.rotate(token)
    clock.advance(IDLE_S)
    assert not await sessions.lives(session.id, "user00000001")
    with pytest.raises(InvalidCredentials):
        await sessions.rotate(token)


async def test_no_use_prolongs_a_session_beyond_thirty_days(sessions: Sessions, clock: FakeClock) -> None:
    _session, token = await sessions.begin("user00000001")
    for _ in range(ABSOLUTE_S // (IDLE_S - 60)):
        clock.advance(IDLE_S - 60)
        _, token = await sessions.rotate(token)
    clock.advance(IDLE_S - 60)
    with pytest.raises(InvalidCredentials):
        await sessions.rotate(token)


@pytest.mark.parametrize(
    "token", ["", "x", "iafa_r_", "iafa_r_../../x_y", "iafa_r_aaaaaaaaaaaaaaaaaaaa_x", "iafa_r_" + "a" * 5000, "\0"]
)
async def test_a_token_that_was_never_given_is_refused(sessions: Sessions, token: str) -> None:
    with pytest.raises(InvalidCredentials):
        await sessions.rotate(token)
    await sessions.end_by_token(token)


async def test_ending_the_others_keeps_the_own(sessions: Sessions) -> None:
    mine, _ = await sessions.begin("user00000001")
    other, _ = await sessions.begin("user00000001")
    foreign, _ = await sessions.begin("user00000002")
    await sessions.end_others("user00000001", keep=mine.id)
    assert await sessions.lives(mine.id, "user00000001")
    assert not await sessions.lives(other.id, "user00000001")
    assert await sessions.lives(foreign.id, "user00000002")


async def test_a_session_belongs_to_its_user(sessions: Sessions) -> None:
    session, _ = await sessions.begin("user00000001")
    assert not await sessions.lives(session.id, "user00000002")


async def test_sessions_of_a_user_are_bounded(sessions: Sessions, clock: FakeClock) -> None:
    first, _ = await sessions.begin("user00000001")
    for _ in range(PER_USER_MAX):
        clock.advance(1)
        last, _ = await sessions.begin("user00000001")
    assert not await sessions.lives(first.id, "user00000001")
    assert await sessions.lives(last.id, "user00000001")


async def test_no_token_is_stored_in_clear(sessions: Sessions, tmp_path: Path) -> None:
    _session, token = await sessions.begin("user00000001")
    _, following = await sessions.rotate(token)
    kept = (tmp_path / "metadata" / "sessions.json").read_text()
    for one in (token, following):
        assert one not in kept
        assert one.rpartition("_")[2] not in kept
