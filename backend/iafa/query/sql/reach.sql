-- Who gets on from level {previous} by these events? The latest event before carries the newest start.
select later.entity, later.time_us, earlier.start_us
from (
    {events}
) as later
asof join reach_{previous} as earlier
    on later.entity = earlier.entity
    and later.time_us {after} earlier.time_us
where later.time_us - earlier.start_us <= $window_us
