-- How many people are there in all (first), and which events did most of them do?
select event_type, count(distinct entity) as people
from (
    {identified}
)
group by grouping sets ((), (event_type))
order by grouping(event_type) desc, people desc, event_type
limit $limit
