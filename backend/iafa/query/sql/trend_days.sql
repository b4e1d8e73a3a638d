-- How many events and how many people did each UTC day have, by event type? And how many events, if each stands for
-- those that sampling left out?
select
    {event_type} as name,
    epoch_us(created_at) // 86400000000 as day,
    count(*),
    count(distinct user_hash),
    cast(round(sum(1 / sample_rate)) as bigint),
    min(sample_rate) < 1
from (
    {events}
)
where {is_wanted} and created_at >= make_timestamptz($from_us) and created_at < make_timestamptz($to_us)
group by all
