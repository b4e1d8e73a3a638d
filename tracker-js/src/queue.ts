/** Events that wait to be sent: in memory, bounded; what does not fit is counted, never lost in silence. */
import { warn } from './guard';
import type { EncodedEvent } from './payload';

const enum Max {
  QueueEvents = 100,
  QueueBytes = 262_144,
  EventBytes = 30_000,
  // A body may have 50,000 bytes; 100 are for what stands around the events.
  BatchBytes = 49_900,
}

export interface Queue {
  /** Events lost since the server was last told. */
  dropped: number;
  /** Adds the newest event; one above 30 KB is dropped, and so are the oldest above 100 events or 256 KB. */
  append(event: EncodedEvent): void;
  /** Takes the oldest events out: at most `eventsMax`, at most one body full. Empty when nothing waits. */
  take(eventsMax: number): EncodedEvent[];
  /** Puts events that were not delivered back in front of the others. */
  putBack(events: readonly EncodedEvent[]): void;
  clear(): void;
}

export function createQueue(): Queue {
  let events: EncodedEvent[] = [];

  function keepNewest(): void {
    while (events.length > Max.QueueEvents || bytesOf(events) > Max.QueueBytes) {
      events.shift();
      queue.dropped++;
    }
  }

  const queue: Queue = {
    dropped: 0,
    append(event) {
      if (event.bytes > Max.EventBytes) {
        queue.dropped++;
        warn('event too large');
        return;
      }
      events.push(event);
      keepNewest();
    },
    take(eventsMax) {
      let count = eventsMax;
      while (bytesOf(events.slice(0, count)) > Max.BatchBytes) count--;
      return events.splice(0, count);
    },
    putBack(returned) {
      events.unshift(...returned);
      keepNewest();
    },
    clear() {
      events = [];
      queue.dropped = 0;
    },
  };
  return queue;
}

function bytesOf(events: readonly EncodedEvent[]): number {
  return events.reduce((sum, event) => sum + event.bytes, 0);
}
