-- Which events are there, as they are stored?
select {columns}
from raw_events
