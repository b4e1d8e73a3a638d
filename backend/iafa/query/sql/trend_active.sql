-- How does the number of people who were active in the trailing days change from day to day? A person counts from each
-- active day on, until the next one counts instead or so many days are over.
with active as (
    select distinct person, day, {place} as place
    from (
        {marked}
    )
    where {mark}
),
spans as (
    select place, day, least(day + $active_days, coalesce(lead(day) over (
        partition by person, place
        order by day
    ), day + $active_days)) as end_day
    from active
)
select place, day, sum(change)::bigint
from (
    select place, day, 1 as change
    from spans
    union all
    select place, end_day as day, -1 as change
    from spans
)
group by place, day
