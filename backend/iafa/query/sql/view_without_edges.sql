-- Whose events are they? No identity edge moves any of them.
create or replace temp view events as
select *
from raw_events
