-- Where does each way end that has begun?
ended as (
    select event.entity, min(time_us) as last_us, arg_min(id, (time_us, id)) as last_id
    from event
    join began on event.entity = began.entity
    where is_end and (time_us > first_us or (time_us = first_us and id > first_id))
    group by event.entity
),
