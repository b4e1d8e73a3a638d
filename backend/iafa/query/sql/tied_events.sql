-- Which instants with several events lead from level {previous} to level {level}?
select entity, time_us
from tied
where level = {level}
    and previous = {previous}
