-- Which events of one person come next, seen from a place?
select {columns}
from (
    {theirs}
) as event
where (event.created_at, event.id, event.received_at) {beyond} (make_timestamptz($at_us), $id, make_timestamptz($received_us))
order by event.created_at {order}, event.id {order}, event.received_at {order}
limit $limit
