-- How many events, and of how many people?
select count(*), count(distinct person)
from (
    {events}
)
