-- Whose events are they, and do paths begin or end with them?
select {entity} as entity, time_us, id, event_type, url, {is_start} as is_start, {is_end} as is_end
from (
    {events}
)
