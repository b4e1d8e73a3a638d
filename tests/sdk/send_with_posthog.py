"""Makes the calls that it is told on its standard input, with posthog-python as it is published."""

import json
import sys
from datetime import datetime

from posthog import Posthog


def main() -> None:
    told = json.load(sys.stdin)
    errors: list[str] = []
    client = Posthog(
        told["key"], host=told["host"], on_error=lambda error, _batch: errors.append(str(error)), **told["options"]
    )
    for call in told["calls"]:
        arguments = {name: value for name, value in call.items() if name != "call"}
        if "timestamp" in arguments:
            arguments["timestamp"] = datetime.fromisoformat(arguments["timestamp"])
        getattr(client, call["call"])(**arguments)
    client.flush()
    client.shutdown()
    json.dump({"errors": errors}, sys.stdout)


main()
