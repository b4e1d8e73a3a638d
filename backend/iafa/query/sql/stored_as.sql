-- Which events were stored as those of one of these people?
select {columns}
from (
    {events}
)
where user_hash in ({hashes})
