-- What did each session tell of itself? Texts are read at the few instants that count, and ids decide where they tie.
with visit as materialized (
    {visits}
),
instant as (
    select distinct person, start_us, time_us
    from (
        select person, start_us, unnest([{instants}]) as time_us
        from visit
    )
    where time_us is not null
),
told as (
    select person, start_us, {told}
    from (
        {events}
    ) as event
    join instant using (person, time_us)
    join visit using (person, start_us)
    group by person, start_us
)
select visit.person, visit.start_us, length_us, events, views, {dimensions}
from visit
left join told using (person, start_us)
