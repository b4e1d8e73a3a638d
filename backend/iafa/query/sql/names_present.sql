-- When did the last event of each of these types happen?
select event_type, epoch_us(max(created_at)) as last_us
from (
    {events}
)
where event_type in ({names})
group by event_type
