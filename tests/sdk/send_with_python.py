"""Makes the calls that it is told on its standard input, with segment-analytics-python as it is published."""

import json
import sys
from datetime import datetime
from typing import Any

from segment.analytics.client import Client

NAMES = {"userId": "user_id", "anonymousId": "anonymous_id", "previousId": "previous_id", "groupId": "group_id"}


def arguments(call: dict[str, Any]) -> dict[str, Any]:
    found = {NAMES.get(name, name): value for name, value in call.items() if name not in ("call", "messageId")}
    if "timestamp" in found:
        found["timestamp"] = datetime.fromisoformat(found["timestamp"])
    if "messageId" in call:
        found["message_id"] = call["messageId"]
    return found


def main() -> None:
    told = json.load(sys.stdin)
    errors: list[str] = []
    client = Client(
        told["key"], host=told["host"], on_error=lambda error, _batch: errors.append(str(error)), **told["options"]
    )
    for call in told["calls"]:
        getattr(client, call["call"])(**arguments(call))
    client.flush()
    client.join()
    json.dump({"errors": errors}, sys.stdout)


main()
