/** Each person once: who did something while the list was read stands where they were seen first. */
export function eachOnce<Row>(pages: readonly (readonly Row[])[], keyOf: (row: Row) => string): Row[] {
  const seen = new Map<string, Row>();
  for (const row of pages.flat()) if (!seen.has(keyOf(row))) seen.set(keyOf(row), row);
  return [...seen.values()];
}
