-- Which types of events are the most frequent?
select event_type
from (
    {events}
)
group by event_type
order by count(*) desc, event_type
limit $types
