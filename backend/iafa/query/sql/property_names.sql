-- Which properties do events of these types have?
select distinct unnest(json_keys(properties)) as name
from (
    {events}
)
where {is_wanted}
order by name
limit $limit
