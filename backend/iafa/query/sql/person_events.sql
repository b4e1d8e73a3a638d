-- Which events of one person come next, seen from a place?
select {columns}
from (
    {events}
) as event
semi join asked
    on event.user_hash = asked.identity_hash
    and (event.user_id is null) = asked.is_anonymous
    and event.created_at >= asked.from_at
    and event.created_at <= asked.until_at
where (event.created_at, event.id) {beyond} (make_timestamptz($at_us), $id)
order by event.created_at {order}, event.id {order}
limit $limit
