/** Our own texts with what is typed in backticks, such as `iafa backup`, as code. Texts of the data are never given to it. */
export function WithCode({ text }: { text: string }) {
  const parts = text.split("`");
  // A backtick without its pair is a backtick.
  if (parts.length % 2 === 0) return text;
  return parts.map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <code key={at} className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.9em]">
        {part}
      </code>
    ),
  );
}
