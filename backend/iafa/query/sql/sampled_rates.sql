-- Of which shares of all events are those that a report looks at?
select min(sample_rate), max(sample_rate)
from (
    {events}
)
