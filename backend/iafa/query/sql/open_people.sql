-- How many people who may still convert have not reached level {level}?
select count(*)
from (
    select distinct entity
    from reach_1
    where time_us >= $open_from_us
)
anti join reach_{level} using (entity)
