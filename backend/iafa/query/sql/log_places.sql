-- Where do the next events of the log stand?
select epoch_us(created_at) as created_us, id, epoch_us(received_at) as received_us
from (
    {events}
) as event
order by event.created_at {direction}, event.id {direction}, event.received_at {direction}
limit $limit
