-- Which names may steps have? As many as there is room for, and one more.
select distinct {step_name} as name
from (
    {events}
)
order by name
limit $most + 1
