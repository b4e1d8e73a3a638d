-- Which event types are there, how often and how lately?
select event_type, count(*) as events, epoch_us(max(created_at)) as last_us
from (
    {events}
)
where {is_wanted}
group by event_type
order by events desc, event_type
limit $limit
