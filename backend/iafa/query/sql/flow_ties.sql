-- In which order did people do what they did at one instant?
select entity, time_us, marks
from (
    {events}
)
semi join frame_instant using (entity, time_us)
where marks <> 0
order by entity, time_us, id
