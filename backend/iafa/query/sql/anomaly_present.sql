-- On which days did the project have any event?
select distinct {day}
from (
    {events}
)
