-- Which events are in no file yet?
select {columns}
from tail
