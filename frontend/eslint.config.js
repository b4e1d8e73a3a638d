import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const noRawHtml = {
  selector: "JSXAttribute[name.name='dangerouslySetInnerHTML'], Property[key.name='dangerouslySetInnerHTML']",
  message: "Event names and urls come from strangers: React text only.",
};
const noLooseText = {
  selector: "JSXText[value=/[A-Za-z]{2}/]",
  message: "Words live in src/lib/strings.ts.",
};
const noLocale = {
  selector: "MemberExpression > Identifier[name='Intl'], MemberExpression > Identifier[name=/^toLocale/]",
  message: "What people read is formatted in src/lib: dates and numbers in format.ts.",
};
const noFetch = ["fetch", "XMLHttpRequest", "WebSocket", "EventSource"].map((name) => ({
  name,
  message: "The network has one door: src/api.",
}));

export default tseslint.config(
  { ignores: ["**/node_modules/**", "**/src/api/schema.d.ts", "**/artifacts/**"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ["**/src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // Tells what the React compiler would skip; it is not used here.
      "react-hooks/incompatible-library": "off",
      "no-restricted-syntax": ["error", noRawHtml, noLooseText, noLocale],
      "no-restricted-globals": ["error", ...noFetch],
      "no-restricted-properties": [
        "error",
        ...["window", "globalThis", "self"].map((object) => ({ object, property: "fetch", message: noFetch[0].message })),
      ],
      "no-console": "error",
      eqeqeq: "error",
      "max-lines": ["error", { max: 400 }],
    },
  },
  { files: ["**/src/lib/**", "**/*.test.{ts,tsx}"], rules: { "no-restricted-syntax": ["error", noRawHtml, noLooseText] } },
  { files: ["**/src/api/**"], rules: { "no-restricted-globals": "off", "no-restricted-properties": "off" } },
  {
    files: ["**/scripts/**", "**/public/**"],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...["process", "console", "URL", "fetch", "setTimeout", "performance"],
          ...["window", "document", "localStorage", "matchMedia", "innerHeight", "requestAnimationFrame", "MutationObserver", "PerformanceObserver"],
        ].map((name) => [name, "readonly"]),
      ),
    },
  },
);
