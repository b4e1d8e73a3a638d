-- Which events are steps, or such that ways begin or end with them?
select *
from (
    {events}
)
where {is_kept}
