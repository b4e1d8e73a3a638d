-- When did each person first do each of the events that most people did? Of a part of the people if they are many.
with firsts as materialized (
    select entity, event_type, min(created_at) as first_at
    from (
        {identified}
    )
    group by entity, event_type
),
popular as (
    select event_type, count(*) as people
    from firsts
    where not list_contains($left_out, event_type)
    group by event_type
    order by people desc, event_type
    limit $limit
),
crowd as (
    select greatest(1, ceil(count(distinct entity) / $people_max))::ubigint as parts
    from firsts
)
select entity, event_type, people, epoch_us(first_at) as time_us, parts
from firsts
join popular using (event_type)
cross join crowd
where hash(entity) % parts = 0
