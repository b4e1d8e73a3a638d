-- Which events match stage {stage}?
select entity, time_us
from matched
where stage = {stage}
