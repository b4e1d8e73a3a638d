-- Which event types are there, how many events of each, from when to when, and how many types are there?
select event_type, count(*) as events, epoch_us(min(created_at)) as first_us, epoch_us(max(created_at)) as last_us,
    count(*) over () as names
from (
    {events}
)
group by event_type
order by events desc, event_type
limit $most
