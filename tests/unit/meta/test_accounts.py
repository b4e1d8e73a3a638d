"""Accounts: what passwords may be, what guessing costs, what ends a session."""

import os
from collections.abc import Iterator

import bcrypt
import pytest

from iafa.clock import FakeClock
from iafa.errors import Conflict, InvalidCredentials, RateLimited, ValidationFailed
from iafa.meta.accounts import Accounts, SelfChange
from iafa.meta.login_throttle import ENTRIES_MAX, LoginThrottle
from iafa.meta.passwords import Passwords, check_password
from iafa.slots import MemorySlots, create_shared, open_shared

PASSWORD = "a long walk on the beach"
CONTEXT = ["ada@example.org", "Ada Byron", "Analytical Engines"]

REFUSED = {
    "seven characters": ("a1!bC2x", "password_length"),
    "too long": ("ab1" * 342, "password_length"),
    "common": ("password123", "password_common"),
    "common in capitals": ("QWERTY123", "password_common"),
    "word and year": ("summer2025", "password_common"),
    "one letter": ("aaaaaaaaaaaa", "password_common"),
    "product": ("iafaiafa1", "password_context"),
    "e-mail": ("ada@example.org", "password_context"),
    "part of the e-mail and digits": ("example2026", "password_context"),
    "name": ("byronbyron", "password_context"),
    "organization": ("Analytical1!", "password_context"),
}
ACCEPTED = {
    "eight characters": "a1!bC2xz",
    "spaces": PASSWORD,
    "73 bytes": "ab1" * 24 + "x",
    "longest": "ab1" * 341 + "x",
    "multi-byte": "пароль-длинный-ключ",
    "200 bytes multi-byte": "äöü€" * 50,
    "name inside something long": "byron walks on the beach",
}


@pytest.mark.parametrize(("password", "code"), REFUSED.values(), ids=REFUSED)
def test_passwords_that_are_guessed_first_are_refused(password: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_password(password, context=CONTEXT, pointer="/password")
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == ("/password", code)
    assert password not in error.message


@pytest.mark.parametrize("password", ACCEPTED.values(), ids=ACCEPTED)
async def test_other_passwords_are_accepted_whole(password: str) -> None:
    check_password(password, context=CONTEXT, pointer="/password")
    passwords = Passwords()
    stored = await passwords.hash(password)
    assert stored.startswith("$argon2id$")
    assert await passwords.verify(password, stored) == stored
    assert await passwords.verify(password[:-1], stored) is None


async def test_an_old_bcrypt_hash_is_accepted_and_replaced() -> None:
    stored = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(5)).decode()
    passwords = Passwords()
    newer = await passwords.verify(PASSWORD, stored)
    assert newer is not None
    assert newer.startswith("$argon2id$")
    assert await passwords.verify("x" * 200, stored) is None
    assert await passwords.verify("anything", "not a hash") is None


async def register(accounts: Accounts) -> str:
    user = await accounts.register(email="ada@example.org", password=PASSWORD, full_name="Ada Byron")
    return user.id


async def test_an_account_is_made_once_whatever_the_case(accounts: Accounts) -> None:
    await register(accounts)
    with pytest.raises(Conflict):
        await accounts.register(email="ADA@Example.org", password=PASSWORD, full_name="Other")
    assert len(await accounts.organizations.all()) == 1


async def test_wrong_password_and_unknown_user_are_not_told_apart(accounts: Accounts) -> None:
    await register(accounts)
    details = set()
    for email in ("ada@example.org", "nobody@example.org"):
        with pytest.raises(InvalidCredentials) as refused:
            await accounts.login(email=email, password="wrong password here", address="10.0.0.1")
        details.add(refused.value.detail)
    assert len(details) == 1


@pytest.fixture(params=["one worker", "several workers"])
def throttle(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[LoginThrottle]:
    descriptor = create_shared()
    yield LoginThrottle(clock, open_shared(descriptor).logins if request.param == "several workers" else None)
    os.close(descriptor)


def delay_s(throttle: LoginThrottle, account: str, address: str) -> int:
    """How long the next attempt has to wait; 0 when it was let through and counted."""
    try:
        throttle.begin(account=account, address=address)
    except RateLimited as limited:
        return limited.retry_after_s or 0
    return 0


async def test_guessing_is_slowed_and_the_owner_gets_in_again(accounts: Accounts, clock: FakeClock) -> None:
    await register(accounts)
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await accounts.login(email="ada@example.org", password="wrong password here", address="10.0.0.1")
    with pytest.raises(RateLimited) as limited:
        await accounts.login(email="ada@example.org", password=PASSWORD, address="10.0.0.1")
    assert limited.value.retry_after_s is not None
    clock.advance(limited.value.retry_after_s)
    await accounts.login(email="ada@example.org", password=PASSWORD, address="10.0.0.1")


def test_delays_grow_and_have_a_cap(throttle: LoginThrottle, clock: FakeClock) -> None:
    waits = []
    for _ in range(40):
        waits.append(delay_s(throttle, "a", "10.0.0.1"))
        clock.advance(waits[-1])
    delays = [wait for wait in waits if wait]
    assert waits[:5] == [0] * 5
    assert delays == sorted(delays)
    assert delays[0] <= 2
    assert delays[-1] == 900


def test_waiting_attempts_do_not_make_the_delay_longer(throttle: LoginThrottle, clock: FakeClock) -> None:
    for _ in range(5):
        throttle.begin(account="a", address="10.0.0.1")
    assert [delay_s(throttle, "a", "10.0.0.1") for _ in range(50)] == [1] * 50


def test_many_addresses_cannot_keep_the_owner_out(throttle: LoginThrottle, clock: FakeClock) -> None:
    delays = [delay_s(throttle, "a", f"10.0.{n // 250}.{n % 250}") for n in range(500)]
    assert 0 < max(delays) <= 30
    clock.advance(30)
    assert delay_s(throttle, "a", "192.0.2.1") == 0


def test_one_address_cannot_try_many_accounts(throttle: LoginThrottle, clock: FakeClock) -> None:
    delays = [delay_s(throttle, f"account {n}", "10.0.0.1") for n in range(40)]
    assert sum(delay == 0 for delay in delays) == 30


def test_success_forgets_the_failures_of_the_account(throttle: LoginThrottle, clock: FakeClock) -> None:
    for _ in range(20):
        for _ in range(4):
            throttle.begin(account="a", address="10.0.0.1")
        throttle.succeeded(account="a", address="10.0.0.1")
        clock.advance(3700)


def test_memory_of_the_throttle_is_bounded_and_made_up_accounts_free_nobody(clock: FakeClock) -> None:
    slots = MemorySlots(ENTRIES_MAX)
    throttle = LoginThrottle(clock, slots)
    for _ in range(5):
        throttle.begin(account="a", address="10.0.0.1")
    for number in range(ENTRIES_MAX):
        throttle.begin(account=f"account {number}", address=f"address {number}")
    assert len(slots) == ENTRIES_MAX
    assert delay_s(throttle, "a", "10.0.0.1") == 1


def test_workers_count_the_failures_of_an_account_together(clock: FakeClock) -> None:
    descriptor = create_shared()
    one, other = (LoginThrottle(clock, open_shared(descriptor).logins) for _ in range(2))
    for throttle in (one, other, one, other, one):
        assert delay_s(throttle, "a", "10.0.0.1") == 0
    assert delay_s(one, "a", "10.0.0.1") == delay_s(other, "a", "10.0.0.1") == 1
    clock.advance(1)
    other.succeeded(account="a", address="10.0.0.1")
    assert [delay_s(one, "a", "10.0.0.1") for _ in range(6)] == [0] * 5 + [1]
    os.close(descriptor)


async def test_a_new_password_ends_the_other_sessions(accounts: Accounts) -> None:
    await register(accounts)
    first = await accounts.login(email="ada@example.org", password=PASSWORD, address="a")
    second = await accounts.login(email="ada@example.org", password=PASSWORD, address="a")
    change = SelfChange(password="another walk on the beach", current_password=PASSWORD)
    await accounts.change_self(first.user, change, session_id=first.session.id, address="a")
    await accounts.caller(first.user.id, first.session.id)
    with pytest.raises(InvalidCredentials):
        await accounts.caller(second.user.id, second.session.id)
    with pytest.raises(InvalidCredentials):
        await accounts.refresh(second.refresh_token)
    with pytest.raises(InvalidCredentials):
        await accounts.login(email="ada@example.org", password=PASSWORD, address="a")


async def test_a_new_password_needs_the_current_one(accounts: Accounts) -> None:
    await register(accounts)
    found = await accounts.login(email="ada@example.org", password=PASSWORD, address="a")
    for current in (None, "wrong password here"):
        change = SelfChange(password="another walk on the beach", current_password=current)
        with pytest.raises(ValidationFailed):
            await accounts.change_self(found.user, change, session_id=found.session.id, address="a")
    await accounts.login(email="ada@example.org", password=PASSWORD, address="a")
