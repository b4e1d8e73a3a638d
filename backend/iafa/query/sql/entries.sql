-- Who may begin here?
select entity, time_us, time_us as start_us
from (
    {events}
)
