-- Who is meant: a user, else a visitor? Of several the one who was so called first.
select person
from (
    {events}
)
where user_id = $who or anonymous_id = $who
order by user_id is distinct from $who, time_us, person
limit 1
