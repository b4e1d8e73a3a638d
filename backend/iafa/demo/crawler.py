"""A price crawler that asks the shop's search for hours, one night: the unusual day that a long history ends with."""

from datetime import datetime, timedelta

from iafa.demo.catalog import PRODUCTS
from iafa.demo.devices import Country, Device
from iafa.demo.draws import SECOND_US, Draws, digest, epoch_us
from iafa.demo.people import Person, Screen
from iafa.demo.rhythm import DIRECT, WEEK_NINE, Calendar
from iafa.demo.visit import Tape, Visit

BOT = Device("web", "desktop", "Price crawler", "Linux", "Mozilla/5.0 (compatible; PriceCrawler/1.4)")
VISITS = 6
SEARCHES = 45
HOUR_FIRST = 2
EVERY = timedelta(minutes=25)


def crawl_night(calendar: Calendar) -> datetime | None:
    """When it comes: early on the last complete day, in histories that are long enough for stories."""
    return calendar.local(calendar.days - 2, HOUR_FIRST) if calendar.days >= WEEK_NINE[1] else None


def crawl(tape: Tape, calendar: Calendar) -> None:
    """Chance of its own: whether it comes changes nothing of what people do."""
    begin = crawl_night(calendar)
    if begin is None:
        return
    draws = Draws(tape.namespace, "crawler")
    screen = Screen(BOT, digest(tape.namespace, "crawler"))
    person = Person("", 0.0, Country("DE", "en-GB"), "", [screen], has_account=False, plan="")
    words = [product.name.lower() for shelf in PRODUCTS.values() for product in shelf.values]
    for number in range(VISITS):
        visit = Visit(tape, draws, person=person, channel=DIRECT, at_us=epoch_us(begin + number * EVERY))
        for _ in range(SEARCHES):
            text = draws.pick(words)
            visit.search_page(text)
            visit.blink()
            visit.record("search", {"query": text, "results": draws.whole(1, 24)})
            visit.at_us += draws.whole(2, 6) * SECOND_US
