-- Which values does a property have, how often, how lately?
select value, count(*) as events, epoch_us(max(created_at))
from (
    select {value} as value, created_at
    from (
        {events}
    )
    where {is_wanted}
)
where value is not null and length(value) <= $longest and contains(lower(value), $search)
group by value
order by events desc, value
limit $limit
