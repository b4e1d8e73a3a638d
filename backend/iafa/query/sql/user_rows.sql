-- How many events has a user of this id sent?
select count(*)
from (
    {events}
)
where user_hash = $called_hash
    and user_id = $called
