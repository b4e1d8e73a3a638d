-- Which values are most frequent?
select name, value, count(*) as events
from (
    select unnest(['event_type', 'country', 'device', 'browser', 'os', 'source']) as name,
        unnest([event_type, country, device, browser, os, source]) as value
    from theirs
)
where value is not null
group by name, value
qualify row_number() over (
    partition by name
    order by count(*) desc, value
) <= $values_max
order by name, events desc, value
