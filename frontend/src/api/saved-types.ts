/** Shapes of saved views, boards, notes on dates and share links, and of the answers that cards draw. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type SavedView = Schemas["SavedView"];
export type ViewChoice = Schemas["ViewChoice"];
export type ViewKind = ViewChoice["kind"];
export type ViewRange = Schemas["ViewRange"];
export type Board = Schemas["Board"];
export type BoardChoice = Schemas["BoardChoice"];
export type BoardCard = Schemas["Card"];
export type DateNoteChoice = Schemas["NoteChoice"];
export type SavedNote = Schemas["Note"];
export type Share = Schemas["ShareAnswer"];
export type NewShare = Schemas["NewShareAnswer"];
export type ShareChoice = Schemas["ShareChoice"];
export type ShareKind = Share["kind"];
export type SharedThing = Schemas["SharedThing"];
export type SharedCard = Schemas["SharedCard"];

/** What each kind's report answers; a note answers nothing. */
export interface Answers {
  funnel: Schemas["FunnelAnswer"];
  trends: Schemas["TrendsAnswer"];
  retention: Schemas["RetentionAnswer"];
  paths: Schemas["PathsAnswer"];
  sessions: Schemas["SessionsAnswer"];
  overview: Schemas["OverviewAnswer"];
  events: Schemas["EventLog"];
}
export type AnsweredKind = keyof Answers;
/** An answer with its kind beside it, so that the kind tells the shape. */
export type CardAnswer = { [Kind in AnsweredKind]: { kind: Kind; answer: Answers[Kind] } }[AnsweredKind];
