-- Which events are one person's?
select event.*
from (
    {events}
) as event
semi join asked
    on event.user_hash = asked.identity_hash
    and (event.user_id is null) = asked.is_anonymous
    and event.created_at >= asked.from_at
    and event.created_at <= asked.until_at
