import { several } from "@/lib/format";

export const words = {
  title: "Anomalies",
  lead: "Days on which an event came unusually often or rarely for its season and trend. Alert rules watch conversions.",
  sensitivity: "Sensitivity",
  sensitivities: { low: "Low", medium: "Medium", high: "High" },
  measure: "Count",
  measures: { events: "Events", people: "People" },
  findings: "Unusual days",
  findingsLead: (judged: string) => `${several(judged, "complete day")} ${judged === "1" ? "was" : "were"} judged.`,
  none: { title: "Nothing unusual", text: "Every complete day lies where season and trend let expect it." },
  tooShort: { title: "Not enough history yet", text: "A day can be judged when at least 14 days before it are known." },
  all: "All events",
  value: "Counted",
  expected: "Expected, usual range shaded",
  chart: (name: string) => `${name}, counted and expected`,
  more: (score: string, side: string) => `${score} times the usual deviation ${side} what was expected`,
  up: "above",
  down: "below",
  alert: "Make an alert",
  seeEvents: "See the events of this day",
} as const;
