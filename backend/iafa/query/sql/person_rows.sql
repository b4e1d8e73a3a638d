-- How many events are one person's?
select count(*)
from (
    {theirs}
)
