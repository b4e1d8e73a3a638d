-- Which events are stored, each once?
create or replace temp view raw_events as
{sources}
