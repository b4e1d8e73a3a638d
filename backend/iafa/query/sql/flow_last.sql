-- Where does each way end, if it is followed back from there?
ended as (
    select entity, max(time_us) as last_us, arg_max(id, (time_us, id)) as last_id
    from event
    where is_end
    group by entity
),
