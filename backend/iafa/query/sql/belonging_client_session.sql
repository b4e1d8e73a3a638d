-- Which session, as the client named it, does the event belong to? Events without one belong to none.
select hash(entity, session_id) as entity, epoch_us(created_at) as time_us, * exclude (entity, created_at)
from identified
where session_id is not null
