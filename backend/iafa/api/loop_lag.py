"""How late the event loop is: work that belongs into a thread shows here before anybody complains."""

import asyncio
from dataclasses import dataclass

EVERY_S = 0.25
SPAN_S = 15.0


@dataclass
class LoopLag:
    """The longest delay of the present and the last span of time."""

    _present_s: float = 0.0
    _last_s: float = 0.0

    def worst_s(self) -> float:
        return max(self._present_s, self._last_s)

    async def watch(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        span_ends_s = loop.time() + SPAN_S
        while True:
            due_s = loop.time() + EVERY_S
            await asyncio.sleep(EVERY_S)
            now_s = loop.time()
            self._present_s = max(self._present_s, now_s - due_s)
            if now_s >= span_ends_s:
                self._last_s, self._present_s = self._present_s, 0.0
                span_ends_s = now_s + SPAN_S
