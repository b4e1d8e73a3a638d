/** Makes the calls that it is told on its standard input, with @segment/analytics-node as it is published. */
import { text } from "node:stream/consumers";
import { Analytics } from "@segment/analytics-node";

const { host, key, calls, options } = JSON.parse(await text(process.stdin));
const analytics = new Analytics({ writeKey: key, host, ...options });
const errors = [];
analytics.on("error", (error) => errors.push(String(error.code)));
for (const { call, timestamp, ...parameters } of calls) {
  analytics[call](timestamp ? { ...parameters, timestamp: new Date(timestamp) } : parameters);
}
await analytics.closeAndFlush({ timeout: 60_000 });
process.stdout.write(JSON.stringify({ errors }));
