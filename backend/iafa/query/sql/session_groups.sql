-- How many sessions, how long and how deep, by one thing that they say: largest groups, the rest, and none?
select
    {place} as place,
    kind,
    value,
    {figures}
from (
    select visits.*, largest.value,
        case when dimension_{place} is null then 'none' when largest.value is null then 'other' else 'value' end as kind
    from visits
    left join (
        select dimension_{place} as value
        from visits
        where dimension_{place} is not null
        group by dimension_{place}
        order by count(*) desc, dimension_{place}
        limit $groups
    ) as largest on visits.dimension_{place} = largest.value
)
group by kind, value
