import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { askEarly } from "./app/early-questions";
import { makeQueryClient, Providers } from "./app/providers";
import { makeRouter } from "./app/router";
import "./styles.css";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no root element");
const client = makeQueryClient();
void askEarly(client, globalThis.location.pathname);
createRoot(root).render(
  <StrictMode>
    <Providers client={client}>
      <RouterProvider router={makeRouter()} />
    </Providers>
  </StrictMode>,
);
