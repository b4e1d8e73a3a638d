"""From what a reader of a route found to a judged draft: for the collector, and for a replay of what it refused."""

from collections.abc import Callable

from iafa.event import Location
from iafa.ingest.deliveries import Delivery
from iafa.ingest.gate import Origin
from iafa.ingest.pipeline import Draft, Sender, run
from iafa.ingest.wire import Parsed, WireEvent

TRACK, BATCH, BEACON = "track", "batch", "beacon"  # the shapes of refused events' texts


def nowhere(_address: str) -> None:
    """Without a database no address has a location."""


def delivered(
    delivery: Delivery, index: int, sender: Sender, origin: Origin, locate: Callable[[str], Location | None]
) -> Draft:
    """A message of another tool, with what is its own and not the request's."""
    pointer = delivery.pointer_of(index)
    parsed, address, campaign, is_located = delivery.read(delivery.items[index], pointer, sender.skew_us)
    if isinstance(parsed, WireEvent):
        if sender.is_page:
            parsed.user_agent = parsed.user_agent or origin.user_agent
            parsed.source = parsed.source or "web"
        elif address is not None:
            location = locate(address) if is_located else None
            sender = sender._replace(ip_address=sender.privacy.stored(address), location=location)
        if not is_located:
            sender = sender._replace(location=None)
        parsed.source = parsed.source or "server"
        if sender.request_key is None and parsed.id is None and parsed.messageId is None:
            sender = sender._replace(request_key=delivery.id_seed(index, parsed))
        sender = sender._replace(campaign=campaign)
    return drafted(parsed, sender, pointer, index)


def drafted(parsed: Parsed, sender: Sender, pointer: str, position: int) -> Draft:
    if isinstance(parsed, WireEvent):
        return run(parsed, sender, pointer, position)
    return Draft(WireEvent(), sender, pointer, list(parsed), position)
