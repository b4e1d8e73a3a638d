-- Which events that are alone at their instant match stage {stage}? A lone event leads up by one level only.
select entity, time_us
from instant
where mask & {bit} <> 0
    and (is_entry or {stage} > 1)
