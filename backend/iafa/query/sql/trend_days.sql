-- How many events and how many people did each UTC day have, by event type?
select {event_type} as name, epoch_us(created_at) // 86400000000 as day, count(*), count(distinct user_hash)
from (
    {events}
)
where {is_wanted} and created_at >= make_timestamptz($from_us) and created_at < make_timestamptz($to_us)
group by all
