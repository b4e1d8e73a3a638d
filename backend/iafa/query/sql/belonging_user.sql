-- Whose event is it? A person's.
select epoch_us(created_at) as time_us, * exclude (created_at)
from identified
