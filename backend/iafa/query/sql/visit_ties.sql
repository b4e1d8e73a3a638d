-- In which order did people say what they said at one instant?
select *
from (
    {events}
)
semi join frame_instant using (entity, time_us)
order by entity, time_us, id
