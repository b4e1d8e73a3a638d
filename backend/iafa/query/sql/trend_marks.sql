-- Which series does each event belong to, in which bucket, with which number and which value of the breakdown?
select {columns}
from (
    {events}
)
