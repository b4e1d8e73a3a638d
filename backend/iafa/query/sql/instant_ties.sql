-- Which kinds of instants with several events are there?
select distinct masks, is_entry
from instant
where masks is not null
