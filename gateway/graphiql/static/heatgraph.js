// The page around GraphiQL: a field for the API token, and the examples as tabs and as a panel that brings them back.
// Plain JavaScript over the files next to it; nothing is built and nothing is fetched from anywhere but this server.
"use strict";

const { createElement: h } = React;
const { useEditorContext, useSchemaContext } = GraphiQL.React;

const examples = JSON.parse(document.getElementById("examples").textContent); // [{title, description, query, variables}]
const field = document.getElementById("token");
const hint = document.getElementById("hint");
const TOKEN = "heatgraph.token";
let readSchema = () => {};

// #token=hg_… is taken from the address and leaves it, so that the token does not end up in a bookmark.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem(TOKEN, given);
  history.replaceState(null, "", location.pathname + location.search);
}

function showToken() {
  field.value = sessionStorage.getItem(TOKEN) ?? "";
  hint.textContent = field.value ? "" : "Paste a token: `make demo` and `python -m gateway keys create` print one.";
}

field.addEventListener("change", () => {
  sessionStorage.setItem(TOKEN, field.value.trim());
  showToken();
  readSchema();
});
showToken();

function fetchWithToken(url, init) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = new Headers(init.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  return fetch(url, { ...init, headers });
}

function Examples() {
  const { tabs, changeTab, addTab, queryEditor, variableEditor } = useEditorContext({ nonNull: true });
  const open = (example) => {
    const at = tabs.findIndex((tab) => tab.query === example.query);
    if (at >= 0) return changeTab(at);
    addTab();
    setTimeout(() => {
      // Only now is the new tab the one that the editors write into.
      queryEditor.setValue(example.query);
      variableEditor.setValue(example.variables);
    });
  };
  return h(
    "section",
    { className: "examples", "aria-label": "Examples" },
    h("div", { className: "graphiql-doc-explorer-title" }, "Examples"),
    h("p", null, "Five questions to start from. Open one and press ▶ or Ctrl-Enter; the documentation is behind the book on the left."),
    examples.map((example) =>
      h(
        "button",
        { key: example.title, type: "button", onClick: () => open(example) },
        h("strong", null, example.title),
        h("span", null, example.description),
      ),
    ),
  );
}

function ExamplesIcon() {
  return h(
    "svg",
    { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.5, "aria-hidden": true },
    h("path", { d: "M12 3a6.5 6.5 0 0 0-3.6 11.9c.7.5 1.1 1.2 1.1 2V18h5v-1.1c0-.8.4-1.5 1.1-2A6.5 6.5 0 0 0 12 3ZM9.5 21h5" }),
  );
}

function SchemaReader() {
  const { introspect } = useSchemaContext({ nonNull: true });
  readSchema = introspect;
  return null;
}

// GraphiQL fills a tab's variables from `defaultTabs` when it is opened, but not the first one's, which is open already.
const isFirstVisit = !localStorage.getItem("heatgraph:graphiql:tabState");
const examplesPlugin = { title: "Examples", icon: ExamplesIcon, content: Examples };

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  h(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: new URL("graphql", document.baseURI).href, fetch: fetchWithToken }),
    storage: GraphiQL.createLocalStorage({ namespace: "heatgraph" }),
    defaultTabs: examples.map(({ query, variables }) => ({ query, variables, headers: null })),
    variables: isFirstVisit ? examples[0].variables : undefined,
    defaultEditorToolsVisibility: "variables",
    isHeadersEditorEnabled: false, // the token has its own field
    inputValueDeprecation: true,
    schemaDescription: true,
    plugins: [examplesPlugin],
    visiblePlugin: examplesPlugin,
    toolbar: { additionalComponent: SchemaReader },
  }, h(GraphiQL.Logo, null, " ")),
);
