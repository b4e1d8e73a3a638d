-- How many events in no file yet are of people who have no id but the fallback one?
select count(*)
from tail
where user_id is null
    and starts_with(anonymous_id, $prefix)
