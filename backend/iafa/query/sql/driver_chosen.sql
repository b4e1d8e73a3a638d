-- Which events did people begin with or get to the stage with, and who of these people converted?
select {columns}, picked.is_stage, picked.converted, picked.weight
from (
    select *
    from (
        {events}
    )
    where {is_relevant}
) as event
join picked on event.id = picked.id
where event.created_at >= make_timestamptz($first_us)
    and event.created_at <= make_timestamptz($last_us)
