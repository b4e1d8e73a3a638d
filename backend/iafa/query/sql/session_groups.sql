-- How many sessions, how long and how deep, by what they say of themselves: largest groups, the rest, and none?
with visits as materialized (
    {visits}
),
largest as (
    select dimension_0 as value
    from visits
    where dimension_0 is not null
    group by dimension_0
    order by count(*) desc, dimension_0
    limit $groups
),
named as (
    select visits.*, largest.value,
        case when dimension_0 is null then 'none' when largest.value is null then 'other' else 'value' end as kind
    from visits
    left join largest on visits.dimension_0 = largest.value
)
select
    kind,
    value,
    count(*) as sessions,
    count(distinct person),
    sum(events),
    sum(views),
    count(*) filter (where events = 1),
    sum(length_us),
    quantile_disc(length_us, 0.5)
from named
group by kind, value
order by case kind when 'value' then 0 when 'other' then 1 else 2 end, sessions desc, value
