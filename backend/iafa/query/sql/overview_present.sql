-- Who has done something in the last minutes?
select count(distinct person), count(*) filter (where event_type = $page_event)
from (
    {events}
)
