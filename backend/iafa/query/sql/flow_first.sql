-- Where does each way begin?
began as (
    select entity, min(time_us) as first_us, arg_min(id, (time_us, id)) as first_id
    from event
    where is_start
    group by entity
),
