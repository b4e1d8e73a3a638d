-- Which events are there, and whose are they?
select {columns}
from events
