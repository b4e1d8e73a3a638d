-- Who did each of the things that a definition names lately, when was it last done, and which properties did it have?
select count(*) as events{columns}
from (
    {events}
){where}
