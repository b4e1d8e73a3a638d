-- What is each event, in any order, as one number: which step, and do ways begin or end with it?
select person as entity, time_us, {marks} as marks{columns}
from (
    select *, {step_name} as name, {is_start} as is_start, {is_end} as is_end
    from (
        {events}
    )
) as event
left join flow_name using (name)
where {is_read}
